#include <map>

#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

// The bases of Eurostat's degree days (nrg_chdd). The setting of the other bases does not change
// them.
constexpr double kEurostatHeatingBase = 18, kEurostatCoolingBase = 21;

// A day counts if at least half of it is covered (CalTRACK 2.2.2.3 and 2.2.1.2).
bool is_valid(Duration covered, const Window& day) { return 2 * covered >= day.length(); }

// Amount or time-weighted sum of the values in each local day, in one pass.
struct Day {
  Window window;
  // For energies, the amount. For temperatures, degrees times ticks: whole numbers of both add up
  // exactly, so that a day of 15 degrees has a mean of exactly 15.
  double sum = 0;
  Duration covered{};
  bool valid() const { return is_valid(covered, window); }
  double mean() const { return sum / static_cast<double>(covered.count()); }
  // The missing part of the day is taken to be like the rest of it.
  double filled() const { return sum / hours(covered) * hours(window.length()); }
};

std::vector<Day> days_of(const Window& window, const Material& material, const InputValues& input,
                         bool amounts) {
  std::vector<Day> days;
  each_day(window, material.calendar, [&](const Window& day) { days.push_back({day}); });
  auto day = days.begin();
  for (const auto& version : input.overlapping(window.start, window.end)) {
    if (!counts(version)) continue;
    while (day != days.end() && day->window.end <= version.start) ++day;
    for (auto at = day; at != days.end() && at->window.start < version.end; ++at) {
      const auto part = overlap(version.start, version.end, at->window);
      at->covered += part;
      at->sum += amounts ? version.value * (hours(part) / hours(version.end - version.start))
                         : version.value * static_cast<double>(part.count());
    }
  }
  return days;
}

// Running mean of the outdoor temperature, by local day (EN 16798-1).
class RunningMean {
 public:
  RunningMean(const Window& window, const Material& material, const InputValues& outdoor) {
    if (!outdoor.there) return;
    const auto first =
        material.calendar.window(WindowKind::day, window.start - std::chrono::hours(24 * 8));
    const Window with_week{WindowKind::day, first.start, window.end};
    days_ = days_of(with_week, material, outdoor, false);
  }
  // nullopt: not all of the seven days before are valid.
  std::optional<double> on_day_of(Instant at) const {
    constexpr std::array kWeights = {1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2};
    const auto day = std::partition_point(days_.begin(), days_.end(),
                                          [at](const Day& d) { return d.window.end <= at; });
    if (day - days_.begin() < static_cast<std::ptrdiff_t>(kWeights.size())) return std::nullopt;
    double sum = 0;
    auto before = day;
    for (const double weight : kWeights) {
      --before;
      if (!before->valid()) return std::nullopt;
      sum += weight * before->mean();
    }
    return sum / 3.8;
  }

 private:
  std::vector<Day> days_;
};

bool in_heating_season(const std::chrono::year_month_day& date, const Standards& standards) {
  const auto day = date.month() / date.day();
  const auto& first = standards.heating_first;
  const auto& last = standards.heating_last;
  return first <= last ? day >= first && day <= last : day >= first || day <= last;
}

bool within(const ComfortLimits& limits, double temperature) {
  return temperature >= limits.low && temperature <= limits.high;
}

void add_fixed(ComfortSummary& summary, const Standards& standards, bool heating, double value,
               Duration part) {
  const auto limits = [&](std::size_t category) {
    return heating ? standards.comfort[category].heating : standards.comfort[category].cooling;
  };
  for (std::size_t category = 0; category < summary.within.size(); ++category)
    if (within(limits(category), value)) summary.within[category] += part;
  const auto second = limits(1);
  if (value < second.low) {
    summary.below_second += part;
    summary.degree_hours_below += (second.low - value) * hours(part);
  }
  if (value > second.high) {
    summary.above_second += part;
    summary.degree_hours_above += (value - second.high) * hours(part);
  }
}

void add_adaptive(ComfortSummary& summary, const Standards& standards, double running_mean,
                  double value, Duration part) {
  if (running_mean < standards.adaptive_low || running_mean > standards.adaptive_high) return;
  summary.adaptive += part;
  const double comfort = standards.adaptive_slope * running_mean + standards.adaptive_offset;
  for (std::size_t category = 0; category < summary.adaptive_within.size(); ++category) {
    const auto& around = standards.comfort[category].adaptive;
    if (within({comfort + around.low, comfort + around.high}, value))
      summary.adaptive_within[category] += part;
  }
}

std::vector<DailyPoint> points_of(const std::vector<Day>& energy, const std::vector<Day>& outdoor) {
  std::vector<DailyPoint> points;
  for (std::size_t i = 0; i < energy.size(); ++i) {
    if (energy[i].valid() && outdoor[i].valid())
      points.push_back({energy[i].filled(), outdoor[i].mean()});
  }
  return points;
}

}  // namespace

