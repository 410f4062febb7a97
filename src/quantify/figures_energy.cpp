#include "quantify/figure_parts.h"

namespace district::quantify::figures {
namespace {

double completeness_of(const Evidence& evidence) {
  return share(evidence.energy.covered, evidence.window);
}

Figure of_energy(const Evidence& evidence, std::optional<double> value) {
  return by_completeness(value, completeness_of(evidence));
}

Figure of_cost(const Evidence& evidence, std::optional<double> value) {
  const auto& energy = evidence.energy;
  if (!evidence.material->inputs[1].there) return lacking(evidence, "energy_price", 0);
  if (energy.covered > Duration{} && energy.priced == Duration{}) return missing("energy_price", 0);
  return by_completeness(value, share(energy.priced, evidence.window));
}

std::optional<double> mean_demand_kw(const EnergySummary& energy) {
  return ratio(energy.energy_kwh, hours(energy.covered));
}

// What lighting sub-meters alone have: others have no row of it.
bool is_lighting(const Evidence& evidence) {
  return evidence.material->master.text("medium", evidence.window.end - Duration{1}) == "lighting";
}

constexpr double kHoursOfYear = 8760;

}  // namespace

Figure energy_use(const Evidence& evidence) {
  const auto& energy = evidence.energy;
  auto figure = of_energy(evidence, if_covered(energy.covered, energy.energy_kwh));
  if (evidence.window.kind != WindowKind::hour) {
    figure.attributes.emplace("hours_expected", spell(hours(evidence.window.length())));
    figure.attributes.emplace("hours_present", spell(hours(energy.covered)));
  }
  return figure;
}

Figure energy_estimate(const Evidence& evidence) {
  return of_energy(evidence, estimate(evidence.energy.energy_kwh, completeness_of(evidence)));
}

Figure cost(const Evidence& evidence) {
  return of_cost(evidence, if_covered(evidence.energy.priced, evidence.energy.cost_eur));
}

Figure mean_price(const Evidence& evidence) {
  return of_cost(evidence, ratio(evidence.energy.cost_eur, evidence.energy.priced_kwh));
}

Figure time_average_price(const Evidence& evidence) {
  const auto& energy = evidence.energy;
  if (!evidence.material->inputs[1].there) return missing("energy_price", 0);
  return by_completeness(ratio(energy.price_sum, static_cast<double>(energy.prices)),
                         share(energy.price_covered, evidence.window));
}

Figure peak_demand(const Evidence& evidence) {
  const auto& peak = evidence.energy.peak;
  if (!peak) return of_energy(evidence, std::nullopt);
  auto figure = of_energy(evidence, peak->value);
  // Of an hour with one period it is the hour.
  if (evidence.window.kind != WindowKind::hour || peak->at != evidence.window.start)
    figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

Figure mean_demand(const Evidence& evidence) {
  return of_energy(evidence, mean_demand_kw(evidence.energy));
}

Figure load_factor(const Evidence& evidence) {
  const auto mean = mean_demand_kw(evidence.energy);
  const auto& peak = evidence.energy.peak;
  if (!mean || !peak) return of_energy(evidence, std::nullopt);
  return of_energy(evidence, ratio(*mean, peak->value));
}

Figure base_load(const Evidence& evidence) {
  return of_energy(evidence, evidence.energy.low_demand_kw);
}
Figure near_peak(const Evidence& evidence) {
  return of_energy(evidence, evidence.energy.high_demand_kw);
}

Figure night_energy(const Evidence& evidence) {
  return of_energy(evidence, if_covered(evidence.energy.covered, evidence.energy.night_kwh));
}

Figure night_share(const Evidence& evidence) {
  return of_energy(evidence, ratio(evidence.energy.night_kwh, evidence.energy.energy_kwh));
}

Figure co2(const Evidence& evidence) {
  const auto& energy = evidence.energy;
  if (energy.covered > Duration{} && energy.factored == Duration{})
    return lacking(evidence, "co2_factor_kg_per_kwh", 0);
  return by_completeness(if_covered(energy.factored, energy.co2_kg),
                         share(energy.factored, evidence.window));
}

Figure energy_intensity(const Evidence& evidence) {
  const auto area = stated(evidence, "floor_area_m2");
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(evidence));
  const auto year = estimate(evidence.energy.energy_kwh, completeness_of(evidence));
  return of_energy(evidence, year ? std::optional(*year / *area) : std::nullopt);
}

Figure energy_per_degree_day(const Evidence& evidence) {
  const auto& weather = evidence.weather;
  if (!evidence.material->inputs[3].there)
    return missing("temperature_out", completeness_of(evidence));
  const bool enough = completeness_of(evidence) >= kPartialCompleteness &&
                      static_cast<double>(weather.valid_days) >=
                          kPartialCompleteness * static_cast<double>(weather.expected_days) &&
                      weather.heating_kd >= evidence.material->standards.degree_days_min;
  auto figure =
      of_energy(evidence, enough ? std::optional(evidence.energy.energy_kwh / weather.heating_kd)
                                 : std::nullopt);
  figure.attributes.emplace("valid_days", std::to_string(weather.valid_days));
  figure.attributes.emplace("expected_days", std::to_string(weather.expected_days));
  const double base = evidence.material->standards.heating_base;
  if (base != Standards{}.heating_base) figure.attributes.emplace("base_c", spell(base));
  return figure;
}

Figure leni(const Evidence& evidence) {
  const auto area = stated(evidence, "floor_area_m2");
  if (!is_lighting(evidence)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(evidence));
  const auto year = estimate(evidence.energy.energy_kwh, completeness_of(evidence));
  return of_energy(evidence, year ? std::optional(*year / *area) : std::nullopt);
}

Figure leni_annualised(const Evidence& evidence) {
  const auto area = stated(evidence, "floor_area_m2");
  if (!is_lighting(evidence)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(evidence));
  const auto& energy = evidence.energy;
  return of_energy(evidence,
                   ratio(energy.energy_kwh / *area * kHoursOfYear, hours(energy.covered)));
}

Figure lighting_intensity(const Evidence& evidence) {
  const auto area = stated(evidence, "floor_area_m2");
  if (!is_lighting(evidence)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(evidence));
  return of_energy(evidence,
                   if_covered(evidence.energy.covered, evidence.energy.energy_kwh / *area));
}

}  // namespace district::quantify::figures
