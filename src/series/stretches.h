// Stretches of time in which values lie that have changed, so that something there must be settled
// or computed again.
// Threads: one at a time.
#pragma once

#include <vector>

#include "base/time.h"

namespace district::series {

// The times at which one value, or several near each other, begin and end.
struct Stretch {
  Instant start{}, last_start{}, end{};
  Instant reach{};  // until when the values act: a sample of power is held beyond its instant
};

inline Stretch stretch_of(Instant start, Instant end) { return {start, start, end, end}; }

// The stretches by start. Those that touch, or whose values begin no later than `tolerance` after
// one another, are joined into one.
std::vector<Stretch> joined(std::vector<Stretch> stretches, Duration tolerance);

// Collects stretches of any number of values in bounded memory. Values that begin within `fine` of
// each other may be joined into one stretch. If there are still too many stretches, values within
// `coarse` are joined: then there are no more than fit between the first and the last value.
class Stretches {
 public:
  Stretches(Duration fine, Duration coarse) : fine_(fine), coarse_(coarse) {}
  void add(const Stretch& stretch);
  bool empty() const { return stretches_.empty(); }
  std::vector<Stretch> take(Duration tolerance);  // as joined() gives them; leaves none

 private:
  Duration fine_, coarse_;
  std::vector<Stretch> stretches_;
};

}  // namespace district::series
