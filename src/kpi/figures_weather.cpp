#include <cmath>

#include "kpi/figure_parts.h"

namespace district::kpi::figures {
namespace {

Figure of_days(const WindowSummary& window_summary, double value) {
  const auto& weather = window_summary.weather;
  const double completeness =
      static_cast<double>(weather.valid_days) / static_cast<double>(weather.expected_days);
  auto figure =
      by_completeness(weather.valid_days > 0 ? std::optional(value) : std::nullopt, completeness);
  figure.attributes.emplace("valid_days", std::to_string(weather.valid_days));
  figure.attributes.emplace("expected_days", std::to_string(weather.expected_days));
  return figure;
}

// The name of the KPI has the default base. When another is set, the row says so.
Figure with_base(Figure figure, double Standards::*setting, const WindowSummary& window_summary) {
  const double base = window_summary.material->standards.*setting;
  if (base != Standards{}.*setting) figure.attributes.emplace("base_c", spell(base));
  return figure;
}

Figure of_comfort(const WindowSummary& window_summary, double value) {
  const auto covered = window_summary.comfort.covered;
  auto figure = by_completeness(if_covered(covered, value), share(covered, window_summary.window));
  figure.attributes.emplace("hours_present", spell(hours(covered)));
  figure.attributes.emplace("hours_expected", spell(hours(window_summary.window.length())));
  return figure;
}

Figure of_adaptive(const WindowSummary& window_summary, double value) {
  if (!window_summary.material->inputs[1].there)
    return missing("temperature_out", of_comfort(window_summary, 0).completeness);
  return of_comfort(window_summary, value);
}

Figure of_model(const WindowSummary& window_summary, std::optional<double> value) {
  const auto& model = window_summary.model;
  const bool reporting = window_summary.window.kind == WindowKind::reporting;
  const auto days = static_cast<double>(reporting ? model.reporting_days : model.baseline_days);
  const auto expected =
      static_cast<double>(reporting ? model.reporting_expected : model.baseline_expected);
  const double completeness = expected > 0 ? days / expected : 0;
  if (!model.model) return missing(model.missing.value_or("baseline"), completeness);
  const auto& standards = window_summary.material->standards;
  auto figure = by_completeness(value, completeness);
  figure.attributes.emplace("model", model.model->name());
  if (model.model->cvrmse > standards.cvrmse_max ||
      std::abs(model.model->nmbe) > standards.nmbe_max) {
    figure.attributes.emplace("weak_model", "true");
  }
  return figure;
}

template <typename Number>
Figure of_model(const WindowSummary& window_summary, Number WeatherModel::*member) {
  const auto& model = window_summary.model.model;
  return of_model(window_summary, model ? std::optional(static_cast<double>((*model).*member))
                                        : std::optional<double>());
}

Figure of_balance(const WindowSummary& window_summary, std::optional<int> WeatherModel::*member) {
  const auto& model = window_summary.model.model;
  if (!model || !((*model).*member)) return of_model(window_summary, std::nullopt);
  return of_model(window_summary, static_cast<double>(*((*model).*member)));
}

Figure of_slope(const WindowSummary& window_summary, std::optional<int> WeatherModel::*balance,
                double WeatherModel::*slope) {
  const auto& model = window_summary.model.model;
  if (!model || !((*model).*balance)) return of_model(window_summary, std::nullopt);
  return of_model(window_summary, (*model).*slope);
}

Figure of_reporting(const WindowSummary& window_summary, double value) {
  return of_model(window_summary,
                  window_summary.model.reporting_days > 0 ? std::optional(value) : std::nullopt);
}

// Degrees of freedom: the number of days less that of the coefficients of the model.
double freedom(const ModelSummary& model) {
  const auto coefficients = model.model ? static_cast<double>(model.model->coefficients) : 1;
  return static_cast<double>(model.reporting_days) - coefficients;
}
double mean_actual(const ModelSummary& model) {
  return model.actual / static_cast<double>(model.reporting_days);
}

}  // namespace

Figure mean_outdoor_temperature(const WindowSummary& window_summary) {
  const auto& weather = window_summary.weather;
  return of_days(
      window_summary,
      weather.temperature_sum / static_cast<double>(std::max<std::size_t>(1, weather.valid_days)));
}
Figure heating_degree_days(const WindowSummary& window_summary) {
  return with_base(of_days(window_summary, window_summary.weather.heating_kd),
                   &Standards::heating_base, window_summary);
}
Figure cooling_degree_days(const WindowSummary& window_summary) {
  return with_base(of_days(window_summary, window_summary.weather.cooling_kd),
                   &Standards::cooling_base, window_summary);
}
Figure eurostat_heating(const WindowSummary& window_summary) {
  return of_days(window_summary, window_summary.weather.eurostat_heating_kd);
}
Figure eurostat_cooling(const WindowSummary& window_summary) {
  return of_days(window_summary, window_summary.weather.eurostat_cooling_kd);
}

Figure mean_indoor_temperature(const WindowSummary& window_summary) {
  const auto& comfort = window_summary.comfort;
  return of_comfort(window_summary,
                    ratio(comfort.degree_hours, hours(comfort.covered)).value_or(0));
}
template <std::size_t category>
Figure hours_within(const WindowSummary& window_summary) {
  return of_comfort(window_summary, hours(window_summary.comfort.within[category]));
}
template Figure hours_within<0>(const WindowSummary&);
template Figure hours_within<1>(const WindowSummary&);
template Figure hours_within<2>(const WindowSummary&);
template Figure hours_within<3>(const WindowSummary&);
template <std::size_t category>
Figure adaptive_hours_within(const WindowSummary& window_summary) {
  return of_adaptive(window_summary, hours(window_summary.comfort.adaptive_within[category]));
}
template Figure adaptive_hours_within<0>(const WindowSummary&);
template Figure adaptive_hours_within<1>(const WindowSummary&);
template Figure adaptive_hours_within<2>(const WindowSummary&);
Figure hours_below(const WindowSummary& window_summary) {
  return of_comfort(window_summary, hours(window_summary.comfort.below_second));
}
Figure hours_above(const WindowSummary& window_summary) {
  return of_comfort(window_summary, hours(window_summary.comfort.above_second));
}
Figure degree_hours_below(const WindowSummary& window_summary) {
  return of_comfort(window_summary, window_summary.comfort.degree_hours_below);
}
Figure degree_hours_above(const WindowSummary& window_summary) {
  return of_comfort(window_summary, window_summary.comfort.degree_hours_above);
}
Figure percent_outside(const WindowSummary& window_summary) {
  const auto& comfort = window_summary.comfort;
  const double outside = hours(comfort.below_second + comfort.above_second);
  return of_comfort(window_summary, ratio(100 * outside, hours(comfort.covered)).value_or(0));
}
Figure adaptive_hours(const WindowSummary& window_summary) {
  return of_adaptive(window_summary, hours(window_summary.comfort.adaptive));
}

Figure heating_balance(const WindowSummary& window_summary) {
  return of_balance(window_summary, &WeatherModel::heating_balance);
}
Figure cooling_balance(const WindowSummary& window_summary) {
  return of_balance(window_summary, &WeatherModel::cooling_balance);
}
Figure intercept(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::intercept);
}
Figure heating_slope(const WindowSummary& window_summary) {
  return of_slope(window_summary, &WeatherModel::heating_balance, &WeatherModel::heating_slope);
}
Figure cooling_slope(const WindowSummary& window_summary) {
  return of_slope(window_summary, &WeatherModel::cooling_balance, &WeatherModel::cooling_slope);
}
Figure r2(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::r2);
}
Figure r2_adjusted(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::r2_adjusted);
}
Figure model_days(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::days);
}
Figure model_coefficients(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::coefficients);
}
Figure cvrmse(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::cvrmse);
}
Figure nmbe(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::nmbe);
}
Figure candidates(const WindowSummary& window_summary) {
  return of_model(window_summary, &WeatherModel::qualified);
}
Figure normalised_consumption(const WindowSummary& window_summary) {
  auto figure = of_model(window_summary, window_summary.model.normalised);
  if (window_summary.model.model && !window_summary.model.normalised)
    figure.attributes.emplace("missing", "valid days of the normal period");
  return figure;
}

Figure reporting_days(const WindowSummary& window_summary) {
  return of_reporting(window_summary, static_cast<double>(window_summary.model.reporting_days));
}
Figure reporting_actual(const WindowSummary& window_summary) {
  return of_reporting(window_summary, window_summary.model.actual);
}
Figure reporting_predicted(const WindowSummary& window_summary) {
  return of_reporting(window_summary, window_summary.model.predicted);
}
Figure avoided_energy(const WindowSummary& window_summary) {
  return of_reporting(window_summary, window_summary.model.predicted - window_summary.model.actual);
}
Figure reporting_nmbe(const WindowSummary& window_summary) {
  const auto& model = window_summary.model;
  if (freedom(model) <= 0) return of_model(window_summary, std::nullopt);
  return of_model(window_summary, ratio(100 * (model.actual - model.predicted),
                                        freedom(model) * mean_actual(model)));
}
Figure reporting_cvrmse(const WindowSummary& window_summary) {
  const auto& model = window_summary.model;
  if (freedom(model) <= 0) return of_model(window_summary, std::nullopt);
  return of_model(window_summary,
                  ratio(100 * std::sqrt(model.squared_error / freedom(model)), mean_actual(model)));
}

}  // namespace district::kpi::figures
