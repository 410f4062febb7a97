// Marks the meters whose KPIs depend on a meter that has changed, those that depend on these, and
// so on: the meters of a site, those that an outdoor sensor serves, those that replaced a meter. It
// looks at each of these statements once, even when meters refer to each other in circles.
// Reads only. Threads: one at a time.
#pragma once

#include "base/error.h"
#include "series/touched.h"
#include "store/series_reader.h"

namespace district::series {

class Dependents {
 public:
  // Finds them however many meters lie in between, and whatever else has changed in the same group.
  static Result<Ok> touch(store::SeriesReader& store, Touched& touched);
};

}  // namespace district::series
