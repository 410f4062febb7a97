#include "quantify/catalogue.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace district::quantify {
namespace {

constexpr double kBaseLoadShare = 0.025;  // 2.5th percentile
constexpr double kNearPeakShare = 0.975;

double hours(Duration duration) {
  return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}

double share(Duration part, const Window& window) {
  return static_cast<double>(part.count()) / static_cast<double>(window.length().count());
}

std::string spell(double number) {
  std::array<char, 32> text{};
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), problem == std::errc() ? end : text.data()};
}

std::string spell(Instant at) {
  const bool whole = at == std::chrono::floor<std::chrono::seconds>(at);
  return format_instant(at, whole ? 0 : 6);
}

void note(Figure& figure, const char* name, std::size_t count) {
  if (count > 0) figure.attributes.emplace(name, std::to_string(count));
}

Figure by_completeness(std::optional<double> value, double completeness) {
  return {value, completeness, status_of(completeness), {}, {}};
}

Figure missing(const char* what, double completeness) {
  return {std::nullopt, completeness, KpiStatus::insufficient, {{"missing", what}}, {}};
}

// Nothing of nothing is null, not zero.
std::optional<double> if_covered(Duration covered, double value) {
  return covered > Duration{} ? std::optional(value) : std::nullopt;
}

std::optional<double> ratio(double part, double whole) {
  return whole == 0 ? std::nullopt : std::optional(part / whole);
}

// --- metered energy

Figure of_energy(const Evidence& evidence, std::optional<double> value) {
  return by_completeness(value, share(evidence.energy.covered, evidence.window));
}

Figure energy_use(const Evidence& evidence) {
  const auto& energy = evidence.energy;
  auto figure = of_energy(evidence, if_covered(energy.covered, energy.energy_kwh));
  if (evidence.window.kind != WindowKind::hour) {
    figure.attributes.emplace("hours_expected", spell(hours(evidence.window.length())));
    figure.attributes.emplace("hours_present", spell(hours(energy.covered)));
  }
  note(figure, "estimated_values", energy.estimated);
  note(figure, "excluded_overlaps", energy.excluded);
  return figure;
}

std::optional<double> estimate(double total, double completeness) {
  if (completeness < kPartialCompleteness) return std::nullopt;
  return total / completeness;
}

Figure energy_estimate(const Evidence& evidence) {
  const double completeness = share(evidence.energy.covered, evidence.window);
  return of_energy(evidence, estimate(evidence.energy.energy_kwh, completeness));
}

Figure of_cost(const Evidence& evidence, std::optional<double> value) {
  const auto& energy = evidence.energy;
  if (energy.covered > Duration{} && energy.priced == Duration{}) return missing("energy_price", 0);
  return by_completeness(value, share(energy.priced, evidence.window));
}

Figure cost(const Evidence& evidence) {
  return of_cost(evidence, if_covered(evidence.energy.priced, evidence.energy.cost_eur));
}

Figure mean_price(const Evidence& evidence) {
  return of_cost(evidence, ratio(evidence.energy.cost_eur, evidence.energy.priced_kwh));
}

Figure time_average_price(const Evidence& evidence) {
  const auto& energy = evidence.energy;
  return by_completeness(ratio(energy.price_sum, static_cast<double>(energy.prices)),
                         share(energy.price_covered, evidence.window));
}

