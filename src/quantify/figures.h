// From what a window's values come to, to the figure of one KPI: the functions that the catalogue
// names, in figures_*.cpp. Private to quantify/.
// Pure functions. Threads: any.
#pragma once

#include "quantify/catalogue.h"

namespace district::quantify::figures {

// Interval energy.
Figure energy_use(const Evidence&);
Figure energy_estimate(const Evidence&);
Figure cost(const Evidence&);
Figure mean_price(const Evidence&);
Figure time_average_price(const Evidence&);
Figure peak_demand(const Evidence&);
Figure mean_demand(const Evidence&);
Figure load_factor(const Evidence&);
Figure base_load(const Evidence&);
Figure near_peak(const Evidence&);
Figure night_energy(const Evidence&);
Figure night_share(const Evidence&);
Figure co2(const Evidence&);
Figure energy_intensity(const Evidence&);
Figure energy_per_degree_day(const Evidence&);
Figure leni(const Evidence&);
Figure leni_annualised(const Evidence&);
Figure lighting_intensity(const Evidence&);

// Sampled power.
Figure power_energy(const Evidence&);
Figure power_energy_estimate(const Evidence&);
Figure power_peak(const Evidence&);
Figure operating_hours(const Evidence&);
Figure burning_energy(const Evidence&);
Figure standby_energy(const Evidence&);
Figure day_burning_hours(const Evidence&);
Figure full_load_hours(const Evidence&);
Figure power_density(const Evidence&);
Figure measured_power_density(const Evidence&);
Figure annual_consumption(const Evidence&);

// Registers.
Figure consumption(const Evidence&);

// Weather.
Figure mean_outdoor_temperature(const Evidence&);
Figure heating_degree_days(const Evidence&);
Figure cooling_degree_days(const Evidence&);
Figure eurostat_heating(const Evidence&);
Figure eurostat_cooling(const Evidence&);

// Comfort; categories from 0.
Figure mean_indoor_temperature(const Evidence&);
template <std::size_t category>
Figure hours_within(const Evidence&);
template <std::size_t category>
Figure adaptive_hours_within(const Evidence&);
Figure hours_below(const Evidence&);
Figure hours_above(const Evidence&);
Figure degree_hours_below(const Evidence&);
Figure degree_hours_above(const Evidence&);
Figure percent_outside(const Evidence&);
Figure adaptive_hours(const Evidence&);

// Quality.
Figure availability(const Evidence&);
Figure timeliness_1h(const Evidence&);
Figure timeliness_24h(const Evidence&);
Figure latency_median(const Evidence&);
Figure latency_p95(const Evidence&);
Figure latency_max(const Evidence&);
Figure correction_rate(const Evidence&);

// The weather model: baseline, then reporting period.
Figure heating_balance(const Evidence&);
Figure cooling_balance(const Evidence&);
Figure intercept(const Evidence&);
Figure heating_slope(const Evidence&);
Figure cooling_slope(const Evidence&);
Figure r2(const Evidence&);
Figure r2_adjusted(const Evidence&);
Figure model_days(const Evidence&);
Figure model_coefficients(const Evidence&);
Figure cvrmse(const Evidence&);
Figure nmbe(const Evidence&);
Figure candidates(const Evidence&);
Figure normalised_consumption(const Evidence&);
Figure reporting_days(const Evidence&);
Figure reporting_actual(const Evidence&);
Figure reporting_predicted(const Evidence&);
Figure avoided_energy(const Evidence&);
Figure reporting_nmbe(const Evidence&);
Figure reporting_cvrmse(const Evidence&);

}  // namespace district::quantify::figures
