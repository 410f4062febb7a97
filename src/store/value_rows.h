// Which row holds the values of a time: one row a day for the recent ones, one a month for those
// before. Private to store/.
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

// The first version that starts at the instant or later. The versions are in the order of their
// starts.
inline auto first_from(std::vector<ValueVersion>& versions, Instant at) {
  return std::partition_point(versions.begin(), versions.end(),
                              [at](const ValueVersion& version) { return version.start < at; });
}

}  // namespace district::store
