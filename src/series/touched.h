// What batches changed, until it is recomputed. Its memory grows with the number of meters and with
// the time that their values span, not with the number of values.
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
  // Where values of a series have changed that count, or counted. Changes up to a month apart may
  // be taken for one: the windows between them are then computed again without need.
  struct Changed : Stretches {
    Changed() : Stretches(std::chrono::hours(0), std::chrono::hours(24 * 31)) {}
  };
  struct Meter {
    std::string tenant;
    std::map<std::int64_t, Changed> series;  // by series_id; also of meters that this one refers to
    bool all = false;  // every window: master data changed, or a kind of value is new
    // KPI values of windows that overlap [from, to) are removed unless they are computed now.
    std::optional<std::pair<Instant, Instant>> cleared;
  };
  std::map<std::int64_t, Meter> meters;  // by meter_id

  // Every window of the meter.
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
