#include "kpi/acting.h"

#include <algorithm>
#include <map>
#include <utility>

#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

using enum ActingFact::When;
using Table = std::map<std::string_view, Acting>;

const ActingFact kFloor{"floor_area_m2", at_end}, kLighting{"medium", at_end};
const ActingFact kSensor{"outdoor_sensor", latest};

// The inputs and facts of a KPI, by its name. A KPI that is not in the table is computed only from
// the first input of its family.
const Table kOfEnergy{
    {"cost_eur", {{0, 1}, {}}},
    {"mean_price_eur_kwh", {{0, 1}, {}}},
    {"time_avg_price_eur_kwh", {{1}, {}}},
    {"co2_kg", {{0, 2}, {{"co2_factor_kg_per_kwh", over}}}},
    {"eui_kwh_m2a", {{0}, {kFloor}}},
    {"kwh_per_hdd", {{0, 3}, {kSensor}}},
    {"leni_kwh_m2a", {{0}, {kFloor, kLighting}}},
    {"leni_annualised_kwh_m2a", {{0}, {kFloor, kLighting}}},
    {"lighting_energy_intensity_kwh_m2", {{0}, {kFloor, kLighting}}},
};

const ActingFact kStep{"nominal_step", over}, kThreshold{"on_threshold_w", over};
const ActingFact kInstalled{"installed_power_w", at_end}, kLit{"lit_area_m2", at_end};
const Table kOfPower{
    {"operating_hours", {{0}, {kStep, kThreshold}}},
    {"burning_energy_kwh", {{0}, {kStep, kThreshold}}},
    {"standby_energy_kwh", {{0}, {kStep, kThreshold}}},
    {"day_burning_hours", {{0}, {kStep, kThreshold}}},
    {"full_load_hours", {{0}, {kStep, kInstalled}}},
    {"pdi_w_per_lx_m2", {{0}, {kStep, kInstalled, {"illuminance_area_lx_m2", at_end}}}},
    {"pdi_measured_w_per_lx_m2", {{0, 1}, {kStep, kThreshold, kLit}}},
    {"aeci_kwh_m2", {{0}, {kStep, kLit}}},
};

const Acting kOfRegister{{0},
                         {{"unit", over},
                          {"register_modulus", over},
                          {"replaces_meter", latest},
                          {"replaced_final_register", over},
                          {"initial_register", over}}};
const Acting kOfQuality{{0}, {{"nominal_step", at_end}}};
const Acting kOfModel{{0, 1}, {{"medium", latest}, {"baseline", latest}, kSensor}};

Acting find(const Table& table, std::string_view kpi, Acting otherwise) {
  const auto found = table.find(kpi);
  if (found != table.end()) return found->second;
  return otherwise;
}

Acting of_model(const KpiDefinition& definition, WindowKind window) {
  auto acting = kOfModel;
  if (window == WindowKind::reporting) acting.facts.push_back({"reporting", latest});
  if (definition.id == "normalised_baseline_kwh") acting.facts.push_back({"normal_period", latest});
  return acting;
}

Acting without_zone(const KpiDefinition& definition, WindowKind window) {
  switch (definition.family) {
    case Family::interval_energy:
      return find(kOfEnergy, definition.id, {{0}, {}});
    case Family::instant_power:
      return find(kOfPower, definition.id, {{0}, {kStep}});
    case Family::register_reading:
      return kOfRegister;
    case Family::weather:
      return {{0}, {}};
    case Family::comfort:
      if (definition.id.starts_with("adaptive_")) return {{0, 1}, {kSensor}};
      return {{0}, {}};
    case Family::interval_quality:
    case Family::sampled_quality:
    case Family::register_quality:
      return kOfQuality;
    case Family::model:
      return of_model(definition, window);
  }
  return {};
}

bool is_quality(Family family) {
  return family == Family::interval_quality || family == Family::sampled_quality ||
         family == Family::register_quality;
}

// The seven days before each day of a window, whose temperatures make the running means.
Span week_before(const Window& window, const Calendar& calendar) {
  auto first = calendar.window(WindowKind::day, window.start);
  for (int i = 0; i < 7; ++i) first = calendar.window(WindowKind::day, first.start - Duration{1});
  const auto last = calendar.window(WindowKind::day, window.end - Duration{1});
  return {first.start, last.start};
}

// A model is fitted to the baseline, whatever it is used for afterwards.
std::vector<Span> times_of_model(const KpiDefinition& definition, const Input& input,
                                 const Window& window, const Calendar& calendar,
                                 const MasterData& master) {
  std::vector<Span> times{{window.start, window.end}};
  const auto add = [&](const char* attribute) {
    const auto text = master.latest(attribute);
    const auto days = text ? calendar.days(WindowKind::baseline, *text) : std::nullopt;
    if (days) times.push_back({days->start, days->end});
  };
  add("baseline");
  const bool normal =
      definition.id == "normalised_baseline_kwh" && input.quantity == "temperature_out";
  if (normal) add("normal_period");
  return times;
}

// In order, with those that touch or overlap joined.
std::vector<Span> merged(std::vector<Span> times) {
  std::ranges::sort(times, {}, &Span::from);
  std::vector<Span> apart;
  for (const auto& time : times) {
    if (apart.empty() || time.from > apart.back().to) {
      apart.push_back(time);
    } else {
      apart.back().to = std::max(apart.back().to, time.to);
    }
  }
  return apart;
}

// The instant of the sample that is still held when the span starts, or the start of the span if
// there is none.
Instant held_from(std::span<const ValueVersion> versions, const Span& span,
                  const MasterData& master, const Standards& standards) {
  const ValueVersion* last = nullptr;
  for (const auto& version : versions)
    if (counts(version) && version.start <= span.from) last = &version;
  if (last == nullptr || last->start + hold_at(master, standards, last->start) <= span.from)
    return span.from;
  return last->start;
}

}  // namespace

Acting acting_on(const KpiDefinition& definition, WindowKind window) {
  auto acting = without_zone(definition, window);
  // Hours begin at the same instants in all zones.
  if (window != WindowKind::hour) acting.facts.push_back({"zone", latest});
  return acting;
}

std::vector<Span> acting_times(const KpiDefinition& definition, const Input& input,
                               const Window& window, const Calendar& calendar,
                               const MasterData& master) {
  if (definition.family == Family::comfort && input.acts_on > Duration{})
    return {week_before(window, calendar)};
  if (definition.family == Family::model)
    return merged(times_of_model(definition, input, window, calendar, master));
  return {{window.start, window.end}};
}

std::vector<ValueVersion> acting_versions(std::span<const ValueVersion> versions,
                                          const KpiDefinition& definition, ValueKind kind,
                                          const Span& span, const MasterData& master,
                                          const Standards& standards) {
  const bool lasts = kind == ValueKind::interval || kind == ValueKind::mean;
  const bool held = kind == ValueKind::instant && !is_quality(definition.family);
  const auto from = held ? held_from(versions, span, master, standards) : span.from;
  std::vector<ValueVersion> acting;
  for (const auto& version : versions) {
    // Data quality counts the periods that start in the window.
    const bool acts = lasts && !is_quality(definition.family)
                          ? version.start < span.to && version.end > span.from
                          : version.start < span.to && version.start >= from;
    if (acts) acting.push_back(version);
  }
  return acting;
}

}  // namespace district::kpi
