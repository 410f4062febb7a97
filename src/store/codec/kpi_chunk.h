// KPI values of one meter and one kind of window as octets. A row of the database holds those of
// several windows in a row.
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

// A KpiValue without meter, window kind, name and unit, which are stored elsewhere.
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
  std::vector<PackedKpi> kpis;  // by kpi_id
};
using PackedWindows = std::map<Instant, PackedWindow>;  // by start

std::string pack(const PackedWindows& windows);
// Errors: archive_corrupt.
Result<PackedWindows> unpack_windows(ByteView octets);

}  // namespace district::store
