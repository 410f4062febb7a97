#include <cmath>

#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

constexpr double kBaseLoadShare = 0.025;  // 2.5th percentile
constexpr double kNearPeakShare = 0.975;

// The values of another series that hold over whole intervals. To be asked in the order of starts.
class Companion {
 public:
  explicit Companion(std::span<const ValueVersion> versions) : versions_(versions) {}
  std::optional<double> over(const ValueVersion& interval) {
    while (next_ < versions_.size() &&
           (!counts(versions_[next_]) || versions_[next_].end <= interval.start)) {
      ++next_;
    }
    if (next_ == versions_.size()) return std::nullopt;
    const auto& found = versions_[next_];
    if (found.start > interval.start || found.end < interval.end) return std::nullopt;
    return found.value;
  }

 private:
  std::span<const ValueVersion> versions_;
  std::size_t next_ = 0;
};

// Whether an interval is at night, by the local hour of its start.
class Night {
 public:
  Night(const Calendar& calendar, const Standards& standards)
      : calendar_(calendar), first_(standards.night_start_hour), end_(standards.night_end_hour) {}
  bool holds(Instant start) const {
    const int hour = calendar_.hour(start);
    return first_ <= end_ ? hour >= first_ && hour < end_ : hour >= first_ || hour < end_;
  }

 private:
  const Calendar& calendar_;
  int first_, end_;
};

void add_prices(EnergySummary& summary, const Window& window,
                std::span<const ValueVersion> prices) {
  for (const auto& price : prices) {
    if (!counts(price)) continue;
    summary.price_covered += overlap(price.start, price.end, window);
    if (!starts_in(price.start, window)) continue;
    summary.price_sum += price.value;
    ++summary.prices;
  }
}

// The part of the window that the interval covers and that is not covered yet at `until`. Ends that
// miss each other, or an end of the window, by no more than kBoundary are one boundary: 00:59:59 is
// 01:00:00.
Duration newly_covered(const ValueVersion& interval, const Window& window, Instant until) {
  const auto tolerance = std::min(kBoundary, (interval.end - interval.start) / 2);
  auto start = std::max(interval.start, until), end = std::min(interval.end, window.end);
  if (start - until <= tolerance) start = until;
  if (window.end - end <= tolerance) end = window.end;
  return std::max(Duration{}, end - start);
}

}  // namespace

void summarise_energy(WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  const auto& material = *window_summary.material;
  auto& summary = window_summary.energy;
  const auto values = [&](std::size_t input) {
    return material.inputs[input].overlapping(window.start, window.end);
  };
  const bool ranks = window.kind == WindowKind::month || window.kind == WindowKind::year;
  Companion prices(values(1)), factors(values(2));
  const Night night(material.calendar, material.standards);
  // Factors of master data rarely change within a window.
  const auto stated = material.master.constant("co2_factor_kg_per_kwh", window.start, window.end);
  std::vector<double> demands;
  Instant until = window.start;  // covered until here
  for (const auto& interval : values(0)) {
    const auto part = overlap(interval.start, interval.end, window);
    if (part <= Duration{} || !take_note(window_summary.noted, interval)) continue;
    const auto length = interval.end - interval.start;
    const auto fresh = newly_covered(interval, window, until);
    until = std::max(until, interval.end);
    const double inside = part == length ? interval.value
                                         : interval.value * (static_cast<double>(part.count()) /
                                                             static_cast<double>(length.count()));
    summary.energy_kwh += inside;
    summary.covered += fresh;
    if (night.holds(interval.start)) summary.night_kwh += inside;
    if (const auto price = prices.over(interval)) {
      summary.cost_eur += inside * *price;
      summary.priced_kwh += inside;
      summary.priced += fresh;
    }
    auto factor = factors.over(interval);
    if (!factor) {
      factor = stated && starts_in(interval.start, window)
                   ? stated->number
                   : material.master.number("co2_factor_kg_per_kwh", interval.start);
    }
    if (factor) {
      summary.co2_kg += inside * *factor;
      summary.factored += fresh;
    }
    if (!starts_in(interval.start, window)) continue;
    const double demand = interval.value / hours(length);
    if (!summary.peak || demand > summary.peak->value) summary.peak = Peak{demand, interval.start};
    if (ranks) demands.push_back(demand);
  }
  if (!demands.empty()) {
    summary.low_demand_kw = percentile(demands, kBaseLoadShare);
    summary.high_demand_kw = percentile(demands, kNearPeakShare);
  }
  add_prices(summary, window, values(1));
  if (ranks && material.inputs[3].there)
    window_summary.weather = weather_of(window, material, material.inputs[3]);
}

double percentile(std::vector<double>& values, double share) {
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(std::floor(position));
  std::nth_element(values.begin(), below, values.end());
  const double low = *below;
  const double high = below + 1 == values.end() ? low : *std::min_element(below + 1, values.end());
  return low + (position - std::floor(position)) * (high - low);
}

std::span<const ValueVersion> InputValues::overlapping(Instant from, Instant to) const {
  const auto at = [this](Instant instant) {
    return std::partition_point(versions.begin(), versions.end(),
                                [instant](const ValueVersion& v) { return v.start < instant; });
  };
  return {at(from - longest), at(to)};
}

}  // namespace district::kpi