Figure peak_demand(const Evidence& evidence) {
  const auto& peak = evidence.energy.peak;
  if (!peak) return of_energy(evidence, std::nullopt);
  auto figure = of_energy(evidence, peak->value);
  figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

std::optional<double> mean_demand_kw(const EnergySummary& energy) {
  return ratio(energy.energy_kwh, hours(energy.covered));
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

Figure demand_percentile(const Evidence& evidence, double at) {
  const auto& demands = evidence.energy.demands_kw;
  if (demands.empty()) return of_energy(evidence, std::nullopt);
  return of_energy(evidence, percentile(demands, at));
}

Figure base_load(const Evidence& evidence) { return demand_percentile(evidence, kBaseLoadShare); }
Figure near_peak(const Evidence& evidence) { return demand_percentile(evidence, kNearPeakShare); }

Figure night_energy(const Evidence& evidence) {
  return of_energy(evidence, if_covered(evidence.energy.covered, evidence.energy.night_kwh));
}

Figure night_share(const Evidence& evidence) {
  return of_energy(evidence, ratio(evidence.energy.night_kwh, evidence.energy.energy_kwh));
}

// --- sampled power

Figure of_power(const Evidence& evidence, std::optional<double> value) {
  return by_completeness(value, share(evidence.power.covered, evidence.window));
}

Figure power_energy(const Evidence& evidence) {
  auto figure = of_power(evidence, if_covered(evidence.power.covered, evidence.power.energy_kwh));
  note(figure, "estimated_values", evidence.power.estimated);
  return figure;
}

Figure power_energy_estimate(const Evidence& evidence) {
  const double completeness = share(evidence.power.covered, evidence.window);
  return of_power(evidence, estimate(evidence.power.energy_kwh, completeness));
}

Figure power_peak(const Evidence& evidence) {
  const auto& peak = evidence.power.peak;
  if (!peak) return of_power(evidence, std::nullopt);
  auto figure = of_power(evidence, peak->value);
  figure.attributes.emplace("peak_at_utc", spell(peak->at));
  return figure;
}

// What needs to know whether the lamps are on.
Figure of_burning(const Evidence& evidence, double value) {
  const auto& power = evidence.power;
  if (!power.threshold_known)
    return missing("on_threshold_w", share(power.covered, evidence.window));
  return of_power(evidence, if_covered(power.covered, value));
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
  if (!power.installed_w || *power.installed_w <= 0) {
    return missing("installed_power_w", share(power.covered, evidence.window));
  }
  return of_power(evidence,
                  if_covered(power.covered, power.energy_kwh * 1000 / *power.installed_w));
}

// --- registers

Figure consumption(const Evidence& evidence) {
  const auto& registers = evidence.registers;
  Figure figure;
  figure.value = registers.consumption;
  figure.completeness = share(registers.covered, evidence.window);
  if (figure.value)
    figure.status = registers.boundary_in_gap ? KpiStatus::estimated : KpiStatus::complete;
  figure.unit = registers.unit.value_or("");
  if (!registers.unit) figure.attributes.emplace("missing", "unit");
  if (registers.unit_changed) figure.attributes.emplace("unit_changed", "true");
  figure.attributes.emplace("readings", std::to_string(registers.readings));
  note(figure, "rollovers", registers.rollovers);
  note(figure, "anomalies", registers.anomalies);
  note(figure, "estimated_values", registers.estimated);
  return figure;
}

std::vector<KpiDefinition> make_catalogue() {
  using enum Family;
  using enum CompletenessRule;
  const std::vector<WindowKind> all = {WindowKind::hour, WindowKind::day, WindowKind::month};
  const std::vector<WindowKind> day_month = {WindowKind::day, WindowKind::month};
  const std::vector<WindowKind> month = {WindowKind::month};
  return {
      {"energy_kwh", "sum of e_i; a period across the window's boundary by its overlap", "kWh",
       interval_energy, all, covered_time, "ISO 50006, measured value", energy_use},
      {"energy_estimate_kwh", "energy_kwh / completeness, from a completeness of 0.9", "kWh",
       interval_energy, day_month, covered_time, "after CalTRACK 2.2.1.2", energy_estimate},
      {"cost_eur", "sum of e_i * p_i over the periods with both", "EUR", interval_energy, all,
       priced_time, "kpis.md section 2", cost},
      {"mean_price_eur_kwh", "cost_eur / energy of the periods with a price", "EUR/kWh",
       interval_energy, all, priced_time, "kpis.md section 2", mean_price},
      {"time_avg_price_eur_kwh", "sum of p_i / n over the prices that start in the window",
       "EUR/kWh", interval_energy, all, price_time, "kpis.md section 2", time_average_price},
      {"peak_kw",
       "largest e_i / length of i, of the periods that start in the window; the first on ties",
       "kW", interval_energy, all, covered_time, "IEC 60050-691, maximum demand", peak_demand},
      {"mean_kw", "energy_kwh / hours present", "kW", interval_energy, all, covered_time,
       "kpis.md section 2", mean_demand},
      {"load_factor", "mean_kw / peak_kw", "1", interval_energy, all, covered_time,
       "IEC 60050-691, load factor", load_factor},
      {"base_load_kw", "2.5th percentile of e_i / length of i (Hyndman-Fan type 7)", "kW",
       interval_energy, month, covered_time, "Price, LBNL-3713E", base_load},
      {"near_peak_kw", "97.5th percentile of e_i / length of i (Hyndman-Fan type 7)", "kW",
       interval_energy, month, covered_time, "Price, LBNL-3713E", near_peak},
      {"night_kwh", "sum of e_i with a local start hour in [22, 6)", "kWh", interval_energy,
       day_month, covered_time, "kpis.md section 2", night_energy},
      {"night_share", "night_kwh / energy_kwh", "1", interval_energy, day_month, covered_time,
       "kpis.md section 2", night_share},

      {"energy_kwh",
       "sum of P_k * d_k, each sample held until the next, at most twice the nominal step", "kWh",
       instant_power, all, covered_time, "kpis.md section 5", power_energy},
      {"energy_estimate_kwh", "energy_kwh / completeness, from a completeness of 0.9", "kWh",
       instant_power, day_month, covered_time, "after CalTRACK 2.2.1.2", power_energy_estimate},
      {"operating_hours", "sum of d_k with P_k above on_threshold_w", "h", instant_power, all,
       covered_time, "kpis.md section 5", operating_hours},
      {"burning_energy_kwh", "sum of P_k * d_k with P_k above on_threshold_w", "kWh", instant_power,
       all, covered_time, "kpis.md section 5", burning_energy},
      {"standby_energy_kwh", "energy_kwh - burning_energy_kwh", "kWh", instant_power, all,
       covered_time, "kpis.md section 5", standby_energy},
      {"full_load_hours", "energy_kwh / installed_power_w", "h", instant_power, day_month,
       covered_time, "kpis.md section 5", full_load_hours},
      {"peak_w", "largest power that holds in the window; the first on ties", "W", instant_power,
       all, covered_time, "kpis.md section 5", power_peak},
      {"day_burning_hours", "operating hours in local [10:00, 16:00)", "h", instant_power,
       day_month, covered_time, "kpis.md section 5, fault indicator", day_burning_hours},

      {"consumption", "S(end) - S(start) of the accumulated register, linear between readings", "",
       register_reading, all, reading_gaps, "kpis.md section 6", consumption},
  };
}

}  // namespace

const std::vector<FamilyDefinition>& families() {
  static const std::vector<FamilyDefinition> all = {
      {Family::interval_energy,
       {{"active_energy", ValueKind::interval, "kWh"},
        {"energy_price", ValueKind::mean, "EUR/kWh"}},
       {"zone"}},
      {Family::instant_power,
       {{"active_power", ValueKind::instant, "W"}},
       {"zone", "nominal_step", "on_threshold_w", "installed_power_w"}},
      {Family::register_reading,
       {{"register", ValueKind::reading, "meter"}},
       {"zone", "unit", "register_modulus"}},
  };
  return all;
}

const FamilyDefinition& definition_of(Family family) {
  return families()[static_cast<std::size_t>(family)];  // in the order of the enumerators
}

const std::vector<KpiDefinition>& catalogue() {
  static const std::vector<KpiDefinition> all = make_catalogue();
  return all;
}

bool KpiDefinition::has(WindowKind window) const {
  return std::find(windows.begin(), windows.end(), window) != windows.end();
}

KpiStatus status_of(double completeness) {
  if (completeness >= 1) return KpiStatus::complete;
  return completeness >= kPartialCompleteness ? KpiStatus::partial : KpiStatus::insufficient;
}

}  // namespace district::quantify
