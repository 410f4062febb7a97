#include "quantify/recomputation.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace district::quantify {
namespace {

using namespace std::chrono_literals;
using store::PackedKpi;

constexpr Duration kTick{1};  // of Instant
// Changes of instants that are nearer than this are taken for one.
constexpr Duration kInstantsApart = 2h;

// How long a gap between values gets rows of its own, by kind of window: so long that a gap shows
// where people look for it (an outage over a weekend shows hour by hour), and that no value brings
// more than kGapWindowsMax windows of a kind without a value. It is measured from start to start:
// the ends of overlapping values would make it depend on which of them came first.
constexpr Duration gap_max(WindowKind kind) {
  switch (kind) {
    case WindowKind::hour:
      return 24h * 3;
    case WindowKind::day:
      return 24h * 31;
    case WindowKind::month:
      return 24h * 731;
    default:
      return 24h * 3653;
  }
}

bool by_calendar(WindowKind kind) {
  return kind != WindowKind::baseline && kind != WindowKind::reporting;
}

void add_notes(kpi::Figure& figure, const kpi::Noted& noted) {
  const auto note = [&figure](const char* name, std::size_t count) {
    if (count > 0) figure.attributes.emplace(name, std::to_string(count));
  };
  note("estimated_values", noted.estimated);
  note("excluded_overlaps", noted.excluded);
  note("implausible", noted.implausible);
  note("disputed", noted.disputed);
  // One of two values is wrong, and nobody knows which.
  if (noted.disputed > 0 && figure.status == KpiStatus::complete)
    figure.status = KpiStatus::partial;
}

bool same_value(const PackedKpi& a, const PackedKpi& b) {
  if (!a.value || !b.value) return a.value.has_value() == b.value.has_value();
  return std::bit_cast<std::uint64_t>(*a.value) == std::bit_cast<std::uint64_t>(*b.value);
}

}  // namespace

Result<Ok> Recomputation::run() {
  plan_works();
  for (auto& work : works_) DISTRICT_CHECK(plan(work));
  // The windows of a year, of all families; those of a model behind them.
  while (true) {
    std::optional<kpi::Window> year;
    for (const auto& work : works_) {
      for (const auto& window : work.windows) {
        if (!by_calendar(window.kind)) continue;
        if (!year || window.start < year->start)
          year = calendar_.window(WindowKind::year, window.start);
      }
    }
    if (!year) break;
    for (auto& work : works_) {
      const auto later = std::stable_partition(
          work.windows.begin(), work.windows.end(),
          [&](const kpi::Window& w) { return by_calendar(w.kind) && w.start < year->end; });
      DISTRICT_CHECK(compute(work, {work.windows.begin(), later}));
      work.windows.erase(work.windows.begin(), later);
    }
    shelf_.clear();
    DISTRICT_CHECK(put_away(year->end));
    if (pause_) DISTRICT_CHECK(pause_());
  }
  for (const auto& work : works_) DISTRICT_CHECK(compute(work, work.windows));
  DISTRICT_CHECK(put_away(std::nullopt));
  return touched_.all || touched_.cleared ? remove_unvisited() : Ok{};
}

void Recomputation::plan_works() {
  std::set<std::string_view> given;
  for (auto& inputs : meter_.families()) {
    Work work{std::move(inputs), {}, {}};
    const auto family = work.inputs.family->family;
    for (const auto& kpi : kpi::catalogue())
      if (kpi.family == family && !given.contains(kpi.id)) work.kpis.push_back(&kpi);
    for (const auto* kpi : work.kpis) given.insert(kpi->id);
    works_.push_back(std::move(work));
  }
}

// Where values of a series have changed; all of them, where all windows are computed.
Result<std::vector<series::Stretch>> Recomputation::stretches_of(const Series& series,
                                                                 bool joinable) {
  const auto tolerance = touched_.all ? gap_max(WindowKind::hour)
                         : joinable   ? kInstantsApart
                                      : Duration{};
  series::Stretches stretches(tolerance, gap_max(WindowKind::hour));
  if (touched_.all) {
    DISTRICT_CHECK(
        store_.each_row(series, [&](const std::vector<ValueVersion>& versions) -> Result<Ok> {
          for (const auto& version : versions)
            if (visible(version)) stretches.add(series::stretch_of(version.start, version.end));
          return Ok{};
        }));
  } else if (const auto found = touched_.series.find(series.series_id);
             found != touched_.series.end()) {
    stretches = found->second;  // another family may need them, too
  }
  return stretches.take(tolerance);
}

