#include "kpi/figure_parts.h"

namespace district::kpi::figures {
namespace {

double completeness_of(const WindowSummary& window_summary) {
  return share(window_summary.power.covered, window_summary.window);
}

Figure of_power(const WindowSummary& window_summary, std::optional<double> value) {
  return by_completeness(value, completeness_of(window_summary));
}

// A figure that depends on knowing whether the lamps are on.
Figure of_burning(const WindowSummary& window_summary, double value) {
  const auto& power = window_summary.power;
  if (!power.threshold_known)
    return lacking(window_summary, "on_threshold_w", completeness_of(window_summary));
  return of_power(window_summary, if_covered(power.covered, value));
}

}  // namespace

Figure power_energy(const WindowSummary& window_summary) {
  return of_power(window_summary,
                  if_covered(window_summary.power.covered, window_summary.power.energy_kwh));
}

Figure power_energy_estimate(const WindowSummary& window_summary) {
  return of_power(window_summary,
                  estimate(window_summary.power.energy_kwh, completeness_of(window_summary)));
}

Figure power_peak(const WindowSummary& window_summary) {
  const auto& peak = window_summary.power.peak;
  if (!peak) return of_power(window_summary, std::nullopt);
  auto figure = of_power(window_summary, peak->value);
  figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

Figure operating_hours(const WindowSummary& window_summary) {
  return of_burning(window_summary, hours(window_summary.power.on));
}
Figure burning_energy(const WindowSummary& window_summary) {
  return of_burning(window_summary, window_summary.power.on_kwh);
}
Figure standby_energy(const WindowSummary& window_summary) {
  return of_burning(window_summary, window_summary.power.energy_kwh - window_summary.power.on_kwh);
}
Figure day_burning_hours(const WindowSummary& window_summary) {
  return of_burning(window_summary, hours(window_summary.power.day_on));
}

Figure full_load_hours(const WindowSummary& window_summary) {
  const auto& power = window_summary.power;
  const auto installed = stated(window_summary, "installed_power_w");
  if (!installed || *installed <= 0)
    return missing("installed_power_w", completeness_of(window_summary));
  return of_power(window_summary, if_covered(power.covered, power.energy_kwh * 1000 / *installed));
}

Figure power_density(const WindowSummary& window_summary) {
  const auto installed = stated(window_summary, "installed_power_w");
  const auto lit = stated(window_summary, "illuminance_area_lx_m2");
  if (!installed) return missing("installed_power_w", completeness_of(window_summary));
  if (!lit || *lit <= 0) return missing("illuminance_area_lx_m2", completeness_of(window_summary));
  return of_power(window_summary, if_covered(window_summary.power.covered, *installed / *lit));
}

Figure measured_power_density(const WindowSummary& window_summary) {
  const auto& power = window_summary.power;
  const auto area = stated(window_summary, "lit_area_m2");
  if (!window_summary.material->inputs[1].there) return not_applicable();
  if (!area || *area <= 0) return missing("lit_area_m2", completeness_of(window_summary));
  if (power.lit_hours <= 0 || power.illuminance_lx_h <= 0)
    return of_power(window_summary, std::nullopt);
  const double mean_w = power.on_kwh * 1000 / hours(power.on);
  const double mean_lx = power.illuminance_lx_h / power.lit_hours;
  return of_power(window_summary, mean_w / (mean_lx * *area));
}

Figure annual_consumption(const WindowSummary& window_summary) {
  const auto area = stated(window_summary, "lit_area_m2");
  if (!area || *area <= 0) return missing("lit_area_m2", completeness_of(window_summary));
  const auto year = estimate(window_summary.power.energy_kwh, completeness_of(window_summary));
  return of_power(window_summary, year ? std::optional(*year / *area) : std::nullopt);
}

Figure consumption(const WindowSummary& window_summary) {
  const auto& registers = window_summary.registers;
  Figure figure;
  figure.value = registers.consumption;
  figure.completeness = share(registers.covered, window_summary.window);
  if (figure.value && registers.unexplained > Duration{}) {
    const double explained = 1 - share(registers.unexplained, window_summary.window);
    figure.status =
        explained >= kPartialCompleteness ? KpiStatus::partial : KpiStatus::insufficient;
  } else if (figure.value) {
    figure.status = registers.boundary_in_gap    ? KpiStatus::estimated
                    : registers.mostly_set_aside ? KpiStatus::partial
                                                 : KpiStatus::complete;
  }
  figure.unit = registers.unit.value_or("");
  if (!registers.unit) figure.attributes.emplace("missing", "unit");
  if (registers.unit_changed) figure.attributes.emplace("unit_changed", "true");
  if (registers.exchanged) figure.attributes.emplace("meter_exchanged", "true");
  figure.attributes.emplace("readings", std::to_string(registers.readings));
  note(figure, "rollovers", registers.rollovers);
  note(figure, "anomalies", registers.anomalies);
  note(figure, "rises", registers.rises);
  if (registers.continued)
    figure.attributes.emplace("continued_by", window_summary.material->successor->number);
  return figure;
}

}  // namespace district::kpi::figures
