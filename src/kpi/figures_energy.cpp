#include "kpi/figure_parts.h"

namespace district::kpi::figures {
namespace {

double completeness_of(const WindowSummary& window_summary) {
  return share(window_summary.energy.covered, window_summary.window);
}

Figure of_energy(const WindowSummary& window_summary, std::optional<double> value) {
  return by_completeness(value, completeness_of(window_summary));
}

Figure of_cost(const WindowSummary& window_summary, std::optional<double> value) {
  const auto& energy = window_summary.energy;
  if (!window_summary.material->inputs[1].there) return lacking(window_summary, "energy_price", 0);
  if (energy.covered > Duration{} && energy.priced == Duration{}) return missing("energy_price", 0);
  return by_completeness(value, share(energy.priced, window_summary.window));
}

std::optional<double> mean_demand_kw(const EnergySummary& energy) {
  return ratio(energy.energy_kwh, hours(energy.covered));
}

// Only lighting sub-meters have rows of these KPIs.
bool is_lighting(const WindowSummary& window_summary) {
  return window_summary.material->master.text("medium", window_summary.window.end - Duration{1}) ==
         "lighting";
}

constexpr double kHoursOfYear = 8760;

}  // namespace

Figure energy_use(const WindowSummary& window_summary) {
  const auto& energy = window_summary.energy;
  auto figure = of_energy(window_summary, if_covered(energy.covered, energy.energy_kwh));
  if (window_summary.window.kind != WindowKind::hour) {
    figure.attributes.emplace("hours_expected", spell(hours(window_summary.window.length())));
    figure.attributes.emplace("hours_present", spell(hours(energy.covered)));
  }
  return figure;
}

Figure energy_estimate(const WindowSummary& window_summary) {
  return of_energy(window_summary,
                   estimate(window_summary.energy.energy_kwh, completeness_of(window_summary)));
}

Figure cost(const WindowSummary& window_summary) {
  return of_cost(window_summary,
                 if_covered(window_summary.energy.priced, window_summary.energy.cost_eur));
}

Figure mean_price(const WindowSummary& window_summary) {
  return of_cost(window_summary,
                 ratio(window_summary.energy.cost_eur, window_summary.energy.priced_kwh));
}

Figure time_average_price(const WindowSummary& window_summary) {
  const auto& energy = window_summary.energy;
  if (!window_summary.material->inputs[1].there) return missing("energy_price", 0);
  return by_completeness(ratio(energy.price_sum, static_cast<double>(energy.prices)),
                         share(energy.price_covered, window_summary.window));
}

Figure peak_demand(const WindowSummary& window_summary) {
  const auto& peak = window_summary.energy.peak;
  if (!peak) return of_energy(window_summary, std::nullopt);
  auto figure = of_energy(window_summary, peak->value);
  // In an hour with only one period, the peak starts when the hour does, which need not be said
  // again.
  if (window_summary.window.kind != WindowKind::hour || peak->at != window_summary.window.start)
    figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

Figure mean_demand(const WindowSummary& window_summary) {
  return of_energy(window_summary, mean_demand_kw(window_summary.energy));
}

Figure load_factor(const WindowSummary& window_summary) {
  const auto mean = mean_demand_kw(window_summary.energy);
  const auto& peak = window_summary.energy.peak;
  if (!mean || !peak) return of_energy(window_summary, std::nullopt);
  return of_energy(window_summary, ratio(*mean, peak->value));
}

Figure base_load(const WindowSummary& window_summary) {
  return of_energy(window_summary, window_summary.energy.low_demand_kw);
}
Figure near_peak(const WindowSummary& window_summary) {
  return of_energy(window_summary, window_summary.energy.high_demand_kw);
}

Figure night_energy(const WindowSummary& window_summary) {
  return of_energy(window_summary,
                   if_covered(window_summary.energy.covered, window_summary.energy.night_kwh));
}

Figure night_share(const WindowSummary& window_summary) {
  return of_energy(window_summary,
                   ratio(window_summary.energy.night_kwh, window_summary.energy.energy_kwh));
}

Figure co2(const WindowSummary& window_summary) {
  const auto& energy = window_summary.energy;
  if (energy.covered > Duration{} && energy.factored == Duration{})
    return lacking(window_summary, "co2_factor_kg_per_kwh", 0);
  return by_completeness(if_covered(energy.factored, energy.co2_kg),
                         share(energy.factored, window_summary.window));
}

Figure energy_intensity(const WindowSummary& window_summary) {
  const auto area = stated(window_summary, "floor_area_m2");
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(window_summary));
  const auto year = estimate(window_summary.energy.energy_kwh, completeness_of(window_summary));
  return of_energy(window_summary, year ? std::optional(*year / *area) : std::nullopt);
}

Figure energy_per_degree_day(const WindowSummary& window_summary) {
  const auto& weather = window_summary.weather;
  if (!window_summary.material->inputs[3].there)
    return missing("temperature_out", completeness_of(window_summary));
  const bool enough = completeness_of(window_summary) >= kPartialCompleteness &&
                      static_cast<double>(weather.valid_days) >=
                          kPartialCompleteness * static_cast<double>(weather.expected_days) &&
                      weather.heating_kd >= window_summary.material->standards.degree_days_min;
  auto figure = of_energy(
      window_summary,
      enough ? std::optional(window_summary.energy.energy_kwh / weather.heating_kd) : std::nullopt);
  figure.attributes.emplace("valid_days", std::to_string(weather.valid_days));
  figure.attributes.emplace("expected_days", std::to_string(weather.expected_days));
  const double base = window_summary.material->standards.heating_base;
  if (base != Standards{}.heating_base) figure.attributes.emplace("base_c", spell(base));
  return figure;
}

Figure leni(const WindowSummary& window_summary) {
  const auto area = stated(window_summary, "floor_area_m2");
  if (!is_lighting(window_summary)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(window_summary));
  const auto year = estimate(window_summary.energy.energy_kwh, completeness_of(window_summary));
  return of_energy(window_summary, year ? std::optional(*year / *area) : std::nullopt);
}

Figure leni_annualised(const WindowSummary& window_summary) {
  const auto area = stated(window_summary, "floor_area_m2");
  if (!is_lighting(window_summary)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(window_summary));
  const auto& energy = window_summary.energy;
  return of_energy(window_summary,
                   ratio(energy.energy_kwh / *area * kHoursOfYear, hours(energy.covered)));
}

Figure lighting_intensity(const WindowSummary& window_summary) {
  const auto area = stated(window_summary, "floor_area_m2");
  if (!is_lighting(window_summary)) return not_applicable();
  if (!area || *area <= 0) return missing("floor_area_m2", completeness_of(window_summary));
  return of_energy(window_summary, if_covered(window_summary.energy.covered,
                                              window_summary.energy.energy_kwh / *area));
}

}  // namespace district::kpi::figures