Result<Ok> Recomputation::plan(Work& work) {
  const auto& family = *work.inputs.family;
  if (family.family == kpi::Family::model) return plan_model(work);
  const auto& first = *work.inputs.inputs.front();
  const bool instants = first.kind == ValueKind::instant || first.kind == ValueKind::reading;
  DISTRICT_TRY(auto stretches, stretches_of(first, instants));
  for (auto& stretch : stretches) {
    if (first.kind == ValueKind::instant) {
      DISTRICT_TRY(const auto until, held_until(first, stretch.last_start));
      stretch.reach = std::max(stretch.end, until);
    }
    DISTRICT_CHECK(add_windows(work, stretch));
  }
  for (std::size_t i = 1; i < family.inputs.size() && !touched_.all; ++i) {
    if (work.inputs.inputs[i] == nullptr) continue;
    DISTRICT_TRY(const auto changed, stretches_of(*work.inputs.inputs[i], true));
    for (auto stretch : changed) {
      stretch.reach = std::max(stretch.end, stretch.reach) + family.inputs[i].acts_on;
      DISTRICT_CHECK(add_existing(work, stretch));
    }
  }
  if (family.family == kpi::Family::register_reading && !touched_.all) {
    for (const auto& predecessor : meter_.predecessors) {
      DISTRICT_TRY(const auto changed, stretches_of(predecessor.registers, true));
      for (auto stretch : changed) {
        if (stretch.start >= predecessor.exchanged_at) continue;  // the register is not ours then
        DISTRICT_TRY(const auto until, differs_until(first));
        stretch.reach = std::max(stretch.reach, until);
        DISTRICT_CHECK(add_existing(work, stretch));
      }
    }
  }
  if (const auto from = meter_.registers_from();
      from && family.family == kpi::Family::register_reading) {
    std::erase_if(work.windows, [from](const kpi::Window& window) { return window.end <= *from; });
  }
  std::sort(work.windows.begin(), work.windows.end());
  work.windows.erase(std::unique(work.windows.begin(), work.windows.end()), work.windows.end());
  return Ok{};
}

// Until when samples up to the last one of a stretch are held, or were before it came.
Result<Instant> Recomputation::held_until(const Series& series, Instant last) {
  const auto end_of = [this](Instant at) {
    return at + kpi::hold_at(meter_.master, standards_, at);
  };
  auto until = end_of(last);
  const auto from = last - kpi::kHoldMax;
  if (meter_.master.constant("nominal_step", from, last + kTick)) return until;
  // The step has changed: one before it may have been held for longer.
  DISTRICT_TRY(const auto versions, store_.versions(series, from, last));
  for (const auto& version : versions)
    if (visible(version)) until = std::max(until, end_of(version.start));
  return until;
}

// The windows that a change in the stretch touches, with the gaps beside it.
Result<Ok> Recomputation::add_windows(Work& work, const series::Stretch& stretch) {
  DISTRICT_TRY(const auto edges, edges_beside(*work.inputs.inputs.front(), stretch));
  const auto last = stretch.reach > stretch.last_start ? stretch.reach - kTick : stretch.reach;
  for (const auto kind : work.inputs.family->windows) {
    const auto add = [&](Instant from, Instant to) {
      for (auto window = calendar_.window(kind, from); window.start <= to;
           window = calendar_.after(window)) {
        work.windows.push_back(window);
      }
    };
    add(stretch.start, last);
    for (std::size_t i = 1; i < edges.size(); ++i) {
      const bool is_gap = edges[i] <= stretch.start || edges[i - 1] >= stretch.last_start;
      if (is_gap && edges[i] - edges[i - 1] <= gap_max(kind)) add(edges[i - 1], edges[i]);
    }
  }
  const bool differs = work.inputs.family->family == kpi::Family::register_reading;
  return differs ? add_differences(work, stretch) : Result<Ok>(Ok{});
}

