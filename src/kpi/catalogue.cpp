#include "kpi/catalogue.h"

#include <algorithm>

#include "base/near_name.h"
#include "kpi/figures.h"

namespace district::kpi {
namespace {

using enum WindowKind;
using enum CompletenessRule;
using namespace figures;
using namespace std::chrono_literals;

using Windows = std::vector<WindowKind>;
const Windows kAll = {hour, day, month, year};
const Windows kDays = {day, month, year};
const Windows kMonths = {month, year};
const Windows kMonth = {month};
const Windows kYear = {year};
const Windows kQuality = {day, month};
const Windows kBaseline = {baseline};
const Windows kReporting = {reporting};

constexpr const char* kDesign = "definition of this project";
constexpr const char* kStreet = "definition of this project";
constexpr const char* kEn16798 = "EN 16798-1, CEN/TR 16798-2";
constexpr const char* kCaltrack = "CalTRACK 2.0 daily methods";
constexpr const char* kGuideline14 = "ASHRAE Guideline 14";
constexpr const char* kIso25012 = "ISO/IEC 25012";

// Metered energy, cost, demand.
const std::vector<KpiDefinition> kEnergy = {
    {"energy_kwh", "sum of e_i; a period across the window's boundary by its overlap", "kWh",
     Family::interval_energy, kAll, covered_time, "ISO 50006, measured value", energy_use},
    {"energy_estimate_kwh", "energy_kwh / completeness, from a completeness of 0.9", "kWh",
     Family::interval_energy, kDays, covered_time, "after CalTRACK 2.2.1.2", energy_estimate},
    {"cost_eur", "sum of e_i * p_i over the periods with both", "EUR", Family::interval_energy,
     kAll, priced_time, kDesign, cost},
    {"mean_price_eur_kwh", "cost_eur / energy of the periods with a price", "EUR/kWh",
     Family::interval_energy, kAll, priced_time, kDesign, mean_price},
    {"time_avg_price_eur_kwh", "sum of p_i / n over the prices that start in the window", "EUR/kWh",
     Family::interval_energy, kDays, price_time, kDesign, time_average_price},
    {"peak_kw",
     "largest e_i / length of i, of the periods that start in the window; the first on ties", "kW",
     Family::interval_energy, kAll, covered_time, "IEC 60050-691, maximum demand", peak_demand},
    {"mean_kw", "energy_kwh / hours present", "kW", Family::interval_energy, kDays, covered_time,
     kDesign, mean_demand},
    {"load_factor", "mean_kw / peak_kw", "1", Family::interval_energy, kAll, covered_time,
     "IEC 60050-691, load factor", load_factor},
    {"base_load_kw", "2.5th percentile of e_i / length of i (Hyndman-Fan type 7)", "kW",
     Family::interval_energy, kMonths, covered_time, "Price, LBNL-3713E", base_load},
    {"near_peak_kw", "97.5th percentile of e_i / length of i (Hyndman-Fan type 7)", "kW",
     Family::interval_energy, kMonths, covered_time, "Price, LBNL-3713E", near_peak},
    {"night_kwh", "sum of e_i with a local start hour of the night, [22, 6)", "kWh",
     Family::interval_energy, kDays, covered_time, kDesign, night_energy},
    {"night_share", "night_kwh / energy_kwh", "1", Family::interval_energy, kDays, covered_time,
     kDesign, night_share},
    {"co2_kg",
     "sum of e_i * f_i, f of a series of factors or else the master data's at the start of i", "kg",
     Family::interval_energy, kAll, factored_time, "GHG Protocol scope 2; EN ISO 52000-1, K_CO2",
     co2},
    {"eui_kwh_m2a", "energy_estimate_kwh of the year / floor_area_m2", "kWh/(m2.a)",
     Family::interval_energy, kYear, covered_time, "EN ISO 52000-1", energy_intensity},
    {"kwh_per_hdd",
     "energy_kwh / hdd18_kd; null unless completeness and valid days are at least 0.9 and there "
     "are 20 K d",
     "kWh/(K.d)", Family::interval_energy, kMonths, covered_time, "definition of this project",
     energy_per_degree_day},
    {"leni_kwh_m2a", "energy_estimate_kwh of the year / floor_area_m2, of a lighting meter",
     "kWh/(m2.a)", Family::interval_energy, kYear, covered_time, "EN 15193-1", leni},
    {"leni_annualised_kwh_m2a",
     "energy_kwh / floor_area_m2 * 8760 / hours present, of a lighting meter", "kWh/(m2.a)",
     Family::interval_energy, kMonths, covered_time, "EN 15193-1, annualised estimate",
     leni_annualised},
    {"lighting_energy_intensity_kwh_m2", "energy_kwh / floor_area_m2, of a lighting meter",
     "kWh/m2", Family::interval_energy, kMonths, covered_time, "EN 15193-1", lighting_intensity},
};

// Street lighting: power sampled at instants.
const std::vector<KpiDefinition> kPower = {
    {"energy_kwh",
     "sum of P_k * d_k, each sample held until the next, at most twice the nominal step", "kWh",
     Family::instant_power, kAll, covered_time, kStreet, power_energy},
    {"energy_estimate_kwh", "energy_kwh / completeness, from a completeness of 0.9", "kWh",
     Family::instant_power, kDays, covered_time, "after CalTRACK 2.2.1.2", power_energy_estimate},
    {"operating_hours", "sum of d_k with P_k above on_threshold_w", "h", Family::instant_power,
     kAll, covered_time, kStreet, operating_hours},
    {"burning_energy_kwh", "sum of P_k * d_k with P_k above on_threshold_w", "kWh",
     Family::instant_power, kDays, covered_time, kStreet, burning_energy},
    {"standby_energy_kwh", "energy_kwh - burning_energy_kwh", "kWh", Family::instant_power, kDays,
     covered_time, kStreet, standby_energy},
    {"full_load_hours", "energy_kwh / installed_power_w", "h", Family::instant_power, kDays,
     covered_time, kStreet, full_load_hours},
    {"peak_w", "largest power that holds in the window; the first on ties", "W",
     Family::instant_power, kDays, covered_time, kStreet, power_peak},
    {"day_burning_hours", "operating hours in local [10:00, 16:00)", "h", Family::instant_power,
     kDays, covered_time, "fault indicator", day_burning_hours},
    {"pdi_w_per_lx_m2", "installed_power_w / illuminance_area_lx_m2", "W/(lx.m2)",
     Family::instant_power, kMonths, covered_time, "EN 13201-5, D_P", power_density},
    {"pdi_measured_w_per_lx_m2",
     "mean power while the lamps are on / (mean illuminance measured meanwhile * lit_area_m2)",
     "W/(lx.m2)", Family::instant_power, kMonths, covered_time,
     "EN 13201-5, D_P with measured illuminance", measured_power_density},
    {"aeci_kwh_m2", "energy_estimate_kwh of the year / lit_area_m2", "kWh/(m2.a)",
     Family::instant_power, kYear, covered_time, "EN 13201-5, D_E", annual_consumption},
};

const std::vector<KpiDefinition> kRegister = {
    {"consumption", "S(end) - S(start) of the accumulated register, linear between readings", "",
     Family::register_reading, kAll, reading_gaps, "definition of this project", consumption},
};

const std::vector<KpiDefinition> kWeather = {
    {"mean_temp_out_c", "mean of the valid days' T_d", "Cel", Family::weather, kDays, valid_days,
     "definition of this project", mean_outdoor_temperature},
    {"hdd18_kd", "sum over valid days of max(0, 18 - T_d)", "K.d", Family::weather, kDays,
     valid_days, "mean-temperature method", heating_degree_days},
    {"cdd21_kd", "sum over valid days of max(0, T_d - 21)", "K.d", Family::weather, kDays,
     valid_days, "mean-temperature method", cooling_degree_days},
    {"hdd_eurostat_kd", "sum of 18 - T_d over valid days with T_d up to 15", "K.d", Family::weather,
     kDays, valid_days, "Eurostat nrg_chdd", eurostat_heating},
    {"cdd_eurostat_kd", "sum of T_d - 21 over valid days with T_d from 24", "K.d", Family::weather,
     kDays, valid_days, "Eurostat nrg_chdd", eurostat_cooling},
};

const std::vector<KpiDefinition> kComfort = {
    {"mean_temp_in_c", "mean of the indoor temperature", "Cel", Family::comfort, kMonth,
     covered_time, kDesign, mean_indoor_temperature},
    {"hours_within_I", "hours within category I of the season", "h", Family::comfort, kMonth,
     covered_time, kEn16798, hours_within<0>},
    {"hours_within_II", "hours within category II of the season", "h", Family::comfort, kMonth,
     covered_time, kEn16798, hours_within<1>},
    {"hours_within_III", "hours within category III of the season", "h", Family::comfort, kMonth,
     covered_time, kEn16798, hours_within<2>},
    {"hours_within_IV", "hours within category IV of the season", "h", Family::comfort, kMonth,
     covered_time, kEn16798, hours_within<3>},
    {"hours_below_II", "hours below the lower limit of category II", "h", Family::comfort, kMonth,
     covered_time, "CEN/TR 16798-2, method A", hours_below},
    {"hours_above_II", "hours above the upper limit of category II", "h", Family::comfort, kMonth,
     covered_time, "CEN/TR 16798-2, method A", hours_above},
    {"deg_hours_below_II", "sum of hours * max(0, lower limit of II - T)", "K.h", Family::comfort,
     kMonth, covered_time, "CEN/TR 16798-2, method B", degree_hours_below},
    {"deg_hours_above_II", "sum of hours * max(0, T - upper limit of II)", "K.h", Family::comfort,
     kMonth, covered_time, "CEN/TR 16798-2, method B", degree_hours_above},
    {"percent_outside_II", "100 * hours outside category II / hours with a value", "%",
     Family::comfort, kMonth, covered_time, "CEN/TR 16798-2, method A", percent_outside},
    {"adaptive_hours_applicable", "hours of days with a running mean from 10 to 30 degrees Celsius",
     "h", Family::comfort, kMonth, covered_time, "EN 16798-1, adaptive", adaptive_hours},
    {"adaptive_hours_within_I", "of these, within 0.33 * running mean + 18.8, -3 / +2", "h",
     Family::comfort, kMonth, covered_time, "EN 16798-1, adaptive", adaptive_hours_within<0>},
    {"adaptive_hours_within_II", "of these, within 0.33 * running mean + 18.8, -4 / +3", "h",
     Family::comfort, kMonth, covered_time, "EN 16798-1, adaptive", adaptive_hours_within<1>},
    {"adaptive_hours_within_III", "of these, within 0.33 * running mean + 18.8, -5 / +4", "h",
     Family::comfort, kMonth, covered_time, "EN 16798-1, adaptive", adaptive_hours_within<2>},
};

// The KPIs of data quality, which each kind of series has.
std::vector<KpiDefinition> quality_of(Family family) {
  return {
      {"availability", "time covered by the periods received / time of the window", "1", family,
       kQuality, periods, kIso25012, availability},
      {"timeliness_1h", "periods first received within 1 h of their end / received", "1", family,
       kQuality, periods, kIso25012, timeliness_1h},
      {"timeliness_24h", "periods first received within 24 h of their end / received", "1", family,
       kQuality, periods, kIso25012, timeliness_24h},
      {"latency_median_s", "median of first receivedAt - end of the period", "s", family, kQuality,
       periods, kIso25012, latency_median},
      {"latency_p95_s", "95th percentile of first receivedAt - end of the period", "s", family,
       kQuality, periods, kIso25012, latency_p95},
      {"latency_max_s", "maximum of first receivedAt - end of the period", "s", family, kQuality,
       periods, kIso25012, latency_max},
      {"correction_rate", "periods with a superseded value / received", "1", family, kQuality,
       periods, kIso25012, correction_rate},
  };
}

const std::vector<KpiDefinition> kModel = {
    {"heating_bp_c", "balance point of the heating term", "Cel", Family::model, kBaseline,
     valid_days, kCaltrack, heating_balance},
    {"cooling_bp_c", "balance point of the cooling term", "Cel", Family::model, kBaseline,
     valid_days, kCaltrack, cooling_balance},
    {"intercept", "energy of a day without degree days", "kWh/d", Family::model, kBaseline,
     valid_days, kCaltrack, intercept},
    {"beta_hdd", "energy of a heating degree day", "kWh/(K.d)", Family::model, kBaseline,
     valid_days, kCaltrack, heating_slope},
    {"beta_cdd", "energy of a cooling degree day", "kWh/(K.d)", Family::model, kBaseline,
     valid_days, kCaltrack, cooling_slope},
    {"r2", "1 - squared errors / squared deviations from the mean", "1", Family::model, kBaseline,
     valid_days, kCaltrack, r2},
    {"r2_adj", "1 - (1 - r2) * (n - 1) / (n - p)", "1", Family::model, kBaseline, valid_days,
     kCaltrack, r2_adjusted},
    {"n_days", "days of the fit", "1", Family::model, kBaseline, valid_days, kCaltrack, model_days},
    {"n_coef", "coefficients of the model, the intercept among them", "1", Family::model, kBaseline,
     valid_days, kCaltrack, model_coefficients},
    {"cvrmse", "sqrt(squared errors / (n - p)) / mean energy of a day", "1", Family::model,
     kBaseline, valid_days, kGuideline14, cvrmse},
    {"nmbe", "sum of errors / ((n - p) * mean energy of a day)", "1", Family::model, kBaseline,
     valid_days, kGuideline14, nmbe},
    {"candidates_qualified", "candidate models that the best was chosen from", "1", Family::model,
     kBaseline, valid_days, kCaltrack, candidates},
    {"normalised_baseline_kwh",
     "sum of the model over the temperatures of normal_period, or else of the baseline", "kWh",
     Family::model, kBaseline, valid_days, "normalised annual consumption", normalised_consumption},
    {"reporting_days", "days of the reporting period with energy and temperature", "1",
     Family::model, kReporting, valid_days, kCaltrack, reporting_days},
    {"reporting_actual", "their energy", "kWh", Family::model, kReporting, valid_days, kCaltrack,
     reporting_actual},
    {"reporting_predicted", "the model's energy for their temperatures", "kWh", Family::model,
     kReporting, valid_days, kCaltrack, reporting_predicted},
    {"avoided_energy", "reporting_predicted - reporting_actual", "kWh", Family::model, kReporting,
     valid_days, kCaltrack, avoided_energy},
    {"reporting_nmbe_pct", "100 * sum of errors / ((n - p) * mean energy of a day)", "%",
     Family::model, kReporting, valid_days, kGuideline14, reporting_nmbe},
    {"reporting_cvrmse_pct", "100 * sqrt(squared errors / (n - p)) / mean energy of a day", "%",
     Family::model, kReporting, valid_days, kGuideline14, reporting_cvrmse},
};

std::vector<KpiDefinition> make_catalogue() {
  std::vector<KpiDefinition> all;
  for (const auto& part :
       {kEnergy, kPower, kRegister, kWeather, kComfort, quality_of(Family::interval_quality),
        quality_of(Family::sampled_quality), quality_of(Family::register_quality), kModel}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

const Input kActiveEnergy{"active_energy", ValueKind::interval, "kWh"};
const Input kActivePower{"active_power", ValueKind::instant, "W"};
const Input kRegisterReading{"register", ValueKind::reading, "meter"};
const Input kPrice{"energy_price", ValueKind::mean, "EUR/kWh"};
const Input kCo2Factor{"co2_factor", ValueKind::mean, "kg/kWh"};
const Input kIndoor{"temperature_in", ValueKind::mean, "Cel"};
const Input kOutdoor{"temperature_out", ValueKind::mean, "Cel"};
const Input kIlluminance{"illuminance", ValueKind::instant, "lx", kHoldMax};
// For the running mean of a week.
const Input kOutdoorWeek{"temperature_out", ValueKind::mean, "Cel", 24h * 9};

std::vector<FamilyDefinition> make_families() {
  return {
      {Family::interval_energy,
       "metered energy",
       {kActiveEnergy, kPrice, kCo2Factor, kOutdoor},
       {"zone", "co2_factor_kg_per_kwh", "floor_area_m2", "medium", "outdoor_sensor"},
       kAll,
       {},
       summarise_energy},
      {Family::instant_power,
       "sampled power",
       {kActivePower, kIlluminance},
       {"zone", "nominal_step", "on_threshold_w", "installed_power_w", "lit_area_m2",
        "illuminance_area_lx_m2"},
       kAll,
       kHoldMax,
       summarise_power},
      {Family::register_reading,
       "register",
       {kRegisterReading},
       {"zone", "unit", "register_modulus", "replaces_meter", "replaced_final_register",
        "initial_register"},
       kAll,
       {},
       summarise_register},
      {Family::weather, "outdoor temperature", {kOutdoor}, {"zone"}, kDays, {}, summarise_weather},
      {Family::comfort,
       "indoor temperature",
       {kIndoor, kOutdoorWeek},
       {"zone", "outdoor_sensor"},
       kMonth,
       24h * 9,
       summarise_comfort},
      {Family::interval_quality,
       "quality of metered energy",
       {kActiveEnergy},
       {"zone"},
       kQuality,
       {},
       summarise_quality},
      {Family::sampled_quality,
       "quality of sampled power",
       {kActivePower},
       {"zone", "nominal_step"},
       kQuality,
       {},
       summarise_sampled_quality},
      {Family::register_quality,
       "quality of a register",
       {kRegisterReading},
       {"zone", "nominal_step"},
       kQuality,
       {},
       summarise_register_quality},
      {Family::model,
       "weather model",
       {kActiveEnergy, kOutdoor},
       {"zone", "medium", "baseline", "reporting", "normal_period", "outdoor_sensor"},
       {baseline, reporting},
       {},
       summarise_model},
  };
}

}  // namespace

const std::vector<FamilyDefinition>& families() {
  static const std::vector<FamilyDefinition> all = make_families();
  return all;
}

const FamilyDefinition& definition_of(Family family) {
  return families()[static_cast<std::size_t>(family)];  // in the order of the enumerators
}

const std::vector<KpiDefinition>& catalogue() {
  static const std::vector<KpiDefinition> all = make_catalogue();
  return all;
}

const char* text_of(CompletenessRule rule) {
  switch (rule) {
    case covered_time:
      return "share of the window that values cover";
    case priced_time:
      return "share that energy with a price covers";
    case price_time:
      return "share that prices cover";
    case factored_time:
      return "share that energy with a CO2 factor covers";
    case valid_days:
      return "share of days that are valid";
    case reading_gaps:
      return "share in reading gaps of at most 6 h; status by the window's boundaries";
    case periods:
      return "share of the time for which values were received";
  }
  return "";
}

bool is_input(const Input& input, const Series& series) {
  return input.quantity == series.quantity && input.kind == series.kind &&
         input.unit == series.unit;
}

bool is_input(const Series& series) {
  return std::any_of(families().begin(), families().end(), [&](const auto& family) {
    return std::any_of(family.inputs.begin(), family.inputs.end(),
                       [&](const Input& input) { return is_input(input, series); });
  });
}

bool matters(std::string_view attribute) {
  // at_site decides from which site a meter inherits; site_zone is the zone of a site.
  if (attribute == "at_site" || attribute == "site_zone") return true;
  return std::any_of(families().begin(), families().end(), [&](const auto& family) {
    return std::find(family.facts.begin(), family.facts.end(), attribute) != family.facts.end();
  });
}

bool KpiDefinition::has(WindowKind window) const {
  return std::find(windows.begin(), windows.end(), window) != windows.end();
}

KpiStatus status_of(double completeness) {
  if (completeness >= 1) return KpiStatus::complete;
  return completeness >= kPartialCompleteness ? KpiStatus::partial : KpiStatus::insufficient;
}

Result<Ok> check_name(const std::string& kpi, const char* hint) {
  std::vector<std::string> known;
  for (const auto& entry : catalogue()) known.emplace_back(entry.id);
  if (std::ranges::find(known, kpi) != known.end()) return Ok{};
  return fail(ErrorCode::not_found, "there is no KPI '" + kpi + "'" + did_you_mean(kpi, known),
              hint);
}

}  // namespace district::kpi
