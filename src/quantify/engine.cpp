#include "quantify/engine.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "kpi/acting.h"
#include "kpi/catalogue.h"
#include "observe/events.h"
#include "quantify/recomputation.h"
#include "series/dependents.h"
#include "series/meter_data.h"

namespace district::quantify {
namespace {

using store::SeriesReader;

constexpr Duration kTick{1};  // of Instant

// Finds the values of an input that act on a KPI value.
class Inputs {
 public:
  Inputs(SeriesReader& store, const kpi::KpiDefinition& definition, const KpiValue& kpi,
         const kpi::Calendar& calendar, const kpi::MasterData& master, const Standards& standards)
      : store_(store),
        definition_(definition),
        kpi_(kpi),
        calendar_(calendar),
        master_(master),
        standards_(standards) {}

  Result<Ok> add(const kpi::Input& input, const Series& series, const MeterKey& meter,
                 Explanation& explanation) {
    const kpi::Window window{kpi_.window, kpi_.start, kpi_.end};
    for (auto span : kpi::acting_times(definition_, input, window, calendar_, master_)) {
      if (series.kind == ValueKind::reading) DISTRICT_CHECK(reach_to_readings(series, span));
      const auto early = series.kind == ValueKind::instant ? kpi::kHoldMax : series.longest;
      DISTRICT_TRY(const auto versions,
                   store_.versions(series, span.from - early, span.to - kTick));
      for (const auto& version :
           kpi::acting_versions(versions, definition_, series.kind, span, master_, standards_))
        DISTRICT_CHECK(add(version, series, meter, explanation));
    }
    return Ok{};
  }

 private:
  // Consumption is linear between readings, so the readings beside the window act on it, too.
  Result<Ok> reach_to_readings(const Series& series, kpi::Span& span) {
    if (definition_.family != kpi::Family::register_reading) return Ok{};
    using enum SeriesReader::Sought;
    DISTRICT_TRY(const auto before, store_.value_before(series, span.from + kTick, counting));
    DISTRICT_TRY(const auto after, store_.value_after(series, span.to - kTick, counting));
    if (before) span.from = before->start;
    if (after) span.to = after->start + kTick;
    return Ok{};
  }

  Result<Ok> add(const ValueVersion& version, const Series& series, const MeterKey& meter,
                 Explanation& explanation) {
    Measurement input;
    input.meter = meter;
    input.observation = {meter.source,          meter.meter,   series.quantity, series.unit,
                         series.kind,           version.start, version.end,     version.value,
                         version.message_index, version.flags};
    input.state = version.state;
    DISTRICT_TRY(input.origin, store_.origin(version.leaf_index));
    explanation.inputs.push_back(std::move(input));
    return Ok{};
  }

