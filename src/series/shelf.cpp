#include "series/shelf.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace district::series {
namespace {

constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::min();
constexpr Duration kTick{1};  // of Instant

// A place in time as a number. Places after an instant count backwards, so that both directions
// look for the value with the greatest number below a place.
std::int64_t place_of(Instant at, bool after) {
  return after ? -at.time_since_epoch().count() : at.time_since_epoch().count();
}

}  // namespace

Result<std::span<const ValueVersion>> Shelf::get(const Series& series, Instant from, Instant to) {
  auto& loaded = loaded_[series.series_id];
  if (loaded.from != loaded.to && loaded.has(from) && loaded.has(to))
    return std::span<const ValueVersion>(loaded.versions);
  DISTRICT_TRY(auto page, store_.page(series, from, to));
  loaded = {std::min(from, page.from), std::max(to, page.to), std::move(page.versions)};
  return std::span<const ValueVersion>(loaded.versions);
}

// `look` is told the place beyond which nothing needs to be looked for.
template <typename Look>
Result<std::optional<VisibleValue>> Shelf::nearest(Nearest& known, std::int64_t place,
                                                   const Look& look) {
  const auto next = known.lower_bound(place);
  if (next != known.end() && next->second.from < place) return next->second.value;
  const auto last = next == known.begin() ? known.end() : std::prev(next);
  DISTRICT_TRY(auto found, look(last == known.end() ? kNoBound : last->first - 1));
  if (found.second) {
    known.emplace(place, Found{found.first, found.second});
    return found.second;
  }
  // What was found for the place before holds for this one, too.
  const auto further = last == known.end() ? Found{kNoBound, std::nullopt} : last->second;
  if (last != known.end()) known.erase(last);
  known.emplace(place, further);
  return further.value;
}

Result<std::optional<VisibleValue>> Shelf::before(const Series& series, Instant at, Sought sought) {
  using Answer = std::pair<std::int64_t, std::optional<VisibleValue>>;
  auto& known = nearest_[{series.series_id, sought, false}];
  return nearest(known, place_of(at, false), [&](std::int64_t bound) -> Result<Answer> {
    const auto until = bound == kNoBound ? Instant::min() : Instant{Duration{bound}};
    const auto answer = [](std::optional<VisibleValue> value) {
      return Answer(value ? place_of(value->start, false) : 0, value);
    };
    auto from = at;
    if (const auto here = loaded_.find(series.series_id);
        here != loaded_.end() && here->second.has(at)) {
      const auto& versions = here->second.versions;
      auto version = std::partition_point(versions.begin(), versions.end(),
                                          [at](const auto& other) { return other.start < at; });
      while (version != versions.begin()) {
        --version;
        if (version->start <= until) return answer(std::nullopt);
        if (auto value = store::sought_value(*version, sought)) return answer(value);
      }
      from = here->second.from;
    }
    DISTRICT_TRY(const auto value, store_.value_before(series, from, sought, until));
    return answer(value);
  });
}

Result<std::optional<VisibleValue>> Shelf::after(const Series& series, Instant at, Sought sought) {
  using Answer = std::pair<std::int64_t, std::optional<VisibleValue>>;
  auto& known = nearest_[{series.series_id, sought, true}];
  return nearest(known, place_of(at, true), [&](std::int64_t bound) -> Result<Answer> {
    const auto until = bound == kNoBound ? Instant::max() : Instant{Duration{-bound}};
    const auto answer = [](std::optional<VisibleValue> value) {
      return Answer(value ? place_of(value->start, true) : 0, value);
    };
    auto from = at;
    if (const auto here = loaded_.find(series.series_id);
        here != loaded_.end() && here->second.has(at)) {
      const auto& versions = here->second.versions;
      auto version = std::partition_point(versions.begin(), versions.end(),
                                          [at](const auto& other) { return other.start <= at; });
      for (; version != versions.end(); ++version) {
        if (version->start >= until) return answer(std::nullopt);
        if (auto value = store::sought_value(*version, sought)) return answer(value);
      }
      from = here->second.to - kTick;
    }
    DISTRICT_TRY(const auto value, store_.value_after(series, from, sought, until));
    return answer(value);
  });
}

void Shelf::clear() {
  loaded_.clear();
  nearest_.clear();
}

}  // namespace district::series
