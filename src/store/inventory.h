// Counts of what is stored, and lists of every meter and every origin. Reads only.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one Database per thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/kpi.h"
#include "store/database.h"
#include "store/series_reader.h"

namespace district::store {

struct Inventory {
  std::uint64_t envelopes = 0;
  // Envelopes, imports and stale meters that are still to be quantified.
  std::uint64_t work_waiting = 0;
  std::uint64_t work_failed = 0;  // envelopes that could not be quantified
};
Result<Inventory> take_inventory(ArchiveDatabase& archive, SeriesDatabase& series);
Result<Inventory> take_inventory(ArchiveDatabase& archive);  // stale meters and failures left out

// Every meter that has ever had a measurement or master data, by tenant, source and meter.
Result<std::vector<MeterKey>> all_meters(SeriesDatabase& database);

// An envelope, or an import of master data, whose values are stored.
struct StoredOrigin {
  Origin origin;
  std::string tenant;
  std::optional<Instant> first_start, last_start;
  bool operator==(const StoredOrigin&) const = default;
};

Result<std::vector<StoredOrigin>> all_origins(SeriesDatabase& database);  // by leaf_index

struct StoredMeter {
  std::int64_t meter_id = 0;
  MeterKey key;
};
// Meters of the tenant of `from`, beginning with `from`, ordered by source and meter. With `source`
// or `meter`, only those of that source or with that name.
Result<std::vector<StoredMeter>> meters_from(SeriesDatabase& database, const MeterKey& from,
                                             const std::optional<std::string>& source,
                                             const std::optional<std::string>& meter,
                                             std::size_t limit);

}  // namespace district::store
