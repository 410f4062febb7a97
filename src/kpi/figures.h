// The functions that the catalogue names. Each makes the figure of one KPI from the summary of a
// window. They are in figures_*.cpp. Private to kpi/.
// Pure functions. Threads: any.
#pragma once

#include "kpi/catalogue.h"

namespace district::kpi::figures {

// Interval energy.
Figure energy_use(const WindowSummary&);
Figure energy_estimate(const WindowSummary&);
Figure cost(const WindowSummary&);
Figure mean_price(const WindowSummary&);
Figure time_average_price(const WindowSummary&);
Figure peak_demand(const WindowSummary&);
Figure mean_demand(const WindowSummary&);
Figure load_factor(const WindowSummary&);
Figure base_load(const WindowSummary&);
Figure near_peak(const WindowSummary&);
Figure night_energy(const WindowSummary&);
Figure night_share(const WindowSummary&);
Figure co2(const WindowSummary&);
Figure energy_intensity(const WindowSummary&);
Figure energy_per_degree_day(const WindowSummary&);
Figure leni(const WindowSummary&);
Figure leni_annualised(const WindowSummary&);
Figure lighting_intensity(const WindowSummary&);

// Sampled power.
Figure power_energy(const WindowSummary&);
Figure power_energy_estimate(const WindowSummary&);
Figure power_peak(const WindowSummary&);
Figure operating_hours(const WindowSummary&);
Figure burning_energy(const WindowSummary&);
Figure standby_energy(const WindowSummary&);
Figure day_burning_hours(const WindowSummary&);
Figure full_load_hours(const WindowSummary&);
Figure power_density(const WindowSummary&);
Figure measured_power_density(const WindowSummary&);
Figure annual_consumption(const WindowSummary&);

// Registers.
Figure consumption(const WindowSummary&);

// Weather.
Figure mean_outdoor_temperature(const WindowSummary&);
Figure heating_degree_days(const WindowSummary&);
Figure cooling_degree_days(const WindowSummary&);
Figure eurostat_heating(const WindowSummary&);
Figure eurostat_cooling(const WindowSummary&);

// Comfort. Categories are numbered from 0.
Figure mean_indoor_temperature(const WindowSummary&);
template <std::size_t category>
Figure hours_within(const WindowSummary&);
template <std::size_t category>
Figure adaptive_hours_within(const WindowSummary&);
Figure hours_below(const WindowSummary&);
Figure hours_above(const WindowSummary&);
Figure degree_hours_below(const WindowSummary&);
Figure degree_hours_above(const WindowSummary&);
Figure percent_outside(const WindowSummary&);
Figure adaptive_hours(const WindowSummary&);

// Quality.
Figure availability(const WindowSummary&);
Figure timeliness_1h(const WindowSummary&);
Figure timeliness_24h(const WindowSummary&);
Figure latency_median(const WindowSummary&);
Figure latency_p95(const WindowSummary&);
Figure latency_max(const WindowSummary&);
Figure correction_rate(const WindowSummary&);

// The weather model: baseline, then reporting period.
Figure heating_balance(const WindowSummary&);
Figure cooling_balance(const WindowSummary&);
Figure intercept(const WindowSummary&);
Figure heating_slope(const WindowSummary&);
Figure cooling_slope(const WindowSummary&);
Figure r2(const WindowSummary&);
Figure r2_adjusted(const WindowSummary&);
Figure model_days(const WindowSummary&);
Figure model_coefficients(const WindowSummary&);
Figure cvrmse(const WindowSummary&);
Figure nmbe(const WindowSummary&);
Figure candidates(const WindowSummary&);
Figure normalised_consumption(const WindowSummary&);
Figure reporting_days(const WindowSummary&);
Figure reporting_actual(const WindowSummary&);
Figure reporting_predicted(const WindowSummary&);
Figure avoided_energy(const WindowSummary&);
Figure reporting_nmbe(const WindowSummary&);
Figure reporting_cvrmse(const WindowSummary&);

}  // namespace district::kpi::figures
