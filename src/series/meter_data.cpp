#include "series/meter_data.h"

#include <algorithm>
#include <tuple>

namespace district::series {
namespace {

using store::SeriesReader;

constexpr const char* kSensor = "outdoor_sensor";
constexpr const char* kReplaces = "replaces_meter";
constexpr const char* kSite = "at_site";
constexpr std::size_t kExchangesMax = 16;  // ends a circle of statements
constexpr std::size_t kSitesMax = 4;       // a meter's building, its site, and so on
constexpr std::size_t kStatementsKeptMax = 100'000;

bool is_register(const Series& series) { return series.kind == ValueKind::reading; }

// Readings of one register in [from, to], with one before and one after them.
Result<std::vector<kpi::Reading>> readings_of_one(Shelf& shelf, const Series& series,
                                                  const kpi::MasterData& master, Instant from,
                                                  Instant to) {
  std::vector<kpi::Reading> readings;
  const auto add = [&](Instant at, double value, std::uint32_t flags, bool implausible) {
    readings.push_back({at, value, master.number("register_modulus", at),
                        (flags & flag_estimated) != 0, false, implausible, (flags & flag_rise) != 0,
                        (flags & flag_disputed) != 0, (flags & flag_fallen) != 0});
  };
  DISTRICT_TRY(const auto before, shelf.before(series, from, Shelf::Sought::counting));
  if (before) add(before->start, before->value, before->flags, false);
  DISTRICT_TRY(const auto versions, shelf.get(series, from, to));
  auto next = std::partition_point(versions.begin(), versions.end(),
                                   [from](const auto& other) { return other.start < from; });
  for (; next != versions.end() && next->start <= to; ++next) {
    const auto& version = *next;
    const bool implausible = version.state == MeasurementState::implausible;
    if (version.state != MeasurementState::current && !implausible) continue;
    add(version.start, version.value, version.flags, implausible);
  }
  DISTRICT_TRY(const auto after, shelf.after(series, to, Shelf::Sought::counting));
  if (after) add(after->start, after->value, after->flags, false);
  return readings;
}

// Adds what was read when the meter was taken away. If the register had fallen just before, and
// this reading is higher by far more than it had counted since, it was misread: nobody knows how
// large the step is.
void add_final(std::vector<kpi::Reading>& readings, Instant at, double value,
               const kpi::MasterData& master) {
  const auto last = std::find_if(readings.rbegin(), readings.rend(),
                                 [](const kpi::Reading& reading) { return !reading.implausible; });
  kpi::Reading final{at, value, master.number("register_modulus", at)};
  final.rise = last != readings.rend() && last->fallen && value - last->value > last->value;
  readings.push_back(final);
}

}  // namespace

std::string reference_to(const MeterKey& key) {
  return key.meter.empty() ? key.source : key.source + '/' + key.meter;
}

MeterKey meter_referred_to(const std::string& tenant, const std::string& reference) {
  const auto slash = reference.find('/');
  if (slash == std::string::npos) return {tenant, reference, ""};
  return {tenant, reference.substr(0, slash), reference.substr(slash + 1)};
}

Result<std::vector<std::int64_t>> dependents_of(SeriesReader& store, const MeterKey& key) {
  DISTRICT_TRY(auto meters, store.meters_linked_to(key.tenant, kSensor, reference_to(key)));
  if (key.meter.empty()) {
    // "ROOF/" names the same meter as "ROOF".
    DISTRICT_TRY(const auto others, store.meters_linked_to(key.tenant, kSensor, key.source + '/'));
    meters.insert(meters.end(), others.begin(), others.end());
    return meters;
  }
  for (const auto* attribute : {kReplaces, kSite}) {
    DISTRICT_TRY(const auto others, store.meters_linked_to(key.tenant, attribute, key.meter));
    for (const auto meter_id : others) {
      DISTRICT_TRY(const auto other, store.meter_key(meter_id));
      if (other.source == key.source) meters.push_back(meter_id);
    }
  }
  return meters;
}

Result<std::shared_ptr<const kpi::MasterData>> StatedData::of(std::int64_t meter_id) {
  if (const auto found = known_.find(meter_id); found != known_.end()) return found->second;
  DISTRICT_TRY(const auto facts, store_.facts(meter_id));
  auto stated = std::make_shared<const kpi::MasterData>(facts);
  if (statements_ > kStatementsKeptMax) {
    known_.clear();
    statements_ = 0;
  }
  statements_ += stated->size();
  return known_.emplace(meter_id, std::move(stated)).first->second;
}

Result<kpi::MasterData> master_data_of(SeriesReader& store, StatedData& stated,
                                       const MeterKey& key) {
  kpi::MasterData master;
  auto at = key;
  for (std::size_t level = 0; level <= kSitesMax; ++level) {
    DISTRICT_TRY(const auto meter_id, store.find_meter(at));
    if (!meter_id) return master;
    DISTRICT_TRY(const auto here, stated.of(*meter_id));
    if (level == 0) master = *here;
    master.inherit(*here);
    const auto site = here->latest(kSite);
    if (!site) return master;
    at.meter = *site;
  }
  return master;
}

Result<MeterData> MeterData::load(SeriesReader& store, StatedData& stated, std::int64_t meter_id) {
  MeterData meter;
  meter.meter_id = meter_id;
  DISTRICT_TRY(meter.key, store.meter_key(meter_id));
  DISTRICT_TRY(meter.master, master_data_of(store, stated, meter.key));
  DISTRICT_TRY(meter.own, store.series_of(meter_id));
  DISTRICT_CHECK(meter.load_sensor(store));
  if (std::none_of(meter.own.begin(), meter.own.end(), is_register)) return meter;
  DISTRICT_CHECK(meter.load_predecessors(store, stated));
  DISTRICT_CHECK(meter.load_successor(store, stated));
  return meter;
}

Result<Ok> MeterData::load_sensor(SeriesReader& store) {
  const auto named = master.latest(kSensor);
  if (!named) return Ok{};
  DISTRICT_TRY(const auto meter, store.find_meter(meter_referred_to(key.tenant, *named)));
  if (!meter) return Ok{};
  DISTRICT_TRY(sensor, store.series_of(*meter));
  return Ok{};
}

Result<Ok> MeterData::load_predecessors(SeriesReader& store, StatedData& stated) {
  const kpi::MasterData* newer = &master;
  auto of_newer = key.meter;
  predecessors.reserve(kExchangesMax);
  while (predecessors.size() < kExchangesMax) {
    const auto* replaced = newer->last(kReplaces);
    if (replaced == nullptr) return Ok{};
    const auto at = replaced->from;
    const auto& number = replaced->value;
    if (!predecessors.empty() && at >= predecessors.back().exchanged_at) return Ok{};
    if (number == of_newer) return Ok{};
    DISTRICT_TRY(const auto meter, store.find_meter({key.tenant, key.source, number}));
    if (!meter) return Ok{};
    DISTRICT_TRY(const auto all_series, store.series_of(*meter));
    const auto registers = std::find_if(all_series.begin(), all_series.end(), is_register);
    if (registers == all_series.end()) return Ok{};
    DISTRICT_TRY(auto of_predecessor,
                 master_data_of(store, stated, {key.tenant, key.source, number}));
    predecessors.push_back({*registers, std::move(of_predecessor), at,
                            newer->number("replaced_final_register", at),
                            newer->number("initial_register", at)});
    of_newer = number;
    newer = &predecessors.back().master;
  }
  return Ok{};
}

Result<Ok> MeterData::load_successor(SeriesReader& store, StatedData& stated) {
  DISTRICT_TRY(const auto meters, store.meters_linked_to(key.tenant, kReplaces, key.meter));
  for (const auto other_id : meters) {
    DISTRICT_TRY(const auto other, store.meter_key(other_id));
    if (other.source != key.source || other.meter == key.meter) continue;
    DISTRICT_TRY(const auto of_other, stated.of(other_id));
    const auto* replaces = of_other->last(kReplaces);
    if (replaces == nullptr || replaces->value != key.meter) continue;
    const auto at = replaces->from;
    if (at <= registers_from().value_or(Instant::min())) continue;
    if (successor &&
        std::tie(at, other.meter) >= std::tie(successor->exchanged_at, successor->number))
      continue;
    successor = kpi::Successor{other.meter, at, of_other->number("replaced_final_register", at)};
  }
  return Ok{};
}

const Series* MeterData::find(const kpi::Input& input, bool first) const {
  // The sensor stands in for the meter's own temperatures, but makes no weather KPIs of its own.
  const bool elsewhere = !first && !sensor.empty() && input.quantity == "temperature_out";
  const auto& among = elsewhere ? sensor : own;
  const auto found = std::find_if(among.begin(), among.end(), [&](const Series& series) {
    return kpi::is_input(input, series);
  });
  return found == among.end() ? nullptr : &*found;
}

std::vector<FamilyInputs> MeterData::families() const {
  std::vector<FamilyInputs> result;
  for (const auto& family : kpi::families()) {
    FamilyInputs inputs{&family, {}};
    for (const auto& input : family.inputs)
      inputs.inputs.push_back(find(input, inputs.inputs.empty()));
    if (inputs.inputs.front() != nullptr) result.push_back(std::move(inputs));
  }
  return result;
}

std::optional<Instant> MeterData::registers_from() const {
  if (predecessors.empty()) return std::nullopt;
  return predecessors.front().exchanged_at;
}

std::optional<Instant> MeterData::registers_to() const {
  if (!successor || !successor->final_register) return std::nullopt;
  return successor->exchanged_at;
}

std::vector<Instant> MeterData::exchanges() const {
  std::vector<Instant> instants;
  if (const auto from = registers_from()) instants.push_back(*from);
  if (const auto to = registers_to()) instants.push_back(*to - Duration{1});
  return instants;
}

Result<std::vector<kpi::Reading>> readings_of(Shelf& shelf, const MeterData& meter,
                                              const Series& registers, Instant from, Instant to) {
  DISTRICT_TRY(auto readings, readings_of_one(shelf, registers, meter.master, from, to));
  if (const auto end = meter.registers_to()) {
    std::erase_if(readings, [&](const kpi::Reading& reading) { return reading.at >= *end; });
    add_final(readings, *end, *meter.successor->final_register, meter.master);
  }
  for (const auto& predecessor : meter.predecessors) {
    const auto at = predecessor.exchanged_at;
    std::erase_if(readings, [at](const kpi::Reading& reading) { return reading.at < at; });
    const auto first_true = std::find_if(readings.begin(), readings.end(),
                                         [](const kpi::Reading& r) { return !r.implausible; });
    const bool enough = first_true != readings.end() && first_true->at <= from && at < from;
    if (enough) return readings;
    DISTRICT_TRY(auto earlier, readings_of_one(shelf, predecessor.registers, predecessor.master,
                                               std::min(from, at), at));
    std::erase_if(earlier, [at](const kpi::Reading& reading) { return reading.at >= at; });
    if (predecessor.final_register)
      add_final(earlier, at, *predecessor.final_register, predecessor.master);
    kpi::Reading first{at, predecessor.initial_register.value_or(0),
                       meter.master.number("register_modulus", at)};
    first.new_meter = true;
    if (predecessor.initial_register) {
      earlier.push_back(first);
    } else if (first_true != readings.end()) {
      first_true->new_meter = true;
    }
    readings.insert(readings.begin(), earlier.begin(), earlier.end());
  }
  return readings;
}

}  // namespace district::series
