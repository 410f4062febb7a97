#include "quantify/engine.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <tuple>

#include "observe/events.h"
#include "quantify/catalogue.h"
#include "quantify/evidence.h"
#include "quantify/master_data.h"
#include "quantify/supersession.h"
#include "quantify/units.h"

namespace district::quantify {
namespace {

using store::MeasurementState;
using store::Origin;
using store::Series;
using store::SeriesStore;
using store::Value;
using store::Version;
using namespace std::chrono_literals;

// A value outside these bounds is kept, but no window is computed for it: one message must not make
// the server compute windows by the million.
constexpr Duration kIntervalMax = 24h * 32;  // a month and an hour
constexpr Duration kAheadMax = 24h * 7;      // of receipt: prices and forecasts of the next days
constexpr Instant kEarliest{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
constexpr Duration kHoldMax = 24h * 2;  // twice the longest nominal step

// How long a gap between values gets rows of its own, by kind of window. It is measured from start
// to start: the ends of overlapping values would make it depend on which of them came first.
constexpr Duration gap_max(WindowKind kind) {
  switch (kind) {
    case WindowKind::hour:
      return 24h * 31;
    case WindowKind::day:
      return 24h * 366;
    case WindowKind::month:
      return 24h * 3653;
  }
  return {};
}

constexpr WindowKind kWindowKinds[] = {WindowKind::hour, WindowKind::day, WindowKind::month};
constexpr Duration kTick{1};  // of Instant
constexpr std::size_t kVersionsAtOnce = 4096;

bool lasts(ValueKind kind) { return kind == ValueKind::interval || kind == ValueKind::mean; }

bool usable(const Observation& observation, Instant received_at) {
  const auto length = observation.end - observation.start;
  if (lasts(observation.kind) ? length <= Duration{} || length > kIntervalMax
                              : length != Duration{})
    return false;
  return observation.start >= kEarliest && observation.end <= received_at + kAheadMax;
}

bool is_input(const Input& input, const Series& series) {
  return input.quantity == series.quantity && input.kind == series.kind &&
         input.unit == series.unit;
}

bool begins_a_family(const Series& series) {
  return std::any_of(families().begin(), families().end(),
                     [&](const auto& family) { return is_input(family.inputs.front(), series); });
}

bool matters(const MasterFact& fact) {
  return std::any_of(families().begin(), families().end(), [&](const auto& family) {
    return std::find(family.facts.begin(), family.facts.end(), fact.attribute) !=
           family.facts.end();
  });
}

auto first_from(const std::vector<Value>& values, Instant at) {
  return std::lower_bound(
      values.begin(), values.end(), at,
      [](const Value& value, Instant instant) { return value.start < instant; });
}

}  // namespace

// Windows in a gap have rows for as long as gap_max(hour) in any case: so far apart, changes may be
// taken for one.
Touched::Series::Series()
    : written(24h, gap_max(WindowKind::hour)), changed(0h, gap_max(WindowKind::hour)) {}

// The recomputation of one meter inside one transaction.
struct Engine::Run {
  SeriesStore store;
  const std::int64_t meter_id;
  const MeterKey meter;
  const Calendar calendar;
  const MasterData master;
  const Instant computed_at;
  Touched::Meter& touched;
  const Pause& pause;
  std::vector<Series> series{};
  std::set<std::string_view> given{};  // KPIs of families done so far
  // Of the families done so far, filled only when all windows are computed.
  std::map<Family, std::vector<Window>> computed{};

  // A family with this meter's series for its inputs, in their order; nullptr: there is none.
  struct Work {
    const FamilyDefinition& family;
    std::vector<const Series*> inputs;
    bool holds() const { return family.family == Family::instant_power; }
    bool differences() const { return family.family == Family::register_reading; }
  };

