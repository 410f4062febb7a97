// Computes the windows of one meter that changes have touched. It goes year by year, so that the
// values of a year are read once and memory stays small. Private to quantify/.
// Runs in the caller's transaction, which `pause` may commit and begin again between two years.
// Threads: one at a time.
#pragma once

#include <functional>
#include <span>

#include "quantify/kpi_rows.h"
#include "quantify/window_plan.h"
#include "series/meter_data.h"
#include "series/touched.h"
#include "store/series_writer.h"

namespace district::quantify {

class Recomputation {
 public:
  using Pause = std::function<Result<Ok>()>;
  // Keeps references to all of these.
  Recomputation(store::SeriesWriter& store, const series::MeterData& meter,
                const kpi::Calendar& calendar, const Standards& standards,
                const series::Touched::Meter& touched, Instant computed_at, const Pause& pause)
      : store_(store),
        meter_(meter),
        calendar_(calendar),
        standards_(standards),
        touched_(touched),
        pause_(pause),
        rows_(store, meter.meter_id, touched, computed_at) {}

  // Errors: archive_unavailable, archive_corrupt, those of `pause`.
  Result<Ok> run();

 private:
  Result<Ok> compute(const std::vector<FamilyWindows>& families,
                     const std::vector<std::vector<kpi::Window>>& windows);
  Result<Ok> compute(const FamilyWindows& planned, std::span<const kpi::Window> windows);

  store::SeriesWriter& store_;
  const series::MeterData& meter_;
  const kpi::Calendar& calendar_;
  const Standards& standards_;
  const series::Touched::Meter& touched_;
  const Pause& pause_;
  series::Shelf shelf_{store_};
  KpiRows rows_;
};

}  // namespace district::quantify
