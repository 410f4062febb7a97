#include <cmath>

#include "quantify/figure_parts.h"

namespace district::quantify::figures {
namespace {

Figure of_days(const Evidence& evidence, double value) {
  const auto& weather = evidence.weather;
  const double completeness =
      static_cast<double>(weather.valid_days) / static_cast<double>(weather.expected_days);
  auto figure =
      by_completeness(weather.valid_days > 0 ? std::optional(value) : std::nullopt, completeness);
  figure.attributes.emplace("valid_days", std::to_string(weather.valid_days));
  figure.attributes.emplace("expected_days", std::to_string(weather.expected_days));
  return figure;
}

// The default is the base that the KPI's name has; where the setting is another, the row says so.
Figure with_base(Figure figure, double Standards::*setting, const Evidence& evidence) {
  const double base = evidence.material->standards.*setting;
  if (base != Standards{}.*setting) figure.attributes.emplace("base_c", spell(base));
  return figure;
}

Figure of_comfort(const Evidence& evidence, double value) {
  const auto covered = evidence.comfort.covered;
  auto figure = by_completeness(if_covered(covered, value), share(covered, evidence.window));
  figure.attributes.emplace("hours_present", spell(hours(covered)));
  figure.attributes.emplace("hours_expected", spell(hours(evidence.window.length())));
  return figure;
}

Figure of_adaptive(const Evidence& evidence, double value) {
  if (!evidence.material->inputs[1].there)
    return missing("temperature_out", of_comfort(evidence, 0).completeness);
  return of_comfort(evidence, value);
}

Figure of_model(const Evidence& evidence, std::optional<double> value) {
  const auto& model = evidence.model;
  const bool reporting = evidence.window.kind == WindowKind::reporting;
  const auto days = static_cast<double>(reporting ? model.reporting_days : model.baseline_days);
  const auto expected =
      static_cast<double>(reporting ? model.reporting_expected : model.baseline_expected);
  const double completeness = expected > 0 ? days / expected : 0;
  if (!model.model) return missing(model.missing.value_or("baseline"), completeness);
  const auto& standards = evidence.material->standards;
  auto figure = by_completeness(value, completeness);
  figure.attributes.emplace("model", model.model->name());
  if (model.model->cvrmse > standards.cvrmse_max ||
      std::abs(model.model->nmbe) > standards.nmbe_max) {
    figure.attributes.emplace("weak_model", "true");
  }
  return figure;
}

template <typename Number>
Figure of_model(const Evidence& evidence, Number WeatherModel::*member) {
  const auto& model = evidence.model.model;
  return of_model(evidence, model ? std::optional(static_cast<double>((*model).*member))
                                  : std::optional<double>());
}

Figure of_balance(const Evidence& evidence, std::optional<int> WeatherModel::*member) {
  const auto& model = evidence.model.model;
  if (!model || !((*model).*member)) return of_model(evidence, std::nullopt);
  return of_model(evidence, static_cast<double>(*((*model).*member)));
}

Figure of_slope(const Evidence& evidence, std::optional<int> WeatherModel::*balance,
                double WeatherModel::*slope) {
  const auto& model = evidence.model.model;
  if (!model || !((*model).*balance)) return of_model(evidence, std::nullopt);
  return of_model(evidence, (*model).*slope);
}

Figure of_reporting(const Evidence& evidence, double value) {
  return of_model(evidence,
                  evidence.model.reporting_days > 0 ? std::optional(value) : std::nullopt);
}

// Days less the model's coefficients, and the mean energy of a day.
double freedom(const ModelSummary& model) {
  const auto coefficients = model.model ? static_cast<double>(model.model->coefficients) : 1;
  return static_cast<double>(model.reporting_days) - coefficients;
}
double mean_actual(const ModelSummary& model) {
  return model.actual / static_cast<double>(model.reporting_days);
}

}  // namespace

Figure mean_outdoor_temperature(const Evidence& evidence) {
  const auto& weather = evidence.weather;
  return of_days(evidence, weather.temperature_sum /
                               static_cast<double>(std::max<std::size_t>(1, weather.valid_days)));
}
Figure heating_degree_days(const Evidence& evidence) {
  return with_base(of_days(evidence, evidence.weather.heating_kd), &Standards::heating_base,
                   evidence);
}
Figure cooling_degree_days(const Evidence& evidence) {
  return with_base(of_days(evidence, evidence.weather.cooling_kd), &Standards::cooling_base,
                   evidence);
}
Figure eurostat_heating(const Evidence& evidence) {
  return of_days(evidence, evidence.weather.eurostat_heating_kd);
}
Figure eurostat_cooling(const Evidence& evidence) {
  return of_days(evidence, evidence.weather.eurostat_cooling_kd);
}

Figure mean_indoor_temperature(const Evidence& evidence) {
  const auto& comfort = evidence.comfort;
  return of_comfort(evidence, ratio(comfort.degree_hours, hours(comfort.covered)).value_or(0));
}
template <std::size_t category>
Figure hours_within(const Evidence& evidence) {
  return of_comfort(evidence, hours(evidence.comfort.within[category]));
}
template Figure hours_within<0>(const Evidence&);
template Figure hours_within<1>(const Evidence&);
template Figure hours_within<2>(const Evidence&);
template Figure hours_within<3>(const Evidence&);
template <std::size_t category>
Figure adaptive_hours_within(const Evidence& evidence) {
  return of_adaptive(evidence, hours(evidence.comfort.adaptive_within[category]));
}
template Figure adaptive_hours_within<0>(const Evidence&);
template Figure adaptive_hours_within<1>(const Evidence&);
template Figure adaptive_hours_within<2>(const Evidence&);
Figure hours_below(const Evidence& evidence) {
  return of_comfort(evidence, hours(evidence.comfort.below_second));
}
Figure hours_above(const Evidence& evidence) {
  return of_comfort(evidence, hours(evidence.comfort.above_second));
}
Figure degree_hours_below(const Evidence& evidence) {
  return of_comfort(evidence, evidence.comfort.degree_hours_below);
}
Figure degree_hours_above(const Evidence& evidence) {
  return of_comfort(evidence, evidence.comfort.degree_hours_above);
}
Figure percent_outside(const Evidence& evidence) {
  const auto& comfort = evidence.comfort;
  const double outside = hours(comfort.below_second + comfort.above_second);
  return of_comfort(evidence, ratio(100 * outside, hours(comfort.covered)).value_or(0));
}
Figure adaptive_hours(const Evidence& evidence) {
  return of_adaptive(evidence, hours(evidence.comfort.adaptive));
}

Figure heating_balance(const Evidence& evidence) {
  return of_balance(evidence, &WeatherModel::heating_balance);
}
Figure cooling_balance(const Evidence& evidence) {
  return of_balance(evidence, &WeatherModel::cooling_balance);
}
Figure intercept(const Evidence& evidence) { return of_model(evidence, &WeatherModel::intercept); }
Figure heating_slope(const Evidence& evidence) {
  return of_slope(evidence, &WeatherModel::heating_balance, &WeatherModel::heating_slope);
}
Figure cooling_slope(const Evidence& evidence) {
  return of_slope(evidence, &WeatherModel::cooling_balance, &WeatherModel::cooling_slope);
}
Figure r2(const Evidence& evidence) { return of_model(evidence, &WeatherModel::r2); }
Figure r2_adjusted(const Evidence& evidence) {
  return of_model(evidence, &WeatherModel::r2_adjusted);
}
Figure model_days(const Evidence& evidence) { return of_model(evidence, &WeatherModel::days); }
Figure model_coefficients(const Evidence& evidence) {
  return of_model(evidence, &WeatherModel::coefficients);
}
Figure cvrmse(const Evidence& evidence) { return of_model(evidence, &WeatherModel::cvrmse); }
Figure nmbe(const Evidence& evidence) { return of_model(evidence, &WeatherModel::nmbe); }
Figure candidates(const Evidence& evidence) { return of_model(evidence, &WeatherModel::qualified); }
Figure normalised_consumption(const Evidence& evidence) {
  auto figure = of_model(evidence, evidence.model.normalised);
  if (evidence.model.model && !evidence.model.normalised)
    figure.attributes.emplace("missing", "valid days of the normal period");
  return figure;
}

Figure reporting_days(const Evidence& evidence) {
  return of_reporting(evidence, static_cast<double>(evidence.model.reporting_days));
}
Figure reporting_actual(const Evidence& evidence) {
  return of_reporting(evidence, evidence.model.actual);
}
Figure reporting_predicted(const Evidence& evidence) {
  return of_reporting(evidence, evidence.model.predicted);
}
Figure avoided_energy(const Evidence& evidence) {
  return of_reporting(evidence, evidence.model.predicted - evidence.model.actual);
}
Figure reporting_nmbe(const Evidence& evidence) {
  const auto& model = evidence.model;
  if (freedom(model) <= 0) return of_model(evidence, std::nullopt);
  return of_model(
      evidence, ratio(100 * (model.actual - model.predicted), freedom(model) * mean_actual(model)));
}
Figure reporting_cvrmse(const Evidence& evidence) {
  const auto& model = evidence.model;
  if (freedom(model) <= 0) return of_model(evidence, std::nullopt);
  return of_model(evidence,
                  ratio(100 * std::sqrt(model.squared_error / freedom(model)), mean_actual(model)));
}

}  // namespace district::quantify::figures
