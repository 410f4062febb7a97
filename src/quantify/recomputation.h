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

#include "quantify/meter_data.h"
#include "quantify/touched.h"

namespace district::quantify {

class Recomputation {
 public:
  using Pause = std::function<Result<Ok>()>;
  // Keeps references to all of these.
  Recomputation(store::SeriesStore& store, const MeterData& meter, const Calendar& calendar,
                const Standards& standards, const Touched::Meter& touched, Instant computed_at,
                const Pause& pause)
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
    FamilyInputs inputs;
    std::vector<const KpiDefinition*> kpis;  // less those that an earlier family gives
    std::vector<Window> windows;             // sorted, each once
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
  Result<std::vector<Stretch>> stretches_of(const store::Series& series, bool joinable);
  Result<Instant> held_until(const store::Series& series, Instant last);
  Result<Ok> add_windows(Work& work, const Stretch& stretch);
  Result<std::vector<Instant>> edges_beside(const store::Series& series, const Stretch& stretch);
  Result<Ok> add_differences(Work& work, const Stretch& stretch);
  Result<Instant> differs_until(const store::Series& registers);
  Result<Ok> add_existing(Work& work, const Stretch& stretch);
  Result<bool> has_rows(const Work& work, const Window& window);

  Result<Ok> compute(const Work& work, std::span<const Window> windows);
  Result<Ok> write(const Work& work, Evidence& evidence);
  Result<Ok> write_figure(Sheet& sheet, const Window& window, const KpiDefinition& kpi,
                          Figure figure);
  Result<Sheet*> sheet_of(WindowKind kind, Instant start);
  bool is_cleared(Instant start, Instant end) const;
  void remove_stale_rows(Sheet& sheet) const;
  Result<Ok> put_away(std::optional<Instant> done_until);
  Result<Ok> remove_unvisited();

  store::SeriesStore& store_;
  const MeterData& meter_;
  const Calendar& calendar_;
  const Standards& standards_;
  const Touched::Meter& touched_;
  const Instant computed_at_;
  const Pause& pause_;
  Shelf shelf_{store_};
  std::vector<Work> works_;
  std::map<SheetKey, Sheet> sheets_;
  std::set<SheetKey> visited_;
};

}  // namespace district::quantify
