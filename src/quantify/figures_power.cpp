#include "quantify/figure_parts.h"

namespace district::quantify::figures {
namespace {

double completeness_of(const Evidence& evidence) {
  return share(evidence.power.covered, evidence.window);
}

Figure of_power(const Evidence& evidence, std::optional<double> value) {
  return by_completeness(value, completeness_of(evidence));
}

// What needs to know whether the lamps are on.
Figure of_burning(const Evidence& evidence, double value) {
  const auto& power = evidence.power;
  if (!power.threshold_known) return lacking(evidence, "on_threshold_w", completeness_of(evidence));
  return of_power(evidence, if_covered(power.covered, value));
}

}  // namespace

Figure power_energy(const Evidence& evidence) {
  return of_power(evidence, if_covered(evidence.power.covered, evidence.power.energy_kwh));
}

Figure power_energy_estimate(const Evidence& evidence) {
  return of_power(evidence, estimate(evidence.power.energy_kwh, completeness_of(evidence)));
}

Figure power_peak(const Evidence& evidence) {
  const auto& peak = evidence.power.peak;
  if (!peak) return of_power(evidence, std::nullopt);
  auto figure = of_power(evidence, peak->value);
  figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

Figure operating_hours(const Evidence& evidence) {
  return of_burning(evidence, hours(evidence.power.on));
}
Figure burning_energy(const Evidence& evidence) {
  return of_burning(evidence, evidence.power.on_kwh);
}
Figure standby_energy(const Evidence& evidence) {
  return of_burning(evidence, evidence.power.energy_kwh - evidence.power.on_kwh);
}
Figure day_burning_hours(const Evidence& evidence) {
  return of_burning(evidence, hours(evidence.power.day_on));
}

Figure full_load_hours(const Evidence& evidence) {
  const auto& power = evidence.power;
  const auto installed = stated(evidence, "installed_power_w");
  if (!installed || *installed <= 0) return missing("installed_power_w", completeness_of(evidence));
  return of_power(evidence, if_covered(power.covered, power.energy_kwh * 1000 / *installed));
}

Figure power_density(const Evidence& evidence) {
  const auto installed = stated(evidence, "installed_power_w");
  const auto lit = stated(evidence, "illuminance_area_lx_m2");
  if (!installed) return missing("installed_power_w", completeness_of(evidence));
  if (!lit || *lit <= 0) return missing("illuminance_area_lx_m2", completeness_of(evidence));
  return of_power(evidence, if_covered(evidence.power.covered, *installed / *lit));
}

Figure measured_power_density(const Evidence& evidence) {
  const auto& power = evidence.power;
  const auto area = stated(evidence, "lit_area_m2");
  if (!evidence.material->inputs[1].there) return not_applicable();
  if (!area || *area <= 0) return missing("lit_area_m2", completeness_of(evidence));
  if (power.lit_hours <= 0 || power.illuminance_lx_h <= 0) return of_power(evidence, std::nullopt);
  const double mean_w = power.on_kwh * 1000 / hours(power.on);
  const double mean_lx = power.illuminance_lx_h / power.lit_hours;
  return of_power(evidence, mean_w / (mean_lx * *area));
}

Figure annual_consumption(const Evidence& evidence) {
  const auto area = stated(evidence, "lit_area_m2");
  if (!area || *area <= 0) return missing("lit_area_m2", completeness_of(evidence));
  const auto year = estimate(evidence.power.energy_kwh, completeness_of(evidence));
  return of_power(evidence, year ? std::optional(*year / *area) : std::nullopt);
}

Figure consumption(const Evidence& evidence) {
  const auto& registers = evidence.registers;
  Figure figure;
  figure.value = registers.consumption;
  figure.completeness = share(registers.covered, evidence.window);
  if (figure.value && registers.unexplained > Duration{}) {
    const double explained = 1 - share(registers.unexplained, evidence.window);
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
    figure.attributes.emplace("continued_by", evidence.material->successor->number);
  return figure;
}

}  // namespace district::quantify::figures
