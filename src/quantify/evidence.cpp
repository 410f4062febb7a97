#include "quantify/evidence.h"

#include <algorithm>
#include <cmath>

namespace district::quantify {
namespace {

using store::Value;

double hours(Duration duration) {
  return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}

Duration overlap(Instant start, Instant end, const Window& window) {
  return std::max(Duration{}, std::min(end, window.end) - std::max(start, window.start));
}

bool starts_in(const Value& value, const Window& window) {
  return value.start >= window.start && value.start < window.end;
}

bool estimated(const Value& value) { return (value.flags & flag_estimated) != 0; }

bool at_night(Instant start, const Calendar& calendar) {
  const int hour = calendar.hour(start);
  return hour >= kNightStartHour || hour < kNightEndHour;
}

// The price that holds over the whole interval. `next` moves on with the intervals, by start.
const Value* price_of(const Value& interval, std::span<const Value> prices, std::size_t& next) {
  while (next < prices.size() && (prices[next].excluded || prices[next].end <= interval.start))
    ++next;
  if (next == prices.size()) return nullptr;
  const auto& price = prices[next];
  return price.start <= interval.start && price.end >= interval.end ? &price : nullptr;
}

// The part of [start, end) that is in the hours of local day in which no lamp should burn.
Duration by_day(Instant start, Instant end, const Calendar& calendar) {
  Duration total{};
  for (auto day = calendar.window(WindowKind::day, start); day.start < end;
       day = calendar.after(day)) {
    const Window bright{WindowKind::day, calendar.at_hour(day.start, kDayBurningStartHour),
                        calendar.at_hour(day.start, kDayBurningEndHour)};
    total += overlap(start, end, bright);
  }
  return total;
}

// The register's growth between two readings.
struct Step {
  double growth = 0;
  bool rollover = false, anomaly = false;
};

Step step_between(const Value& before, const Value& after, const MasterData& master) {
  const double difference = after.value - before.value;
  if (difference >= 0) return {difference, false, false};
  const auto modulus = master.number("register_modulus", after.start);
  if (modulus && *modulus > 0) {
    const double across = difference + *modulus;
    if (across >= 0 && across <= *modulus / 2) return {across, true, false};
  }
  return {0, false, true};
}

// The share of the pair's growth that falls into the window, linear between the readings.
double share_in(const Window& window, Instant before, Instant after) {
  const auto part = overlap(before, after, window);
  if (part == after - before) return 1;  // exactly: no rounding for pairs inside the window
  return static_cast<double>(part.count()) / static_cast<double>((after - before).count());
}

bool within(Instant boundary, Instant before, Instant after) {
  return boundary > before && boundary < after;
}

void read_unit(RegisterSummary& summary, const Window& window, const MasterData& master) {
  const auto at_start = master.text("unit", window.start);
  summary.unit = master.text("unit", window.end - Duration{1});
  if (!summary.unit) summary.unit = at_start;
  summary.unit_changed = at_start && at_start != summary.unit;
}

}  // namespace

Duration hold_at(const MasterData& master, Instant at) {
  return 2 * master.step("nominal_step", at).value_or(kNominalStepDefault);
}

EnergySummary summarise_energy(const Window& window, std::span<const Value> energy,
                               std::span<const Value> prices, const Calendar& calendar) {
  EnergySummary summary;
  std::size_t next_price = 0;
  for (const auto& interval : energy) {
    const auto part = overlap(interval.start, interval.end, window);
    if (part <= Duration{}) continue;
    if (interval.excluded) {
      ++summary.excluded;
      continue;
    }
    const auto length = interval.end - interval.start;
    const double inside = part == length ? interval.value
                                         : interval.value * (static_cast<double>(part.count()) /
                                                             static_cast<double>(length.count()));
    summary.energy_kwh += inside;
    summary.covered += part;
    if (at_night(interval.start, calendar)) summary.night_kwh += inside;
    if (estimated(interval)) ++summary.estimated;
    if (const auto* price = price_of(interval, prices, next_price)) {
      summary.cost_eur += inside * price->value;
      summary.priced_kwh += inside;
      summary.priced += part;
    }
    if (!starts_in(interval, window)) continue;
    const double demand = interval.value / hours(length);
    if (!summary.peak || demand > summary.peak->value) summary.peak = Peak{demand, interval.start};
    if (window.kind == WindowKind::month) summary.demands_kw.push_back(demand);
  }
  std::sort(summary.demands_kw.begin(), summary.demands_kw.end());
  for (const auto& price : prices) {
    if (price.excluded) continue;
    summary.price_covered += overlap(price.start, price.end, window);
    if (!starts_in(price, window)) continue;
    summary.price_sum += price.value;
    ++summary.prices;
  }
  return summary;
}

PowerSummary summarise_power(const Window& window, std::span<const Value> samples,
                             const MasterData& master, const Calendar& calendar) {
  PowerSummary summary;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    auto end = sample.start + hold_at(master, sample.start);
    if (i + 1 < samples.size()) end = std::min(end, samples[i + 1].start);
    const auto start = std::max(sample.start, window.start);
    end = std::min(end, window.end);
    if (end <= start) continue;
    const double energy = sample.value * hours(end - start) / 1000;
    summary.energy_kwh += energy;
    summary.covered += end - start;
    if (estimated(sample)) ++summary.estimated;
    if (!summary.peak || sample.value > summary.peak->value)
      summary.peak = Peak{sample.value, start};
    const auto threshold = master.number("on_threshold_w", sample.start);
    if (!threshold) summary.threshold_known = false;
    if (!threshold || sample.value <= *threshold) continue;
    summary.on += end - start;
    summary.on_kwh += energy;
    if (window.kind != WindowKind::hour) summary.day_on += by_day(start, end, calendar);
  }
  summary.installed_w = master.number("installed_power_w", window.end - Duration{1});
  return summary;
}

RegisterSummary summarise_register(const Window& window, std::span<const Value> readings,
                                   const MasterData& master) {
  RegisterSummary summary;
  read_unit(summary, window, master);
  for (const auto& reading : readings) {
    if (!starts_in(reading, window)) continue;
    ++summary.readings;
    if (estimated(reading)) ++summary.estimated;
  }
  double total = 0;
  for (std::size_t i = 1; i < readings.size(); ++i) {
    const auto before = readings[i - 1].start, after = readings[i].start;
    const auto part = overlap(before, after, window);
    if (part <= Duration{}) continue;
    const auto step = step_between(readings[i - 1], readings[i], master);
    total += step.growth * share_in(window, before, after);
    if (step.rollover) ++summary.rollovers;
    if (step.anomaly) ++summary.anomalies;
    if (after - before <= kRegisterGapMax) {
      summary.covered += part;
    } else if (within(window.start, before, after) || within(window.end, before, after)) {
      summary.boundary_in_gap = true;
    }
  }
  const bool inside = !readings.empty() && readings.front().start <= window.start &&
                      readings.back().start >= window.end;
  if (inside && !summary.unit_changed) summary.consumption = total;
  return summary;
}

double percentile(std::span<const double> ascending, double share) {
  const double position = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(position));
  const auto above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (position - std::floor(position)) * (ascending[above] - ascending[below]);
}

}  // namespace district::quantify
