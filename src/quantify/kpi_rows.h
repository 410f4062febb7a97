// The stored KPI values of one meter while some of them are computed again. They are read and
// written in the chunks that the database keeps, and each chunk is written only when a value in it
// has changed.
// Private to quantify/. Inside the caller's transaction. Threads: one at a time.
// Errors of every function: archive_unavailable, archive_corrupt.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "kpi/calendar.h"
#include "kpi/catalogue.h"
#include "series/touched.h"
#include "store/series_writer.h"

namespace district::quantify {

struct ComputedKpi {
  const kpi::KpiDefinition* definition = nullptr;
  kpi::Figure figure;
};

class KpiRows {
 public:
  // Keeps references to `store` and `touched`.
  KpiRows(store::SeriesWriter& store, std::int64_t meter_id, const series::Touched::Meter& touched,
          Instant computed_at)
      : store_(store), meter_id_(meter_id), touched_(touched), computed_at_(computed_at) {}

  // Whether a value of any of these KPIs is stored for the window.
  Result<bool> has_any(std::span<const kpi::KpiDefinition* const> kpis, const kpi::Window& window);
  // Stores the figures of a window. A KPI whose figure does not apply has no value any more. The
  // revision of a value rises only when its number changes.
  Result<Ok> put(const kpi::Window& window, std::vector<ComputedKpi> computed);
  // Writes the chunks to which no window after `done_until` belongs, and forgets them.
  Result<Ok> write_until(Instant done_until);
  // Writes all that is left. Where windows were cleared, it removes what was not computed again,
  // also in chunks that nothing has asked for.
  Result<Ok> write_rest();

 private:
  // A chunk in memory.
  struct Loaded {
    store::KpiChunk chunk;
    // The values in cleared windows that have been computed now, by start of the window and kpi_id.
    std::set<std::pair<Instant, std::int64_t>> fresh;
    bool changed = false;
  };
  using ChunkKey = std::pair<WindowKind, std::int64_t>;

  Result<Loaded*> load(WindowKind kind, Instant start);
  Result<Ok> put_figure(Loaded& loaded, const kpi::Window& window, const kpi::KpiDefinition& kpi,
                        kpi::Figure figure);
  Result<Ok> remove(Loaded& loaded, Instant start, const std::set<std::string_view>& absent);
  void remove_stale_rows(Loaded& loaded) const;
  Result<Ok> write(std::optional<Instant> done_until);
  Result<Ok> write(Loaded& loaded);
  Result<Ok> remove_unvisited();

  store::SeriesWriter& store_;
  const std::int64_t meter_id_;
  const series::Touched::Meter& touched_;
  const Instant computed_at_;
  std::map<ChunkKey, Loaded> loaded_;
  std::set<ChunkKey> visited_;
};

}  // namespace district::quantify