WeatherSummary weather_of(const Window& window, const Material& material,
                          const InputValues& outdoor) {
  const auto& standards = material.standards;
  WeatherSummary summary;
  for (const auto& day : days_of(window, material, outdoor, false)) {
    ++summary.expected_days;
    if (!day.valid()) continue;
    ++summary.valid_days;
    const double mean = day.mean();
    summary.temperature_sum += mean;
    summary.heating_kd += std::max(0.0, standards.heating_base - mean);
    summary.cooling_kd += std::max(0.0, mean - standards.cooling_base);
    if (mean <= standards.eurostat_heating_threshold)
      summary.eurostat_heating_kd += kEurostatHeatingBase - mean;
    if (mean >= standards.eurostat_cooling_threshold)
      summary.eurostat_cooling_kd += mean - kEurostatCoolingBase;
  }
  return summary;
}

void summarise_weather(WindowSummary& window_summary) {
  const auto& outdoor = window_summary.material->inputs[0];
  for (const auto& version :
       outdoor.overlapping(window_summary.window.start, window_summary.window.end))
    if (overlap(version.start, version.end, window_summary.window) > Duration{})
      take_note(window_summary.noted, version);
  window_summary.weather = weather_of(window_summary.window, *window_summary.material, outdoor);
}

void summarise_comfort(WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  const auto& material = *window_summary.material;
  auto& summary = window_summary.comfort;
  const RunningMean running(window, material, material.inputs[1]);
  Window day{};
  std::optional<double> running_mean;
  bool heating = false;
  for (const auto& indoor : material.inputs[0].overlapping(window.start, window.end)) {
    const auto part = overlap(indoor.start, indoor.end, window);
    if (part <= Duration{} || !take_note(window_summary.noted, indoor)) continue;
    if (!starts_in(indoor.start, day)) {
      day = material.calendar.window(WindowKind::day, indoor.start);
      running_mean = running.on_day_of(indoor.start);
      heating = in_heating_season(material.calendar.date(indoor.start), material.standards);
    }
    summary.covered += part;
    summary.degree_hours += indoor.value * hours(part);
    add_fixed(summary, material.standards, heating, indoor.value, part);
    if (running_mean) add_adaptive(summary, material.standards, *running_mean, indoor.value, part);
  }
}

void summarise_model(WindowSummary& window_summary) {
  const auto& material = *window_summary.material;
  auto& summary = window_summary.model;
  const auto period = [&](WindowKind kind, const char* attribute) -> std::optional<Window> {
    const auto text = material.master.latest(attribute);
    return text ? material.calendar.days(kind, *text) : std::nullopt;
  };
  const auto baseline = period(WindowKind::baseline, "baseline");
  if (!baseline) return;
  if (!has_model(*baseline) || !has_model(window_summary.window)) {
    summary.missing = has_model(*baseline) ? "a reporting period of at most ten years"
                                           : "a baseline of at most ten years";
    return;
  }
  const auto points = [&](const Window& window, std::size_t& expected) {
    const auto energy = days_of(window, material, material.inputs[0], true);
    expected = energy.size();
    return points_of(energy, days_of(window, material, material.inputs[1], false));
  };
  const auto of_baseline = points(*baseline, summary.baseline_expected);
  summary.baseline_days = of_baseline.size();
  // CalTRACK asks for a year, of which a tenth may be missing.
  if (summary.baseline_expected < 365) {
    summary.missing = "a baseline of 365 days";
    return;
  }
  if (summary.baseline_expected - summary.baseline_days > summary.baseline_expected * 37 / 365) {
    summary.missing = "valid days of the baseline";
    return;
  }
  const auto medium = material.master.latest("medium");
  summary.model = fit_weather_model(of_baseline, medium != "gas" && medium != "heat");
  if (window_summary.window.kind == WindowKind::reporting) {
    for (const auto& point : points(window_summary.window, summary.reporting_expected)) {
      const double predicted = summary.model->predict(point.temperature);
      ++summary.reporting_days;
      summary.actual += point.energy;
      summary.predicted += predicted;
      summary.squared_error += (point.energy - predicted) * (point.energy - predicted);
    }
    return;
  }
  const auto normal = period(WindowKind::baseline, "normal_period").value_or(*baseline);
  if (!has_model(normal)) return;
  double sum = 0;
  for (const auto& day : days_of(normal, material, material.inputs[1], false)) {
    if (!day.valid()) return;  // a year with a gap is no normal year
    sum += summary.model->predict(day.mean());
  }
  summary.normalised = sum;
}

}  // namespace district::kpi