// In the order of time: the ends of the gaps beside a stretch, and the stretch between them. At an
// exchange both registers were read, whether or not a message says so: it is an end of two gaps.
Result<std::vector<Instant>> Recomputation::edges_beside(const Series& series,
                                                         const series::Stretch& stretch) {
  DISTRICT_TRY(const auto before, store_.value_before(series, stretch.start));
  DISTRICT_TRY(const auto after, store_.value_after(series, stretch.last_start));
  std::vector<Instant> edges = {stretch.start, stretch.last_start};
  if (before) edges.push_back(before->start);
  if (after) edges.push_back(after->start);
  if (series.kind == ValueKind::reading) {
    for (const auto at : meter_.exchanges()) {
      const bool inside = at >= stretch.start && at <= stretch.last_start;
      const bool beyond = (before && at <= before->start) || (after && at >= after->start);
      if (!inside && !beyond) edges.push_back(at);
    }
  }
  std::sort(edges.begin(), edges.end());
  return edges;
}

// A difference changes from the reading before to the one behind, however far apart they are,
// whatever was set aside in between, and whichever meter they are of.
Result<Ok> Recomputation::add_differences(Work& work, const series::Stretch& stretch) {
  if (touched_.all) return Ok{};
  const auto& series = *work.inputs.inputs.front();
  const auto installed = meter_.registers_from(), removed = meter_.registers_to();
  const auto from = std::max(stretch.start, installed.value_or(stretch.start));
  const auto to = std::min(stretch.last_start, removed ? *removed - kTick : stretch.last_start);
  if (from > to) return Ok{};  // all of them are of a time when the register was not the meter's
  series::Shelf shelf(store_);
  // A reading at `from` itself is not the one before it.
  DISTRICT_TRY(const auto readings,
               series::readings_of(store_, shelf, meter_, series, from - kTick, to));
  std::optional<Instant> before, after;
  for (const auto& reading : readings) {
    if (reading.implausible) continue;
    if (reading.at < from) before = reading.at;
    if (reading.at > to && !after) after = reading.at;
  }
  const auto touch = [&](Instant first, Instant last) {
    return add_existing(work, {first, last, last, last});
  };
  if (before) DISTRICT_CHECK(touch(*before, *before));
  if (after) DISTRICT_CHECK(touch(*after, *after));
  DISTRICT_TRY(const auto nearest, store_.value_before(series, stretch.start));
  DISTRICT_TRY(const auto next, store_.value_after(series, stretch.last_start));
  const auto same = [](const std::optional<VisibleValue>& value, const std::optional<Instant>& at) {
    return value.has_value() == at.has_value() && (!value || value->start == *at);
  };
  if (same(nearest, before) && same(next, after)) return Ok{};
  return touch(before.value_or(from), after.value_or(to));
}

// Until where a reading of a meter that this one replaced, directly or not, acts at most: the first
// reading that counts since this one was installed.
Result<Instant> Recomputation::differs_until(const Series& registers) {
  const auto installed = *meter_.registers_from();
  series::Shelf shelf(store_);
  DISTRICT_TRY(const auto readings,
               series::readings_of(store_, shelf, meter_, registers, installed, installed));
  for (const auto& reading : readings)
    if (!reading.implausible && reading.at >= installed) return reading.at + kTick;
  return installed + kTick;
}

// Values of the other inputs change windows, but make none.
Result<Ok> Recomputation::add_existing(Work& work, const series::Stretch& stretch) {
  const auto last = stretch.reach > stretch.last_start ? stretch.reach - kTick : stretch.reach;
  for (const auto kind : work.inputs.family->windows) {
    for (auto window = calendar_.window(kind, stretch.start); window.start <= last;
         window = calendar_.after(window)) {
      DISTRICT_TRY(const bool there, has_rows(work, window));
      if (there) work.windows.push_back(window);
    }
  }
  return Ok{};
}

Result<bool> Recomputation::has_rows(const Work& work, const kpi::Window& window) {
  DISTRICT_TRY(const auto* sheet, sheet_of(window.kind, window.start));
  const auto found = sheet->chunk.windows.find(window.start);
  if (found == sheet->chunk.windows.end()) return false;
  for (const auto& packed : found->second.kpis) {
    DISTRICT_TRY(const auto name, store_.kpi_name(packed.kpi_id));
    for (const auto* kpi : work.kpis)
      if (kpi->id == name.name) return true;
  }
  return false;
}

