// Computes the windows of one meter that changes have touched, year by year, so that the values of
// a year are read once and memory stays small. Private to quantify/.
// Inside the caller's transaction, which `pause` may end and begin anew between two years.
// Threads: one at a time.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

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
        computed_at_(computed_at),
        pause_(pause) {}

  // Errors: archive_unavailable, archive_corrupt, those of `pause`.
  Result<Ok> run();

 private:
  struct Work {
    series::FamilyInputs inputs;
    std::vector<const kpi::KpiDefinition*> kpis;  // less those that an earlier family gives
    std::vector<kpi::Window> windows;             // sorted, each once
  };
  // A chunk of KPI values on its way; `fresh`: what of it has been computed now.
  struct Sheet {
    store::KpiChunk chunk;
    std::set<std::pair<Instant, std::int64_t>> fresh;
    bool changed = false;
  };
  using SheetKey = std::pair<WindowKind, std::int64_t>;

  void plan_works();
  Result<Ok> plan(Work& work);
  Result<Ok> plan_model(Work& work);
  Result<std::vector<series::Stretch>> stretches_of(const Series& series, bool joinable);
  Result<Instant> held_until(const Series& series, Instant last);
  Result<Ok> add_windows(Work& work, const series::Stretch& stretch);
  Result<std::vector<Instant>> edges_beside(const Series& series, const series::Stretch& stretch);
  Result<Ok> add_differences(Work& work, const series::Stretch& stretch);
  Result<Instant> differs_until(const Series& registers);
  Result<Ok> add_existing(Work& work, const series::Stretch& stretch);
  Result<bool> has_rows(const Work& work, const kpi::Window& window);

  Result<Ok> compute(const Work& work, std::span<const kpi::Window> windows);
  Result<Ok> write(const Work& work, kpi::WindowSummary& window_summary);
  Result<Ok> write_figure(Sheet& sheet, const kpi::Window& window, const kpi::KpiDefinition& kpi,
                          kpi::Figure figure);
  Result<Sheet*> sheet_of(WindowKind kind, Instant start);
  bool is_cleared(Instant start, Instant end) const;
  void remove_stale_rows(Sheet& sheet) const;
  Result<Ok> put_away(std::optional<Instant> done_until);
  Result<Ok> remove_unvisited();

  store::SeriesWriter& store_;
  const series::MeterData& meter_;
  const kpi::Calendar& calendar_;
  const Standards& standards_;
  const series::Touched::Meter& touched_;
  const Instant computed_at_;
  const Pause& pause_;
  series::Shelf shelf_{store_};
  std::vector<Work> works_;
  std::map<SheetKey, Sheet> sheets_;
  std::set<SheetKey> visited_;
};

}  // namespace district::quantify
