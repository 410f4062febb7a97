// Which windows of a meter must be computed because values or master data have changed: those that
// the changed values lie in or act on, and the gaps beside them.
// Private to quantify/. Reads only. Threads: one at a time.
// Source: docs/reference/kpi-rules.md.
#pragma once

#include <optional>
#include <vector>

#include "base/error.h"
#include "kpi/calendar.h"
#include "kpi/catalogue.h"
#include "model/standards.h"
#include "quantify/kpi_rows.h"
#include "series/meter_data.h"
#include "series/touched.h"
#include "store/series_reader.h"

namespace district::quantify {

// What is to be computed of one family of KPIs.
struct FamilyWindows {
  series::FamilyInputs inputs;
  std::vector<const kpi::KpiDefinition*> kpis;  // without those that an earlier family gives
  std::vector<kpi::Window> windows;             // sorted, each once
};

class WindowPlan {
 public:
  // Keeps references to all of these.
  WindowPlan(store::SeriesReader& store, const series::MeterData& meter,
             const kpi::Calendar& calendar, const Standards& standards,
             const series::Touched::Meter& touched, series::Shelf& shelf, KpiRows& rows)
      : store_(store),
        meter_(meter),
        calendar_(calendar),
        standards_(standards),
        touched_(touched),
        shelf_(shelf),
        rows_(rows) {}

  // For each family of the meter, in the order of precedence.
  // Errors: archive_unavailable, archive_corrupt.
  Result<std::vector<FamilyWindows>> make();

 private:
  Result<Ok> plan(FamilyWindows& planned);
  Result<Ok> plan_model(FamilyWindows& planned);
  Result<std::vector<series::Stretch>> stretches_of(const Series& series, bool joinable);
  Result<Instant> held_until(const Series& series, Instant last);
  Result<Ok> add_windows(FamilyWindows& planned, const series::Stretch& stretch);
  Result<std::vector<Instant>> edges_beside(const Series& series, const series::Stretch& stretch);
  Result<Ok> add_differences(FamilyWindows& planned, const series::Stretch& stretch);
  Result<Ok> add_predecessors(FamilyWindows& planned);
  Result<Instant> differs_until(const Series& registers);
  Result<Ok> add_existing(FamilyWindows& planned, const series::Stretch& stretch);

  store::SeriesReader& store_;
  const series::MeterData& meter_;
  const kpi::Calendar& calendar_;
  const Standards& standards_;
  const series::Touched::Meter& touched_;
  series::Shelf& shelf_;
  KpiRows& rows_;
};

}  // namespace district::quantify
