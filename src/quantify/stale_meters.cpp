#include "quantify/stale_meters.h"

#include <algorithm>

#include "observe/events.h"
#include "store/series_reader.h"

namespace district::quantify {
namespace {

// A stale meter that cannot be computed is damaged. It has to be repaired, which takes longer than
// these times.
constexpr std::chrono::seconds kRestMin{10};
constexpr std::chrono::seconds kRestMax = std::chrono::hours(1);

}  // namespace

Result<std::optional<std::int64_t>> StaleMeters::next(store::SeriesDatabase& series) {
  DISTRICT_TRY(auto stale, store::SeriesReader(series).stale());
  std::erase_if(resting_, [&](const auto& one) {
    return !std::binary_search(stale.begin(), stale.end(), one.first);
  });
  std::rotate(stale.begin(), std::upper_bound(stale.begin(), stale.end(), last_), stale.end());
  const auto now = std::chrono::steady_clock::now();
  const auto next = std::find_if(stale.begin(), stale.end(), [&](std::int64_t meter_id) {
    const auto rest = resting_.find(meter_id);
    return rest == resting_.end() || rest->second.until <= now;
  });
  if (next == stale.end()) return std::nullopt;
  last_ = *next;
  return std::optional(*next);
}

void StaleMeters::let_rest(store::SeriesDatabase& series, std::int64_t meter_id,
                           const Error& error) {
  auto& rest = resting_[meter_id];
  rest.time = std::clamp(2 * rest.time, kRestMin, kRestMax);
  rest.until = std::chrono::steady_clock::now() + rest.time;
  const auto key = store::SeriesReader(series).meter_key(meter_id).value_or(MeterKey{});
  observe::emit(observe::Level::error, "recompute_failed",
                {{"tenant", key.tenant},
                 {"source", key.source},
                 {"meter", key.meter},
                 {"code", static_cast<int>(error.code)},
                 {"detail", error.detail},
                 {"retry_s", rest.time.count()}});
}

}  // namespace district::quantify