// A model's windows are stated by master data. The reporting period depends on the baseline, too.
Result<Ok> Recomputation::plan_model(Work& work) {
  const auto window_of = [&](WindowKind kind, const char* attribute) {
    const auto stated = meter_.master.latest(attribute);
    return stated ? calendar_.days(kind, *stated) : std::nullopt;
  };
  const auto baseline = window_of(WindowKind::baseline, "baseline");
  if (!baseline) return Ok{};
  const auto reporting = window_of(WindowKind::reporting, "reporting");
  const auto normal = window_of(WindowKind::baseline, "normal_period");
  const auto cleared = [this](const std::optional<kpi::Window>& window) {
    return window && is_cleared(window->start, window->end);
  };
  bool fit = cleared(baseline), report = cleared(reporting);
  for (const auto* input : work.inputs.inputs) {
    if (input == nullptr || touched_.all) continue;
    DISTRICT_TRY(const auto stretches, stretches_of(*input, true));
    for (const auto& stretch : stretches) {
      const auto touches = [&stretch](const std::optional<kpi::Window>& window) {
        return window && stretch.start < window->end &&
               std::max(stretch.end, stretch.last_start) >= window->start;
      };
      fit = fit || touches(baseline) || touches(normal);
      report = report || touches(reporting);
    }
  }
  if (fit) work.windows.push_back(*baseline);
  if ((fit || report) && reporting) work.windows.push_back(*reporting);
  return Ok{};
}

Result<Ok> Recomputation::compute(const Work& work, std::span<const kpi::Window> windows) {
  if (windows.empty()) return Ok{};
  const auto& family = *work.inputs.family;
  auto from = windows.front().start, to = windows.front().end;
  const auto include = [&](const std::optional<kpi::Window>& window) {
    if (!window) return;
    from = std::min(from, window->start);
    to = std::max(to, window->end);
  };
  for (const auto& window : windows) include(window);
  if (family.family == kpi::Family::model) {
    for (const auto* attribute : {"baseline", "normal_period"}) {
      const auto stated = meter_.master.latest(attribute);
      if (stated) include(calendar_.days(WindowKind::baseline, *stated));
    }
  }
  kpi::Material material{calendar_, meter_.master, standards_, {}, {}, {}};
  material.successor = meter_.successor;
  for (const auto* series : work.inputs.inputs) {
    auto& input = material.inputs.emplace_back();
    if (series == nullptr) continue;
    input.there = true;
    input.longest = series->longest;
    if (family.family == kpi::Family::register_reading) continue;
    DISTRICT_TRY(input.versions,
                 shelf_.get(*series, from - series->longest - family.looks_back, to));
  }
  if (family.family == kpi::Family::register_reading) {
    DISTRICT_TRY(material.readings, series::readings_of(store_, shelf_, meter_,
                                                        *work.inputs.inputs.front(), from, to));
  }
  for (const auto& window : windows) {
    kpi::WindowSummary window_summary;
    window_summary.window = window;
    window_summary.material = &material;
    family.summarise(window_summary);
    DISTRICT_CHECK(write(work, window_summary));
  }
  return Ok{};
}

Result<Ok> Recomputation::write(const Work& work, kpi::WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  DISTRICT_TRY(auto* sheet, sheet_of(window.kind, window.start));
  auto& row = sheet->chunk.windows[window.start];
  if (row.end != window.end) sheet->changed = true;
  row.end = window.end;
  std::set<std::string_view> absent;
  for (const auto* kpi : work.kpis) {
    if (!kpi->has(window.kind)) continue;
    auto figure = kpi->evaluate(window_summary);
    if (!figure.applies) {
      absent.insert(kpi->id);
      continue;
    }
    add_notes(figure, window_summary.noted);
    DISTRICT_CHECK(write_figure(*sheet, window, *kpi, std::move(figure)));
  }
  if (absent.empty()) return Ok{};
  for (auto packed = row.kpis.begin(); packed != row.kpis.end();) {
    DISTRICT_TRY(const auto name, store_.kpi_name(packed->kpi_id));
    const bool gone = absent.contains(name.name);
    sheet->changed = sheet->changed || gone;
    packed = gone ? row.kpis.erase(packed) : packed + 1;
  }
  return Ok{};
}

