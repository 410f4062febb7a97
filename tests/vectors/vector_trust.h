// The trust that the vectors of tests/vectors are verified with, from trust.csv.
#pragma once

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/temporary_folder.h"
#include "store/database.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::test {

// The vectors are signed at 12:00:00.
inline const Instant kVectorTime = *parse_date_time("2026-01-15T12:00:30Z");

class VectorTrust {
 public:
  VectorTrust() : database_(folder_.file("trust.sqlite")) {
    const Instant begin = *parse_date_time("2025-12-01T00:00:00Z");
    auto database = value(
        store::ArchiveDatabase::open(store::Location::of(database_), store::OpenMode::create));
    for (const auto& [code, zone] :
         {std::pair{"10", "Europe/Copenhagen"}, std::pair{"20", "Europe/Madrid"},
          std::pair{"30", "Europe/Madrid"}}) {
      Tenant tenant;
      tenant.code = code;
      tenant.name = std::string("tenant ") + code;
      tenant.zone = zone;
      tenant.content_types = {"001/001", "001/0.0.1", "001/002"};
      static_cast<void>(value(trust::add_tenant(*database, tenant, begin)));
    }
    const std::string folder = DISTRICT_SOURCE_DIR "/tests/vectors/";
    std::ifstream table(folder + "trust.csv");
    std::string line;
    std::getline(table, line);
    std::vector<std::array<std::string, 5>> rows;
    while (std::getline(table, line)) rows.push_back(split(line));
    if (rows.empty()) throw std::runtime_error("tests/vectors/trust.csv is missing or empty");
    std::vector<trust::EnrolRequest> requests;
    for (const auto& row : rows) {
      requests.push_back({row[1],
                          certificate(row[0]),
                          parse_day_or_instant(row[2]),
                          {},
                          parse_day_or_instant(row[3]),
                          "trust.csv"});
    }
    static_cast<void>(value(trust::enrol(*database, requests, begin)));
    for (const auto& row : rows) {
      if (row[4].empty()) continue;
      value(trust::revoke(*database, to_hex(certificate(row[0]).sha256()), row[1],
                          "for the vectors", *parse_date_time(row[4])));
    }
    trust_ = value(trust::Trust::open(store::Location::of(database_), store::OpenMode::existing));
  }

  trust::Trust& trust() { return *trust_; }

 private:
  template <typename T>
  static T value(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    return *std::move(result);
  }
  static crypto::Certificate certificate(const std::string& name) {
    return value(crypto::Certificate::from_pem_file(
        DISTRICT_SOURCE_DIR "/tests/vectors/certificates/" + name + ".pem"));
  }
  static std::array<std::string, 5> split(const std::string& line) {
    std::array<std::string, 5> cells;
    std::istringstream in(line);
    for (auto& cell : cells) std::getline(in, cell, ',');
    return cells;
  }

  TemporaryFolder folder_;
  std::string database_;
  std::unique_ptr<trust::Trust> trust_;
};

}  // namespace district::test