  Result<Ok> compute_family(const FamilyDefinition& family);
  Result<std::vector<Stretch>> stretches(const Work& work);
  Result<std::vector<Window>> windows(const Work& work, const std::vector<Stretch>& stretches);
  Result<Ok> compute_months(const Work& work, std::span<const Window> windows);
  Result<Ok> compute_windows(const Work& work, const std::vector<Window>& windows);
  Result<std::vector<std::vector<Value>>> load(const Work& work, Instant from, Instant to);
  Evidence evidence(const Work& work, const Window& window,
                    const std::vector<std::vector<Value>>& values) const;
  Result<Ok> write(const KpiDefinition& definition, const Evidence& evidence);
  bool is_computed(const SeriesStore::KpiRow& row) const;
  Result<Ok> remove_stale();
};

// Where the family's values have changed, or all of them are.
Result<std::vector<Stretch>> Engine::Run::stretches(const Work& work) {
  const auto hold = [&](Stretch& stretch) {
    // The last one's hold: those before it are held until the next one at most.
    stretch.reach = std::max(stretch.end, stretch.last_start + hold_at(master, stretch.last_start));
  };
  // When all values are there, everything between them that gets rows at all is touched anyway.
  const bool instants = work.holds() || work.differences();
  const auto tolerance = touched.all ? gap_max(WindowKind::hour) : Duration(instants ? 2h : 0h);
  std::vector<Stretch> result;
  for (const auto* input : work.inputs) {
    if (input == nullptr) continue;
    Stretches of_input(tolerance, gap_max(WindowKind::hour));
    if (touched.all) {
      DISTRICT_CHECK(store.each_value(input->series_id, [&](const Value& value) {
        of_input.add(stretch_of(value.start, value.end));
      }));
    } else if (const auto found = touched.series.find(input->series_id);
               found != touched.series.end()) {
      of_input = found->second.changed;  // another family may need them, too
    }
    const auto taken = of_input.take(tolerance);
    result.insert(result.end(), taken.begin(), taken.end());
  }
  if (work.holds()) std::for_each(result.begin(), result.end(), hold);
  return joined(std::move(result), tolerance);
}

// The windows that a change in the stretches touches, with the gaps beside them. Sorted, each once.
Result<std::vector<Window>> Engine::Run::windows(const Work& work,
                                                 const std::vector<Stretch>& stretches) {
  std::vector<Window> result;
  for (const auto& stretch : stretches) {
    std::optional<Value> before, after;
    for (const auto* input : work.inputs) {
      if (input == nullptr) continue;
      DISTRICT_TRY(const auto previous, store.value_before(input->series_id, stretch.start));
      if (previous && (!before || previous->start > before->start)) before = previous;
      DISTRICT_TRY(const auto next, store.value_after(input->series_id, stretch.last_start));
      if (next && (!after || next->start < after->start)) after = next;
    }
    const auto last = stretch.reach > stretch.last_start ? stretch.reach - kTick : stretch.reach;
    for (const auto kind : kWindowKinds) {
      const bool join_before = before && stretch.start - before->start <= gap_max(kind);
      const bool join_after = after && after->start - stretch.last_start <= gap_max(kind);
      const auto from = join_before ? before->start : stretch.start;
      const auto to = join_after ? std::max(after->start, last) : last;
      for (auto window = calendar.window(kind, from); window.start <= to;
           window = calendar.after(window)) {
        result.push_back(window);
      }
      // A difference changes at both of its readings, however far apart they are.
      if (work.differences() && before) result.push_back(calendar.window(kind, before->start));
      if (work.differences() && after) result.push_back(calendar.window(kind, after->start));
    }
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

Result<Ok> Engine::Run::compute_family(const FamilyDefinition& family) {
  Work work{family, {}};
  for (const auto& input : family.inputs) {
    const auto found = std::find_if(series.begin(), series.end(),
                                    [&](const Series& s) { return is_input(input, s); });
    work.inputs.push_back(found == series.end() ? nullptr : &*found);
  }
  if (work.inputs.front() == nullptr) return Ok{};
  DISTRICT_TRY(const auto where, stretches(work));
  DISTRICT_TRY(auto touched_windows, windows(work, where));
  DISTRICT_CHECK(compute_months(work, touched_windows));
  if (touched.all) computed.emplace(family.family, std::move(touched_windows));
  for (const auto& definition : catalogue()) {
    if (definition.family == family.family) given.insert(definition.id);
  }
  return Ok{};
}

// Month by month, so that the values of a month are read once and memory stays small.
Result<Ok> Engine::Run::compute_months(const Work& work, std::span<const Window> windows) {
  // Each kind's windows are in the order of time, one kind behind the other.
  std::vector<std::span<const Window>> kinds;
  for (const auto kind : kWindowKinds) {
    const auto end = std::find_if(windows.begin(), windows.end(),
                                  [kind](const auto& window) { return window.kind != kind; });
    kinds.emplace_back(windows.begin(), end);
    windows = {end, windows.end()};
  }
  while (true) {
    std::optional<Window> month;
    for (const auto& of_kind : kinds) {
      if (of_kind.empty()) continue;
      const auto next = calendar.window(WindowKind::month, of_kind.front().start);
      if (!month || next.start < month->start) month = next;
    }
    if (!month) return Ok{};
    std::vector<Window> of_month;
    for (auto& of_kind : kinds) {
      const auto end = std::find_if(of_kind.begin(), of_kind.end(),
                                    [&](const auto& window) { return window.start >= month->end; });
      of_month.insert(of_month.end(), of_kind.begin(), end);
      of_kind = {end, of_kind.end()};
    }
    DISTRICT_CHECK(compute_windows(work, of_month));
    if (pause) DISTRICT_CHECK(pause());
  }
}

Result<std::vector<std::vector<Value>>> Engine::Run::load(const Work& work, Instant from,
                                                          Instant to) {
  std::vector<std::vector<Value>> loaded;
  for (const auto* input : work.inputs) {
    auto& values = loaded.emplace_back();
    if (input == nullptr) continue;
    const auto reach = work.holds() ? kHoldMax : input->longest;
    DISTRICT_TRY(values, store.values(input->series_id, from - reach, to));
    if (!work.differences()) continue;
    DISTRICT_TRY(const auto before, store.value_before(input->series_id, from));
    if (before) values.insert(values.begin(), *before);
    DISTRICT_TRY(const auto after, store.value_after(input->series_id, to));
    if (after) values.push_back(*after);
  }
  return loaded;
}

Evidence Engine::Run::evidence(const Work& work, const Window& window,
                               const std::vector<std::vector<Value>>& values) const {
  Evidence result;
  result.window = window;
  // From the last value that starts at or before the window.
  const auto span = [&](std::size_t input, Duration reach, bool one_before, bool one_after) {
    const auto& all_values = values[input];
    auto first = first_from(all_values, window.start - reach);
    auto last = first_from(all_values, window.end);
    if (one_before && first != all_values.begin()) --first;
    if (one_after && last != all_values.end()) ++last;
    return std::span<const Value>(first, last);
  };
  switch (work.family.family) {
    case Family::interval_energy: {
      const auto reach = [&](std::size_t i) {
        return work.inputs[i] == nullptr ? Duration{} : work.inputs[i]->longest;
      };
      result.energy = summarise_energy(window, span(0, reach(0), false, false),
                                       span(1, reach(1), false, false), calendar);
      break;
    }
    case Family::instant_power:
      result.power = summarise_power(window, span(0, {}, true, false), master, calendar);
      break;
    case Family::register_reading:
      result.registers = summarise_register(window, span(0, {}, true, true), master);
      break;
  }
  return result;
}

Result<Ok> Engine::Run::compute_windows(const Work& work, const std::vector<Window>& windows) {
  auto from = windows.front().start, to = windows.front().end;
  for (const auto& window : windows) {
    from = std::min(from, window.start);
    to = std::max(to, window.end);
  }
  DISTRICT_TRY(const auto values, load(work, from, to));
  for (const auto& window : windows) {
    const auto found = evidence(work, window, values);
    for (const auto& definition : catalogue()) {
      const bool ours = definition.family == work.family.family && definition.has(window.kind);
      if (ours && !given.contains(definition.id)) DISTRICT_CHECK(write(definition, found));
    }
  }
  return Ok{};
}

Result<Ok> Engine::Run::write(const KpiDefinition& definition, const Evidence& evidence) {
  auto figure = definition.evaluate(evidence);
  KpiValue kpi;
  kpi.meter = meter;
  kpi.kpi = definition.id;
  kpi.window = evidence.window.kind;
  kpi.start = evidence.window.start;
  kpi.end = evidence.window.end;
  // Values near the largest double may overflow in a sum: no value rather than an infinite one.
  if (figure.value && !std::isfinite(*figure.value)) {
    figure.value.reset();
    figure.attributes.emplace("overflow", "true");
  }
  kpi.value = figure.value;
  kpi.unit = figure.unit.empty() ? std::string(definition.unit) : std::move(figure.unit);
  kpi.completeness = figure.completeness;
  kpi.status = figure.status;
  kpi.computed_at = computed_at;
  kpi.attributes = std::move(figure.attributes);
  return store.put_kpi(meter_id, kpi);
}

// By the first of the families, in the order of precedence, that has a KPI of this name.
bool Engine::Run::is_computed(const SeriesStore::KpiRow& row) const {
  for (const auto& family : families()) {
    const auto windows = computed.find(family.family);
    if (windows == computed.end()) continue;
    for (const auto& definition : catalogue()) {
      if (definition.family != family.family || definition.id != row.kpi) continue;
      const auto before = [](const Window& a, const Window& b) {
        return std::tie(a.kind, a.start) < std::tie(b.kind, b.start);
      };
      return definition.has(row.window) &&
             std::binary_search(windows->second.begin(), windows->second.end(),
                                Window{row.window, row.start, row.start}, before);
    }
  }
  return false;
}

// Rows that would not be there had the master data been known from the start.
Result<Ok> Engine::Run::remove_stale() {
  std::vector<SeriesStore::KpiRow> stale;
  DISTRICT_CHECK(store.each_kpi_row(meter_id, [&](const SeriesStore::KpiRow& row) {
    if (!is_computed(row)) stale.push_back(row);
  }));
  for (const auto& row : stale) {
    DISTRICT_CHECK(store.remove_kpi(meter_id, row.window, row.start, row.kpi));
  }
  return Ok{};
}

Result<Calendar> Engine::calendar_of(const std::string& tenant,
                                     const std::optional<std::string>& declared) {
  const auto known = [this](const std::string& zone) -> Result<Calendar> {
    if (const auto found = calendars_.find(zone); found != calendars_.end()) return found->second;
    DISTRICT_TRY(const auto calendar, Calendar::of(zone));
    calendars_.emplace(zone, calendar);
    return calendar;
  };
  if (declared) {
    if (auto calendar = known(*declared)) return calendar;
    observe::emit(observe::Level::warning, "zone_unknown",
                  {{"tenant", tenant}, {"zone", *declared}});
  }
  const auto zone = zone_of_(tenant);
  if (!zone)
    return fail(ErrorCode::quantify_failed, "no tenant " + tenant + ", so no time zone",
                "districtctl tenant list");
  return known(*zone);
}

Result<Ok> Engine::check(const Batch& batch) {
  if (batch.observations.empty() && batch.master_facts.empty()) return Ok{};
  using Key = std::tuple<std::uint32_t, std::string_view, std::string_view, std::string_view,
                         ValueKind, Instant, Instant>;
  std::vector<Key> keys;
  for (const auto& o : batch.observations) {
    if (!std::isfinite(o.value)) {
      return fail(ErrorCode::quantify_failed,
                  "message " + std::to_string(o.message_index) + ": the value is not finite");
    }
    keys.emplace_back(o.message_index, o.source, o.meter, o.quantity, o.kind, o.start, o.end);
  }
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) {
    return fail(ErrorCode::quantify_failed,
                "message " + std::to_string(std::get<0>(*twice)) +
                    " has two values of one quantity for the same time");
  }
  DISTRICT_CHECK(calendar_of(batch.tenant, std::nullopt));
  return Ok{};
}

Result<Ok> Engine::ingest(const Batch& batch, const Origin& origin, Touched& touched) {
  if (batch.observations.empty() && batch.master_facts.empty()) return Ok{};
  DISTRICT_CHECK(check(batch));
  SeriesStore store(db_);
  std::optional<Instant> first, last;
  for (const auto& observation : batch.observations) {
    first = std::min(first.value_or(observation.start), observation.start);
    last = std::max(last.value_or(observation.start), observation.start);
  }
  DISTRICT_CHECK(store.put_origin(origin, batch.tenant, first, last));

  std::map<std::pair<std::string, std::string>, std::int64_t> meters;
  const auto meter_of = [&](const std::string& source,
                            const std::string& meter) -> Result<std::int64_t> {
    const auto key = std::pair(source, meter);
    if (const auto found = meters.find(key); found != meters.end()) return found->second;
    DISTRICT_TRY(const auto id, store.meter_id({batch.tenant, source, meter}));
    meters.emplace(key, id);
    return id;
  };

  std::map<std::tuple<std::int64_t, std::string, ValueKind, std::string>, Series> known;
  for (auto observation : batch.observations) {
    DISTRICT_TRY(const auto meter_id, meter_of(observation.source, observation.meter));
    const auto converted = conversion(observation.quantity, observation.unit);
    if (converted) {
      observation.unit = converted->unit;
      observation.value *= converted->factor;
    }
    // Whether the source is known is a matter of when one asks: master data may come later.
    observation.flags &= ~static_cast<std::uint32_t>(flag_unknown_source);
    auto& meter = touched.meters_[meter_id];
    meter.tenant = batch.tenant;
    const auto key = std::tuple(meter_id, observation.quantity, observation.kind, observation.unit);
    auto found = known.find(key);
    if (found == known.end()) {
      DISTRICT_TRY(auto made, store.series(meter_id, observation));
      if (made.is_new && begins_a_family(made.series)) meter.all = true;
      found = known.emplace(key, std::move(made.series)).first;
    }
    auto& series = found->second;
    const bool use =
        converted && std::isfinite(observation.value) && usable(observation, origin.received_at);
    const auto state = use ? MeasurementState::pending : MeasurementState::unusable;
    DISTRICT_TRY(const bool is_new,
                 store.put_measurement(series.series_id, origin, observation, state));
    if (!use) continue;
    // Ingested before, by a recomputation that may have broken off: what it did is not known.
    if (!is_new) meter.all = true;
    if (observation.end - observation.start > series.longest) {
      series.longest = observation.end - observation.start;
      DISTRICT_CHECK(store.put_longest(series.series_id, series.longest));
    }
    meter.series[series.series_id].written.add(stretch_of(observation.start, observation.end));
  }

  std::map<std::int64_t, std::vector<const MasterFact*>> facts;
  for (const auto& fact : batch.master_facts) {
    DISTRICT_TRY(const auto meter_id, meter_of(fact.source, fact.meter));
    facts[meter_id].push_back(&fact);
  }
  for (const auto& [meter_id, of_meter] : facts) {
    DISTRICT_TRY(const auto before, store.facts(meter_id));
    bool relevant = false;
    for (const auto* fact : of_meter) {
      DISTRICT_CHECK(store.put_fact(meter_id, *fact, origin));
      relevant = relevant || matters(*fact);
    }
    if (!relevant) continue;
    DISTRICT_TRY(const auto after, store.facts(meter_id));
    const bool again = std::any_of(before.begin(), before.end(), [&](const auto& stored) {
      return stored.origin.leaf_index == origin.leaf_index;
    });
    if (!again && MasterData(before).says_the_same(MasterData(after))) continue;
    touched.meters_[meter_id].tenant = batch.tenant;
    touched.meters_[meter_id].all = true;
  }
  return Ok{};
}

// Settles what overlaps the values written, and notes where those that count have changed.
Result<Ok> Engine::settle_series(const Series& series, Touched::Meter& meter) {
  const auto touched = meter.series.find(series.series_id);
  if (touched == meter.series.end()) return Ok{};
  SeriesStore store(db_);
  const auto counts = [](MeasurementState state) {
    return state == MeasurementState::current || state == MeasurementState::excluded;
  };
  for (const auto& stretch : touched->second.written.take(24h)) {
    // Part by part: what a value's state is, only those that overlap it decide.
    for (auto from = stretch.start; from <= stretch.end;) {
      DISTRICT_TRY(const auto next,
                   store.version_start_after(series.series_id, from, kVersionsAtOnce));
      const auto to = std::min(next.value_or(stretch.end), stretch.end);
      // Also the intervals that overlap those that overlap the part: they decide on these.
      DISTRICT_TRY(auto versions, store.versions(series.series_id, from - 2 * series.longest,
                                                 to + series.longest));
      std::vector<MeasurementState> before;
      before.reserve(versions.size());
      for (const auto& version : versions) before.push_back(version.state);
      quantify::settle(versions);
      for (std::size_t i = 0; i < versions.size(); ++i) {
        const auto& version = versions[i];
        const bool inside = version.start <= to && version.end >= from;
        if (!inside || version.state == before[i]) continue;
        DISTRICT_CHECK(store.put_state(series.series_id, version));
        if (counts(version.state) || counts(before[i])) {
          touched->second.changed.add(stretch_of(version.start, version.end));
        }
      }
      if (to == stretch.end) break;
      from = to;
    }
  }
  return Ok{};
}

Result<Ok> Engine::settle(Touched& touched) {
  SeriesStore store(db_);
  for (auto& [meter_id, meter] : touched.meters_) {
    const bool settled = std::all_of(meter.series.begin(), meter.series.end(),
                                     [](const auto& one) { return one.second.written.empty(); });
    if (settled) continue;
    DISTRICT_TRY(const auto all_series, store.series_of(meter_id));
    for (const auto& series : all_series) DISTRICT_CHECK(settle_series(series, meter));
  }
  return Ok{};
}

Result<Ok> Engine::recompute(Touched& touched, Instant computed_at) {
  // All of them first: values that are not settled do not outlive a transaction.
  DISTRICT_CHECK(settle(touched));
  SeriesStore store(db_);
  for (auto& [meter_id, changes] : touched.meters_) {
    DISTRICT_TRY(auto key, store.meter_key(meter_id));
    DISTRICT_TRY(const auto facts, store.facts(meter_id));
    const MasterData master(facts);
    DISTRICT_TRY(const auto calendar, calendar_of(changes.tenant, master.latest("zone")));
    Run run{store, meter_id, std::move(key), calendar, master, computed_at, changes, pause_};
    DISTRICT_TRY(run.series, store.series_of(meter_id));
    for (const auto& family : families()) DISTRICT_CHECK(run.compute_family(family));
    if (changes.all) DISTRICT_CHECK(run.remove_stale());
  }
  touched.meters_.clear();
  return Ok{};
}

Result<Ok> Engine::apply(const Batch& batch, const Origin& origin, Instant computed_at) {
  Touched touched;
  DISTRICT_CHECK(ingest(batch, origin, touched));
  return recompute(touched, computed_at);
}

Result<std::vector<Origin>> Engine::origins_of(const KpiValue& kpi) {
  SeriesStore store(db_);
  DISTRICT_TRY(const auto meter_id, store.find_meter(kpi.meter));
  if (!meter_id)
    return fail(ErrorCode::not_found,
                "no values of meter " + kpi.meter.source + " " + kpi.meter.meter);
  DISTRICT_TRY(const auto series, store.series_of(*meter_id));
  DISTRICT_TRY(const auto facts, store.facts(*meter_id));
  std::set<Origin> origins;
  for (const auto& definition : catalogue()) {
    if (definition.id != kpi.kpi) continue;
    const auto& family = definition_of(definition.family);
    const auto has = [&](const Input& input) {
      return std::find_if(series.begin(), series.end(),
                          [&](const Series& s) { return is_input(input, s); });
    };
    if (has(family.inputs.front()) == series.end()) continue;
    for (const auto& input : family.inputs) {
      const auto found = has(input);
      if (found == series.end()) continue;
      auto from = kpi.start - found->longest, to = kpi.end - kTick, covered = kpi.start;
      if (!lasts(input.kind)) {
        // The value before the window reaches into it; a register's next one ends the window.
        DISTRICT_TRY(const auto before, store.value_before(found->series_id, kpi.start + kTick));
        from = covered = before ? before->start : kpi.start;
        DISTRICT_TRY(const auto after, store.value_after(found->series_id, to));
        if (input.kind == ValueKind::reading && after) to = after->start;
      }
      DISTRICT_TRY(const auto values, store.origins(found->series_id, from, to, covered));
      origins.insert(values.begin(), values.end());
    }
    const auto statements = MasterData(facts).origins(family.facts, kpi.start, kpi.end - kTick);
    origins.insert(statements.begin(), statements.end());
    break;
  }
  return std::vector<Origin>(origins.begin(), origins.end());
}

}  // namespace district::quantify
