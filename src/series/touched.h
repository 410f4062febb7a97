// What batches have changed and is not recomputed yet. Its memory grows with the number of meters
// and with the time that their values span, not with the number of values.
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "series/stretches.h"

namespace district::series {

struct Touched {
  // The times of values that have changed and count, or counted before. Changes up to a month apart
  // may be joined; then the windows between them are computed without need.
  struct Changed : Stretches {
    Changed() : Stretches(std::chrono::hours(0), std::chrono::hours(24 * 31)) {}
  };
  struct Meter {
    std::string tenant;
    std::map<std::int64_t, Changed> series;  // by series_id, also of meters referred to
    bool all = false;  // every window: master data changed, or a kind of value is new
    // KPI values of windows that overlap [from, to) are removed if they are not computed now.
    std::optional<std::pair<Instant, Instant>> cleared;
    bool is_cleared(Instant start, Instant end) const {
      return all || (cleared && start < cleared->second && end > cleared->first);
    }
  };
  std::map<std::int64_t, Meter> meters;  // by meter_id

  // Marks every window of the meter.
  void all(std::int64_t meter_id, const std::string& tenant) {
    auto& meter = meters[meter_id];
    meter.tenant = tenant;
    meter.all = true;
  }
  std::vector<std::int64_t> meter_ids() const {
    std::vector<std::int64_t> ids;
    for (const auto& [meter_id, changes] : meters) ids.push_back(meter_id);
    return ids;
  }
};

}  // namespace district::series
