// Stretches of time in which values lie, for what must be settled or computed anew because of them.
// Threads: one at a time.
#pragma once

#include <vector>

#include "base/time.h"

namespace district::series {

// The times at which values begin and end; one value, or several near each other.
struct Stretch {
  Instant start{}, last_start{}, end{};
  Instant reach{};  // until when the values act: a sample of power is held beyond its instant
};

inline Stretch stretch_of(Instant start, Instant end) { return {start, start, end, end}; }

// In the order of their starts; those that touch, or whose values begin no later than the tolerance
// after one another, as one.
std::vector<Stretch> joined(std::vector<Stretch> stretches, Duration tolerance);

// Collects stretches of any number of values. Values that begin within `fine` of each other may
// come back as one stretch; where there are too many still, those within `coarse`: there are never
// more than the time between the first and the last value has room for.
class Stretches {
 public:
  Stretches(Duration fine, Duration coarse) : fine_(fine), coarse_(coarse) {}
  void add(const Stretch& stretch);
  bool empty() const { return stretches_.empty(); }
  std::vector<Stretch> take(Duration tolerance);  // as joined() gives them; then there are none

 private:
  Duration fine_, coarse_;
  std::vector<Stretch> stretches_;
};

}  // namespace district::series
