// Marks the meters whose KPIs depend on a meter that has changed, those that depend on these, and
// so on: the meters of a site, those that an outdoor sensor serves, those that replaced a meter.
// Each of these statements is looked at once, also where meters refer to each other in circles.
// Reads only. Threads: one at a time.
#pragma once

#include "base/error.h"
#include "series/touched.h"
#include "store/series_reader.h"

namespace district::series {

class Dependents {
 public:
  // However many meters lie in between, and whatever else changed in the same group.
  static Result<Ok> touch(store::SeriesReader& store, Touched& touched);
};

}  // namespace district::series
