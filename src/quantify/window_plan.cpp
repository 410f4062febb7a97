#include "quantify/window_plan.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>
#include <utility>

namespace district::quantify {
namespace {

using namespace std::chrono_literals;

constexpr Duration kTick{1};  // of Instant
// Changes of instants that are nearer to each other than this are taken for one.
constexpr Duration kInstantsApart = 2h;

// A gap between values has rows of its own up to this length, by kind of window. It is so long that
// a gap shows where people look for it: an outage over a weekend shows hour by hour. It is so short
// that no value adds more than kGapWindowsMax windows of a kind that have no value. It is measured
// from start to start; the ends of overlapping values would make it depend on which of them came
// first.
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

}  // namespace

Result<std::vector<FamilyWindows>> WindowPlan::make() {
  std::vector<FamilyWindows> all;
  std::set<std::string_view> given;
  for (auto& inputs : meter_.families()) {
    FamilyWindows planned{std::move(inputs), {}, {}};
    const auto family = planned.inputs.family->family;
    for (const auto& kpi : kpi::catalogue())
      if (kpi.family == family && !given.contains(kpi.id)) planned.kpis.push_back(&kpi);
    for (const auto* kpi : planned.kpis) given.insert(kpi->id);
    DISTRICT_CHECK(plan(planned));
    all.push_back(std::move(planned));
  }
  return all;
}

Result<Ok> WindowPlan::plan(FamilyWindows& planned) {
  const auto& family = *planned.inputs.family;
  if (family.family == kpi::Family::model) return plan_model(planned);
  const auto& first = *planned.inputs.inputs.front();
  const bool instants = first.kind == ValueKind::instant || first.kind == ValueKind::reading;
  DISTRICT_TRY(auto stretches, stretches_of(first, instants));
  for (auto& stretch : stretches) {
    if (first.kind == ValueKind::instant) {
      DISTRICT_TRY(const auto until, held_until(first, stretch.last_start));
      stretch.reach = std::max(stretch.end, until);
    }
    DISTRICT_CHECK(add_windows(planned, stretch));
  }
  for (std::size_t i = 1; i < family.inputs.size() && !touched_.all; ++i) {
    if (planned.inputs.inputs[i] == nullptr) continue;
    DISTRICT_TRY(const auto changed, stretches_of(*planned.inputs.inputs[i], true));
    for (auto stretch : changed) {
      stretch.reach = std::max(stretch.end, stretch.reach) + family.inputs[i].acts_on;
      DISTRICT_CHECK(add_existing(planned, stretch));
    }
  }
  const bool of_registers = family.family == kpi::Family::register_reading;
  if (of_registers && !touched_.all) DISTRICT_CHECK(add_predecessors(planned));
  if (const auto from = meter_.registers_from(); from && of_registers) {
    std::erase_if(planned.windows,
                  [from](const kpi::Window& window) { return window.end <= *from; });
  }
  std::sort(planned.windows.begin(), planned.windows.end());
  planned.windows.erase(std::unique(planned.windows.begin(), planned.windows.end()),
                        planned.windows.end());
  return Ok{};
}

// The times at which values of a series have changed. When all windows are computed, the times of
// all values.
Result<std::vector<series::Stretch>> WindowPlan::stretches_of(const Series& series, bool joinable) {
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

// Until when the samples of a stretch are held at most, or samples before them were held until they
// came.
Result<Instant> WindowPlan::held_until(const Series& series, Instant last) {
  const auto end_of = [this](Instant at) {
    return at + kpi::hold_at(meter_.master, standards_, at);
  };
  auto until = end_of(last);
  const auto from = last - kpi::kHoldMax;
  if (meter_.master.constant("nominal_step", from, last + kTick)) return until;
  // The nominal step has changed, so an earlier sample may be held for longer than the last one.
  DISTRICT_TRY(const auto versions, shelf_.get(series, from, last));
  auto version = std::partition_point(versions.begin(), versions.end(),
                                      [from](const auto& other) { return other.start < from; });
  for (; version != versions.end() && version->start <= last; ++version)
    if (visible(*version)) until = std::max(until, end_of(version->start));
  return until;
}

// Adds the windows that a change in the stretch touches, and those in the gaps beside it.
Result<Ok> WindowPlan::add_windows(FamilyWindows& planned, const series::Stretch& stretch) {
  DISTRICT_TRY(const auto edges, edges_beside(*planned.inputs.inputs.front(), stretch));
  const auto last = stretch.reach > stretch.last_start ? stretch.reach - kTick : stretch.reach;
  for (const auto kind : planned.inputs.family->windows) {
    const auto add = [&](Instant from, Instant to) {
      for (auto window = calendar_.window(kind, from); window.start <= to;
           window = calendar_.after(window)) {
        planned.windows.push_back(window);
      }
    };
    add(stretch.start, last);
    for (std::size_t i = 1; i < edges.size(); ++i) {
      const bool is_gap = edges[i] <= stretch.start || edges[i - 1] >= stretch.last_start;
      if (is_gap && edges[i] - edges[i - 1] <= gap_max(kind)) add(edges[i - 1], edges[i]);
    }
  }
  const bool of_registers = planned.inputs.family->family == kpi::Family::register_reading;
  return of_registers ? add_differences(planned, stretch) : Result<Ok>(Ok{});
}

// The ends of the gaps beside a stretch, and of the stretch itself, by time. An exchange of the
// meter ends one gap and begins another: both registers were read then, whether or not a message
// says so.
Result<std::vector<Instant>> WindowPlan::edges_beside(const Series& series,
                                                      const series::Stretch& stretch) {
  using enum store::SeriesReader::Sought;
  DISTRICT_CHECK(shelf_.get(series, stretch.start, stretch.start));
  DISTRICT_TRY(const auto before, shelf_.before(series, stretch.start, visible));
  DISTRICT_TRY(const auto after, shelf_.after(series, stretch.last_start, visible));
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

// Consumption is the difference of two readings. So a change acts from the reading before the
// stretch to the one after it, however far away they are, whatever was set aside in between, and
// whichever meter they are of.
Result<Ok> WindowPlan::add_differences(FamilyWindows& planned, const series::Stretch& stretch) {
  if (touched_.all) return Ok{};
  const auto& series = *planned.inputs.inputs.front();
  const auto installed = meter_.registers_from(), removed = meter_.registers_to();
  const auto from = std::max(stretch.start, installed.value_or(stretch.start));
  const auto to = std::min(stretch.last_start, removed ? *removed - kTick : stretch.last_start);
  if (from > to) return Ok{};  // the meter was not in place then
  // One tick earlier, because a reading at `from` itself is not the one before it.
  DISTRICT_TRY(const auto readings, series::readings_of(shelf_, meter_, series, from - kTick, to));
  std::optional<Instant> before, after;
  for (const auto& reading : readings) {
    if (reading.implausible) continue;
    if (reading.at < from) before = reading.at;
    if (reading.at > to && !after) after = reading.at;
  }
  const auto touch = [&](Instant first, Instant last) {
    return add_existing(planned, {first, last, last, last});
  };
  if (before) DISTRICT_CHECK(touch(*before, *before));
  if (after) DISTRICT_CHECK(touch(*after, *after));
  using enum store::SeriesReader::Sought;
  DISTRICT_TRY(const auto nearest, shelf_.before(series, stretch.start, visible));
  DISTRICT_TRY(const auto next, shelf_.after(series, stretch.last_start, visible));
  const auto same = [](const std::optional<VisibleValue>& value, const std::optional<Instant>& at) {
    return value.has_value() == at.has_value() && (!value || value->start == *at);
  };
  if (same(nearest, before) && same(next, after)) return Ok{};
  return touch(before.value_or(from), after.value_or(to));
}

// Readings of the meters that this one replaced act on the windows of the exchange.
Result<Ok> WindowPlan::add_predecessors(FamilyWindows& planned) {
  const auto& registers = *planned.inputs.inputs.front();
  for (const auto& predecessor : meter_.predecessors) {
    DISTRICT_TRY(const auto changed, stretches_of(predecessor.registers, true));
    for (auto stretch : changed) {
      if (stretch.start >= predecessor.exchanged_at) continue;  // no reading of it counts any more
      DISTRICT_TRY(const auto until, differs_until(registers));
      stretch.reach = std::max(stretch.reach, until);
      DISTRICT_CHECK(add_existing(planned, stretch));
    }
  }
  return Ok{};
}

// Readings of a meter that this one replaced, directly or not, act at most until here: the first
// reading that counts since this one was installed.
Result<Instant> WindowPlan::differs_until(const Series& registers) {
  const auto installed = *meter_.registers_from();
  DISTRICT_TRY(const auto readings,
               series::readings_of(shelf_, meter_, registers, installed, installed));
  for (const auto& reading : readings)
    if (!reading.implausible && reading.at >= installed) return reading.at + kTick;
  return installed + kTick;
}

// Values of the other inputs change windows that exist, but add none.
Result<Ok> WindowPlan::add_existing(FamilyWindows& planned, const series::Stretch& stretch) {
  const auto last = stretch.reach > stretch.last_start ? stretch.reach - kTick : stretch.reach;
  for (const auto kind : planned.inputs.family->windows) {
    for (auto window = calendar_.window(kind, stretch.start); window.start <= last;
         window = calendar_.after(window)) {
      DISTRICT_TRY(const bool there, rows_.has_any(planned.kpis, window));
      if (there) planned.windows.push_back(window);
    }
  }
  return Ok{};
}

// Master data state the windows of a model. The reporting period depends on the baseline, too.
Result<Ok> WindowPlan::plan_model(FamilyWindows& planned) {
  const auto window_of = [&](WindowKind kind, const char* attribute) {
    const auto stated = meter_.master.latest(attribute);
    return stated ? calendar_.days(kind, *stated) : std::nullopt;
  };
  const auto baseline = window_of(WindowKind::baseline, "baseline");
  if (!baseline) return Ok{};
  const auto reporting = window_of(WindowKind::reporting, "reporting");
  const auto normal = window_of(WindowKind::baseline, "normal_period");
  const auto cleared = [this](const std::optional<kpi::Window>& window) {
    return window && touched_.is_cleared(window->start, window->end);
  };
  bool fit = cleared(baseline), report = cleared(reporting);
  for (const auto* input : planned.inputs.inputs) {
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
  if (fit) planned.windows.push_back(*baseline);
  if ((fit || report) && reporting) planned.windows.push_back(*reporting);
  return Ok{};
}

}  // namespace district::quantify
