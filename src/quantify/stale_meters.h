// Chooses the stale meter to compute next, of those whose master data an administrator has changed.
// A meter that cannot be computed rests for a time. Its mark stays, so that nobody takes its KPIs
// for up to date, but it holds up neither other stale meters nor new work. Private to quantify/.
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "base/error.h"
#include "store/database.h"

namespace district::quantify {

class StaleMeters {
 public:
  // The meters take turns, so that one that is marked again and again does not keep others waiting.
  // nullopt: there is none, or all that are left rest.
  Result<std::optional<std::int64_t>> next(store::SeriesDatabase& series);
  void computed(std::int64_t meter_id) { resting_.erase(meter_id); }
  // Logs the error, too.
  void let_rest(store::SeriesDatabase& series, std::int64_t meter_id, const Error& error);

 private:
  struct Rest {
    std::chrono::steady_clock::time_point until;
    std::chrono::seconds time{};
  };
  std::map<std::int64_t, Rest> resting_;
  std::int64_t last_ = 0;
};

}  // namespace district::quantify