Result<Ok> Recomputation::write_figure(Sheet& sheet, const kpi::Window& window,
                                       const kpi::KpiDefinition& kpi, kpi::Figure figure) {
  // Values near the largest double may overflow in a sum: no value rather than an infinite one.
  if (figure.value && !std::isfinite(*figure.value)) {
    figure.value.reset();
    figure.attributes.emplace("overflow", "true");
  }
  PackedKpi packed;
  const auto unit = figure.unit.empty() ? std::string(kpi.unit) : figure.unit;
  DISTRICT_TRY(packed.kpi_id, store_.kpi_id(std::string(kpi.id), unit));
  packed.value = figure.value;
  packed.completeness = figure.completeness;
  packed.status = figure.status;
  packed.computed_at = computed_at_;
  packed.attributes.assign(figure.attributes.begin(), figure.attributes.end());
  if (is_cleared(window.start, window.end)) sheet.fresh.emplace(window.start, packed.kpi_id);

  auto& row = sheet.chunk.windows[window.start].kpis;
  auto place = std::partition_point(
      row.begin(), row.end(), [&](const PackedKpi& other) { return other.kpi_id < packed.kpi_id; });
  const bool there = place != row.end() && place->kpi_id == packed.kpi_id;
  if (there && place->says_the_same(packed)) return Ok{};
  sheet.changed = true;
  if (there) {
    packed.revision = place->revision + (same_value(*place, packed) ? 0 : 1);
    *place = std::move(packed);
    return Ok{};
  }
  // In another unit it is the same KPI still.
  for (auto other = row.begin(); other != row.end() && kpi.unit.empty(); ++other) {
    DISTRICT_TRY(const auto name, store_.kpi_name(other->kpi_id));
    if (name.name != kpi.id) continue;
    packed.revision = other->revision + (same_value(*other, packed) ? 0 : 1);
    row.erase(other);
    break;
  }
  place = std::partition_point(
      row.begin(), row.end(), [&](const PackedKpi& other) { return other.kpi_id < packed.kpi_id; });
  row.insert(place, std::move(packed));
  return Ok{};
}

Result<Recomputation::Sheet*> Recomputation::sheet_of(WindowKind kind, Instant start) {
  const SheetKey key(kind, store::kpi_chunk_of(kind, start));
  if (const auto found = sheets_.find(key); found != sheets_.end()) return &found->second;
  Sheet sheet;
  DISTRICT_TRY(sheet.chunk, store_.kpi_chunk(meter_.meter_id, key.first, key.second));
  visited_.insert(key);
  return &sheets_.emplace(key, std::move(sheet)).first->second;
}

// Writes the sheets to which no window of a later year belongs; without an instant, all.
Result<Ok> Recomputation::put_away(std::optional<Instant> done_until) {
  for (auto at = sheets_.begin(); at != sheets_.end();) {
    const auto& key = at->first;
    auto& sheet = at->second;  // no structured binding: clang 14 lets no lambda capture one
    if (done_until &&
        (!by_calendar(key.first) || key.second >= store::kpi_chunk_of(key.first, *done_until))) {
      ++at;
      continue;
    }
    remove_stale_rows(sheet);
    if (sheet.changed) DISTRICT_CHECK(store_.put_kpi_chunk(meter_.meter_id, sheet.chunk));
    at = sheets_.erase(at);
  }
  return Ok{};
}

Result<Ok> Recomputation::remove_unvisited() {
  DISTRICT_TRY(const auto chunks, store_.kpi_chunks(meter_.meter_id));
  for (const auto& [kind, chunk] : chunks) {
    if (visited_.contains({kind, chunk})) continue;
    Sheet sheet;
    DISTRICT_TRY(sheet.chunk, store_.kpi_chunk(meter_.meter_id, kind, chunk));
    remove_stale_rows(sheet);
    if (sheet.changed) DISTRICT_CHECK(store_.put_kpi_chunk(meter_.meter_id, sheet.chunk));
  }
  return Ok{};
}

// Whatever of the window is not computed now is not to be.
bool Recomputation::is_cleared(Instant start, Instant end) const {
  const auto& cleared = touched_.cleared;
  return touched_.all || (cleared && start < cleared->second && end > cleared->first);
}

// Rows that would not be there had all that is known been known from the start.
void Recomputation::remove_stale_rows(Sheet& sheet) const {
  for (auto row = sheet.chunk.windows.begin(); row != sheet.chunk.windows.end();) {
    if (is_cleared(row->first, row->second.end)) {
      sheet.changed |= std::erase_if(row->second.kpis, [&](const PackedKpi& kpi) {
                         return !sheet.fresh.contains({row->first, kpi.kpi_id});
                       }) > 0;
    }
    row = row->second.kpis.empty() ? sheet.chunk.windows.erase(row) : std::next(row);
  }
}

}  // namespace district::quantify
