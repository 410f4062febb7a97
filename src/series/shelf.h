// Values of series, loaded once for the families and windows of a meter. What was found between two
// instants is not looked for again. So the cost of all questions together is linear in the values
// that they pass, however many of these do not count.
// Reads only. Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/measurement.h"
#include "store/series_reader.h"

namespace district::series {

class Shelf {
 public:
  using Sought = store::SeriesReader::Sought;
  explicit Shelf(store::SeriesReader& store) : store_(store) {}
  // All values that start in [from, to], and maybe more. Valid until the next call for the series,
  // or clear().
  Result<std::span<const ValueVersion>> get(const Series& series, Instant from, Instant to);
  // The last value that starts before the instant, the first one that starts after it.
  Result<std::optional<VisibleValue>> before(const Series& series, Instant at, Sought sought);
  Result<std::optional<VisibleValue>> after(const Series& series, Instant at, Sought sought);
  void clear();

 private:
  struct Loaded {
    Instant from{}, to{};
    std::vector<ValueVersion> versions;
    bool has(Instant at) const { return at >= from && at < to; }
  };
  // The value that was found for every place in (from, key], or that there is none.
  struct Found {
    std::int64_t from = 0;
    std::optional<VisibleValue> value;
  };
  using Nearest = std::map<std::int64_t, Found>;
  using NearestKey = std::tuple<std::int64_t, Sought, bool>;  // series_id; whether it is after
  template <typename Look>
  static Result<std::optional<VisibleValue>> nearest(Nearest& known, std::int64_t place,
                                                     const Look& look);

  store::SeriesReader& store_;
  std::map<std::int64_t, Loaded> loaded_;
  std::map<NearestKey, Nearest> nearest_;
};

}  // namespace district::series
