#include "quantify/plausibility.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <tuple>

#include "base/limits.h"

namespace district::quantify {
namespace {

using namespace std::chrono_literals;
using store::MeasurementState;
using store::Version;

enum RuleFlag : std::uint32_t {
  unit_unknown = flag_first_rule,
  not_finite = flag_first_rule << 1U,
  end_before_start = flag_first_rule << 2U,
  length_impossible = flag_first_rule << 3U,
  before_2000 = flag_first_rule << 4U,
  far_future = flag_first_rule << 5U,
  future_measurement = flag_first_rule << 6U,
  negative_energy = flag_first_rule << 7U,
  negative_power = flag_first_rule << 8U,
  negative_register = flag_first_rule << 9U,
  temperature_impossible = flag_first_rule << 10U,
  price_impossible = flag_first_rule << 11U,
  spike = flag_first_rule << 12U,
};

constexpr Duration kIntervalMax = 24h * 32;  // a month and an hour
constexpr Duration kAheadMax = 24h * 7;      // prices and forecasts of the next days
constexpr Instant kEarliest{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
// The records are -89.2 and 56.7 degrees Celsius outdoors.
constexpr double kOutdoorMin = -90, kOutdoorMax = 60;
constexpr double kIndoorMin = -50, kIndoorMax = 80;
constexpr double kPriceMax = 1000;  // EUR/kWh, either way
// Fewer values of a day say little about what is usual.
constexpr std::size_t kOthersMin = 7;

bool lasts(ValueKind kind) { return kind == ValueKind::interval || kind == ValueKind::mean; }

std::uint32_t judge_time(const Observation& o, Instant received_at) {
  if (o.end < o.start || (lasts(o.kind) && o.end == o.start)) return end_before_start;
  if (lasts(o.kind) ? o.end - o.start > kIntervalMax : o.end != o.start) return length_impossible;
  if (o.start < kEarliest) return before_2000;
  return o.end > received_at + kAheadMax ? std::uint32_t{far_future} : 0;
}

std::uint32_t judge_value(const Observation& o, Instant received_at) {
  std::uint32_t flags = 0;
  const auto outside = [&o](double low, double high) { return o.value < low || o.value > high; };
  if (o.kind != ValueKind::mean && o.end > received_at + limits::kMessageAheadFlagged)
    flags |= future_measurement;
  if (o.quantity == "active_energy" && o.value < 0) flags |= negative_energy;
  if (o.quantity == "active_power" && o.value < 0) flags |= negative_power;
  if (o.kind == ValueKind::reading && o.value < 0) flags |= negative_register;
  if (o.quantity == "temperature_out" && outside(kOutdoorMin, kOutdoorMax))
    flags |= temperature_impossible;
  if (o.quantity == "temperature_in" && outside(kIndoorMin, kIndoorMax))
    flags |= temperature_impossible;
  if (o.quantity == "energy_price" && outside(-kPriceMax, kPriceMax)) flags |= price_impossible;
  return flags;
}

// As a rate, so that intervals of several lengths compare.
double size_of(ValueKind kind, const Version& version) {
  const auto hours = std::chrono::duration<double, std::ratio<3600>>(version.end - version.start);
  return std::abs(kind == ValueKind::interval ? version.value / hours.count() : version.value);
}

// The upper quartile of the values that differ in time or number: a resent value counts once.
double usual_size(ValueKind kind, std::span<const Version> day) {
  std::vector<std::tuple<Instant, Instant, double>> values;
  for (const auto& version : day) {
    if ((version.flags & kRuleFlags & ~std::uint32_t{spike}) != 0) continue;
    values.emplace_back(version.start, version.end, size_of(kind, version));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() <= kOthersMin) return 0;
  const auto quartile = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 3 / 4);
  std::nth_element(values.begin(), quartile, values.end(),
                   [](const auto& a, const auto& b) { return std::get<2>(a) < std::get<2>(b); });
  return std::get<2>(*quartile);
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {unit_unknown, "unit_unknown", "a known quantity in a unit that cannot be converted", false},
      {not_finite, "not_finite", "too large for a number once converted", false},
      {end_before_start, "end_before_start", "the period does not end after its start", false},
      {length_impossible, "length_impossible",
       "a period longer than 32 days, or a sample or reading with a period", false},
      {before_2000, "before_2000", "starts before the year 2000", false},
      {far_future, "far_future", "ends more than 7 days after its receipt", false},
      {future_measurement, "future_measurement",
       "an amount, a sample or a reading of a time more than 60 s after its receipt; prices and "
       "temperatures may be forecasts"},
      {negative_energy, "negative_energy", "active_energy below 0"},
      {negative_power, "negative_power", "active_power below 0"},
      {negative_register, "negative_register", "a register below 0"},
      {temperature_impossible, "temperature_impossible",
       "outdoors not within -90 to 60, indoors not within -50 to 80 degrees Celsius"},
      {price_impossible, "price_impossible", "a price not within -1000 to 1000 EUR/kWh"},
      {spike, "spike",
       "energy or power more than 10 000 times the upper quartile of its UTC day, which has at "
       "least 8 values"},
  };
  return all;
}

std::string names_of_rules(std::uint32_t flags) {
  std::string names;
  for (const auto& rule : rules()) {
    if ((flags & rule.flag) == 0) continue;
    if (!names.empty()) names += ' ';
    names += rule.name;
  }
  return names;
}

Judgement judge(const Observation& observation, Instant received_at, bool unit_known) {
  auto flags = judge_time(observation, received_at);
  if (!unit_known) flags |= unit_unknown;
  if (!std::isfinite(observation.value)) flags |= not_finite;
  if (flags != 0) return {flags, false};
  return {judge_value(observation, received_at), true};
}

bool judge_spikes(ValueKind kind, std::span<Version> day) {
  if (kind != ValueKind::interval && kind != ValueKind::instant) return false;
  // Nearly always nothing is so large that it needs a closer look.
  double largest = 0, smallest = 0;
  bool flagged = false;
  for (const auto& version : day) {
    const double size = size_of(kind, version);
    largest = std::max(largest, size);
    if (size > 0 && (smallest == 0 || size < smallest)) smallest = size;
    flagged = flagged || (version.flags & spike) != 0;
  }
  if (!flagged && !(largest > kSpikeFactor * smallest)) return false;
  const double limit = kSpikeFactor * usual_size(kind, day);
  bool changed = false;
  for (auto& version : day) {
    const bool is_spike = limit > 0 && size_of(kind, version) > limit;
    if (is_spike == ((version.flags & spike) != 0)) continue;
    version.flags ^= spike;
    changed = true;
  }
  return changed;
}

}  // namespace district::quantify
