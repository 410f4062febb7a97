// KPI values of one meter and one kind of window as octets: a row of the database holds those of
// some windows that follow each other.
// Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/kpi.h"

namespace district::store {

// As KpiValue, whose meter, window kind, name and unit are known elsewhere.
struct PackedKpi {
  std::int64_t kpi_id = 0;
  std::optional<double> value;
  double completeness = 0;
  KpiStatus status = KpiStatus::insufficient;
  std::uint32_t revision = 1;
  Instant computed_at{};
  std::vector<std::pair<std::string, std::string>> attributes;  // by name
  bool says_the_same(const PackedKpi& other) const;             // but for revision and computed_at
};

struct PackedWindow {
  Instant end{};
  std::vector<PackedKpi> kpis;  // in the order of the catalogue
};
using PackedWindows = std::map<Instant, PackedWindow>;  // by start

std::string pack(const PackedWindows& windows);
// Errors: archive_corrupt.
Result<PackedWindows> unpack_windows(ByteView octets);

}  // namespace district::store
