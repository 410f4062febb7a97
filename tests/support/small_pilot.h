// An archive with a little of everything that can be asked for.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/time.h"
#include "model/batch.h"
#include "quantify/engine.h"
#include "store/database.h"
#include "store/transaction.h"
#include "temporary_folder.h"
#include "trust/api_keys.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::test {

// Tenants 10 and 20. In each: a shop with two days of hours, with a correction, an impossible value
// and some of 1881; a lamp with sampled power; a school's meter at a site.
class SmallPilot {
 public:
  static inline const Instant kNow = *parse_date_time("2018-07-01T12:00:00Z");
  static constexpr auto kHour = std::chrono::hours(1);

  SmallPilot() {
    for (const auto* code : {"10", "20"}) {
      static_cast<void>(must(trust::add_tenant(
          *database, {code, "Pilot " + std::string(code), "Europe/Madrid", {"001/0.0.1"}, {}, {}},
          kNow - 365 * 24 * kHour)));
      fill(code);
    }
  }

  // Of tenant 20, or of all.
  std::string make_key(ApiRole role, bool every_tenant) {
    trust::ApiKeyRequest request{"test", role, every_tenant, {}, {}};
    if (!every_tenant) request.tenants = {"20"};
    return must(trust::create_api_key(*database, request, kNow)).text;
  }

  static Observation energy(const std::string& source, Instant start, double kwh) {
    return {source, "", "active_energy", "kWh", ValueKind::interval, start, start + kHour, kwh};
  }

  // As one envelope.
  void send(const std::string& tenant, Batch batch) {
    batch.tenant = tenant;
    std::uint32_t index = 0;
    for (auto& each : batch.observations) each.message_index = ++index;
    for (auto& each : batch.master_facts) each.message_index = ++index;
    batch.messages.resize(index);
    quantify::Engine engine(*series, [](std::string_view) { return "Europe/Madrid"; });
    const auto received = kNow - kHour + std::chrono::minutes(leaf_);
    const auto receipt = "01CHVZ8S0000000000000000" + std::to_string(10 + leaf_);
    auto transaction = must(store::SeriesTransaction::begin(*series));
    static_cast<void>(must(engine.apply(transaction, batch, {leaf_, receipt, received}, received)));
    static_cast<void>(must(transaction.commit()));
    ++leaf_;
  }

  TemporaryFolder folder;
  const std::string path = folder.file("archive.db");
  const store::Location location = store::Location::of(path);
  const std::unique_ptr<store::ArchiveDatabase> database =
      must(store::ArchiveDatabase::open(location, store::OpenMode::create));
  const std::unique_ptr<store::SeriesDatabase> series =
      must(store::SeriesDatabase::open(location, store::OpenMode::create));

 private:
  template <typename T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().detail);
    return *std::move(result);
  }

  void fill(const std::string& tenant) {
    const auto start = *parse_date_time("2018-06-01T00:00:00+02:00");
    const auto old = *parse_date_time("1881-01-01T00:00:00Z");
    Batch batch;
    auto& values = batch.observations;
    for (int i = 0; i < 48; ++i) values.push_back(energy("SHOP", start + i * kHour, i));
    values[30].value = -5;
    for (int i = 0; i < 3; ++i) values.push_back(energy("SHOP", old + i * kHour, 1));
    for (int i = 0; i < 96; ++i) {
      const auto at = start + i * std::chrono::minutes(15);
      values.push_back({"LAMP", "", "active_power", "W", ValueKind::instant, at, at, 900});
    }
    values.push_back(energy("SCHOOL", start, 7));
    values.back().meter = "M1";
    batch.master_facts = {{"SCHOOL", "M1", "at_site", "CAMPUS", start, {}},
                          {"SCHOOL", "CAMPUS", "site_name", "Campus, north", start, {}},
                          {"SCHOOL", "CAMPUS", "floor_area_m2", "4200", start, {}}};
    send(tenant, batch);
    Batch correction;
    correction.observations = {energy("SHOP", start + 3 * kHour, 33)};
    send(tenant, correction);
  }

  std::uint64_t leaf_ = 0;
};

}  // namespace district::test
