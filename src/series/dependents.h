// Passes what changed of meters on to those whose KPIs depend on them, and on from these: to the
// meters of a site, to those that an outdoor sensor serves, to those that replaced a meter.
// Each of these statements is looked at once, also where meters refer to each other in circles.
// Private to quantify/. Reads only. Threads: one at a time.
#pragma once

#include "base/error.h"
#include "series/touched.h"
#include "store/series_store.h"

namespace district::series {

class Dependents {
 public:
  // However many meters lie in between, and whatever else changed in the same group.
  static Result<Ok> touch(store::SeriesStore& store, Touched& touched);
};

}  // namespace district::series
