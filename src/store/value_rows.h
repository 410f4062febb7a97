// How the times of values are related to the rows that hold them: by the day for the present, by
// the month before it. Private to store/.
// Threads: any.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "model/measurement.h"

namespace district::store {

inline std::int64_t day_of(Instant at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}
inline Instant start_of_day(std::int64_t day) { return Instant{std::chrono::days{day}}; }

// The first of the versions, which are in the order of their starts, that starts at the instant or
// later.
inline auto first_from(std::vector<ValueVersion>& versions, Instant at) {
  return std::partition_point(versions.begin(), versions.end(),
                              [at](const ValueVersion& version) { return version.start < at; });
}

}  // namespace district::store
