// Checks that values and KPI values lie in the rows where readers look for them. A reader goes by
// the key of a row, so the times inside must agree with the key. Reads only.
// Errors: archive_unavailable, archive_corrupt.
// Threads: one Database per thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/database.h"

namespace district::store {

// Months since 1970, UTC, bounded by what the keys of packed_month have room for.
inline constexpr std::int64_t kMonthsPerSeries = 4096;
inline constexpr std::int64_t kMonthMax = kMonthsPerSeries - 1;  // in the year 2311
std::int64_t month_of(Instant at);
Instant start_of_month(std::int64_t month);

struct Misplaced {
  std::string where, what;
};

// Goes through all rows of all series and meters. Rows that cannot be decoded are left out, because
// reading their values reports them. At most 1,000.
Result<std::vector<Misplaced>> misplaced_rows(SeriesDatabase& database);

}  // namespace district::store
