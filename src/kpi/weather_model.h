// Daily energy as a function of the day's mean outdoor temperature: CalTRACK 2.0 daily methods, a
// change-point model of the PRISM type.
// Pure functions. Threads: any.
// Source: docs/reference/kpi-rules.md section 12; CalTRACK 2.0 methods 3.3 to 3.5; ASHRAE Guideline
// 14 for the fit.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace district::kpi {

struct DailyPoint {
  double energy = 0;       // of the day
  double temperature = 0;  // its mean, degrees Celsius
};

struct WeatherModel {
  std::optional<int> heating_balance, cooling_balance;  // degrees Celsius; nullopt: no such term
  double intercept = 0, heating_slope = 0, cooling_slope = 0;
  double r2 = 0, r2_adjusted = 0;
  std::size_t days = 0, coefficients = 1;
  double cvrmse = 0, nmbe = 0;  // fractions
  std::size_t qualified = 0;    // candidates of which the best was chosen
  const char* name() const;     // intercept_only, hdd_only, cdd_only, hdd_cdd
  double predict(double temperature) const;
};

// `points` has more than three elements. Ties: the candidate with fewer terms, then the one with
// lower balance points.
WeatherModel fit_weather_model(std::span<const DailyPoint> points, bool with_cooling);

}  // namespace district::kpi