  SeriesReader& store_;
  const kpi::KpiDefinition& definition_;
  const KpiValue& kpi_;
  const kpi::Calendar& calendar_;
  const kpi::MasterData& master_;
  const Standards& standards_;
};

void add_facts(const kpi::ActingFact& fact, const kpi::MasterData& master, const KpiValue& kpi,
               Explanation& explanation) {
  using enum kpi::ActingFact::When;
  const auto last = kpi.end - kTick;
  std::vector<kpi::MasterData::StatedValue> stated;
  if (fact.when != latest) {
    stated = master.statements(fact.attribute, fact.when == at_end ? last : kpi.start, last);
  } else if (const auto* statement = master.last(fact.attribute)) {
    stated.push_back(*statement);
  }
  for (auto& statement : stated) {
    explanation.facts.push_back({std::string(fact.attribute), std::move(statement.value),
                                 statement.from, std::move(statement.origin)});
  }
}

bool is_empty(const Batch& batch) {
  return batch.observations.empty() && batch.master_facts.empty();
}

// Warns once for each zone, since every meter of the zone leads here again and again.
void tell_unknown_zone(const std::string& tenant, const std::string& zone) {
  constexpr std::size_t kToldMax = 1000;
  static std::mutex mutex;
  static std::set<std::pair<std::string, std::string>> told;
  {
    const std::lock_guard lock(mutex);
    if (told.size() >= kToldMax || !told.emplace(tenant, zone).second) return;
  }
  observe::emit(observe::Level::warning, "zone_unknown",
                {{"tenant", tenant},
                 {"zone", zone},
                 {"detail", "its meters have their windows in the zone of the tenant"},
                 {"hint", "send the master data again, with an IANA name such as Europe/Madrid"}});
}

}  // namespace

Result<kpi::Calendar> Engine::calendar_of(const std::string& tenant,
                                          const std::optional<std::string>& declared) {
  const auto known = [this](const std::string& zone) -> Result<kpi::Calendar> {
    if (const auto found = calendars_.find(zone); found != calendars_.end()) return found->second;
    DISTRICT_TRY(const auto calendar, kpi::Calendar::of(zone));
    calendars_.emplace(zone, calendar);
    return calendar;
  };
  if (declared) {
    if (auto calendar = known(*declared)) return calendar;
    tell_unknown_zone(tenant, *declared);
  }
  const auto zone = zone_of_(tenant);
  if (!zone)
    return fail(ErrorCode::quantify_failed, "no tenant " + tenant + ", so no time zone",
                "districtctl tenant list");
  return known(*zone);
}

Result<Ok> Engine::check(const Batch& batch) {
  if (is_empty(batch)) return Ok{};
  using Key = std::tuple<std::uint32_t, std::string_view, std::string_view, std::string_view,
                         ValueKind, Instant, Instant>;
  std::vector<Key> keys;
  keys.reserve(batch.observations.size());
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

Result<Ok> Engine::ingest(store::SeriesTransaction& transaction, std::span<const Arrival> arrivals,
                          series::Touched& touched) {
  store::SeriesWriter store(transaction);
  series::Ingestion ingestion(store, *known_, touched);
  for (const auto& [batch, origin] : arrivals) {
    if (!is_empty(batch)) DISTRICT_CHECK(ingestion.add(batch, origin));
  }
  return ingestion.finish();
}

Result<Ok> Engine::ingest(store::SeriesTransaction& transaction, const Batch& batch,
                          const Origin& origin, series::Touched& touched) {
  DISTRICT_CHECK(check(batch));
  const Arrival arrival{batch, origin};
  return ingest(transaction, std::span(&arrival, 1), touched);
}

Result<Restored> Engine::restore(store::SeriesTransaction& transaction, const Batch& batch,
                                 const Origin& origin) {
  if (is_empty(batch)) return Restored{};
  DISTRICT_CHECK(check(batch));
  store::SeriesWriter store(transaction);
  series::Touched touched;
  series::Ingestion ingestion(store, *known_, touched, true);
  DISTRICT_CHECK(ingestion.add(batch, origin));
  DISTRICT_CHECK(ingestion.finish());
  return Restored{ingestion.restored(), ingestion.values()};
}

Result<Ok> Engine::remove(store::SeriesTransaction& transaction, const MeterKey& meter,
                          const Series& series, const std::vector<ValueVersion>& gone,
                          Instant computed_at) {
  store::SeriesWriter store(transaction);
  DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
  if (!meter_id) return Ok{};
  series::Touched touched;
  series::Ingestion ingestion(store, *known_, touched);
  DISTRICT_CHECK(ingestion.remove(*meter_id, meter.tenant, series, gone));
  return recompute(transaction, touched, computed_at);
}

Result<Ok> Engine::recompute_between(store::SeriesTransaction& transaction, const MeterKey& meter,
                                     std::optional<Instant> from, std::optional<Instant> to,
                                     Instant computed_at) {
  store::SeriesWriter store(transaction);
  DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
  if (!meter_id) return Ok{};
  series::Touched touched;
  auto& changes = touched.meters[*meter_id];
  changes.tenant = meter.tenant;
  changes.all = !from || !to;
  if (changes.all) {
    series::StatedData stated(store);
    return recompute_meter(store, stated, *meter_id, changes, computed_at);
  }
  changes.cleared.emplace(*from, *to);
  DISTRICT_TRY(const auto all_series, store.series_of(*meter_id));
  for (const auto& series : all_series) {
    auto& changed = changes.series[series.series_id];
    DISTRICT_TRY(const auto versions, store.versions(series, *from - series.longest, *to));
    for (const auto& version : versions)
      changed.add(series::stretch_of(version.start, version.end));
    // The values beside the period bring in windows that lie in a gap or are longer than the
    // period.
    DISTRICT_TRY(const auto before, store.value_before(series, *from - series.longest));
    DISTRICT_TRY(const auto after, store.value_after(series, *to));
    for (const auto& beside : {before, after})
      if (beside) changed.add(series::stretch_of(beside->start, beside->end));
  }
  return recompute(transaction, touched, computed_at);
}

Result<Ok> Engine::recompute(store::SeriesTransaction& transaction, series::Touched& touched,
                             Instant computed_at) {
  store::SeriesWriter store(transaction);
  DISTRICT_CHECK(series::Dependents::touch(store, touched));
  series::StatedData stated(store);
  for (const auto& [meter_id, changes] : touched.meters) {
    if (!changes.all && !changes.cleared && changes.series.empty()) continue;
    DISTRICT_CHECK(recompute_meter(store, stated, meter_id, changes, computed_at));
  }
  touched.meters.clear();
  return Ok{};
}

Result<Ok> Engine::recompute_meter(store::SeriesWriter& store, series::StatedData& stated,
                                   std::int64_t meter_id, const series::Touched::Meter& changes,
                                   Instant computed_at) {
  DISTRICT_TRY(const auto meter, series::MeterData::load(store, stated, meter_id));
  DISTRICT_TRY(const auto calendar, calendar_of(meter.key.tenant, meter.master.latest("zone")));
  Recomputation recomputation(store, meter, calendar, standards_, changes, computed_at, pause_);
  return recomputation.run();
}

Result<Ok> Engine::recompute_stale(store::SeriesTransaction& transaction, std::int64_t meter_id,
                                   Instant computed_at) {
  store::SeriesWriter store(transaction);
  DISTRICT_TRY(const auto marks, store.stale_marks(meter_id));
  series::Touched touched;
  touched.all(meter_id, {});
  series::StatedData stated(store);
  DISTRICT_CHECK(recompute_meter(store, stated, meter_id, touched.meters[meter_id], computed_at));
  return store.remove_stale(meter_id, marks);
}

Result<Ok> Engine::apply(store::SeriesTransaction& transaction, const Batch& batch,
                         const Origin& origin, Instant computed_at) {
  series::Touched touched;
  DISTRICT_CHECK(ingest(transaction, batch, origin, touched));
  return recompute(transaction, touched, computed_at);
}

Result<std::vector<MeterKey>> Engine::linked_to(const MeterKey& meter) {
  SeriesReader store(db_);
  std::set<MeterKey> linked;
  DISTRICT_TRY(const auto dependents, series::dependents_of(store, meter));
  for (const auto dependent : dependents) {
    DISTRICT_TRY(auto key, store.meter_key(dependent));
    linked.insert(std::move(key));
  }
  DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
  if (!meter_id) return std::vector<MeterKey>(linked.begin(), linked.end());
  DISTRICT_TRY(const auto facts, store.facts(*meter_id));
  const kpi::MasterData master(facts);
  for (const auto* attribute : {"replaces_meter", "at_site"}) {
    if (auto name = master.latest(attribute))
      linked.insert({meter.tenant, meter.source, *std::move(name)});
  }
  if (const auto sensor = master.latest("outdoor_sensor"))
    linked.insert(series::meter_referred_to(meter.tenant, *sensor));
  return std::vector<MeterKey>(linked.begin(), linked.end());
}

Result<Explanation> Engine::explain(const KpiValue& kpi) {
  SeriesReader store(db_);
  DISTRICT_TRY(const auto meter_id, store.find_meter(kpi.meter));
  if (!meter_id)
    return fail(ErrorCode::not_found,
                "no values of meter " + kpi.meter.source + " " + kpi.meter.meter);
  series::StatedData stated(store);
  DISTRICT_TRY(const auto meter, series::MeterData::load(store, stated, *meter_id));
  DISTRICT_TRY(const auto calendar, calendar_of(kpi.meter.tenant, meter.master.latest("zone")));
  Explanation explanation;
  for (const auto& [family, inputs] : meter.families()) {
    for (const auto& definition : kpi::catalogue()) {
      const bool ours = definition.family == family->family && definition.id == kpi.kpi;
      if (ours && explanation.definition == nullptr) explanation.definition = &definition;
    }
    if (explanation.definition == nullptr) continue;
    const auto acting = kpi::acting_on(*explanation.definition, kpi.window);
    Inputs found(store, *explanation.definition, kpi, calendar, meter.master, standards_);
    for (const auto i : acting.inputs) {
      const auto* series = inputs[i];
      if (series == nullptr) continue;
      const bool of_sensor = !meter.sensor.empty() && series >= meter.sensor.data() &&
                             series < meter.sensor.data() + meter.sensor.size();
      const auto key = of_sensor ? series::meter_referred_to(kpi.meter.tenant,
                                                             *meter.master.latest("outdoor_sensor"))
                                 : kpi.meter;
      DISTRICT_CHECK(found.add(family->inputs[i], *series, key, explanation));
    }
    if (family->family == kpi::Family::register_reading) {
      auto replaced = meter.master.latest("replaces_meter");
      for (const auto& predecessor : meter.predecessors) {
        if (!replaced || kpi.start >= predecessor.exchanged_at) break;
        const MeterKey key{kpi.meter.tenant, kpi.meter.source, *replaced};
        DISTRICT_CHECK(found.add(family->inputs[0], predecessor.registers, key, explanation));
        replaced = predecessor.master.latest("replaces_meter");
      }
    }
    for (const auto& fact : acting.facts) add_facts(fact, meter.master, kpi, explanation);
    return explanation;
  }
  return fail(ErrorCode::not_found, "the meter has no values for KPI " + kpi.kpi,
              "districtctl kpi catalogue lists the KPIs and their inputs");
}

Result<std::vector<Origin>> Engine::origins_of(const KpiValue& kpi) {
  DISTRICT_TRY(const auto explanation, explain(kpi));
  std::set<Origin> origins;
  for (const auto& input : explanation.inputs)
    if (input.state == MeasurementState::current) origins.insert(input.origin);
  for (const auto& fact : explanation.facts) origins.insert(fact.origin);
  return std::vector<Origin>(origins.begin(), origins.end());
}

}  // namespace district::quantify
