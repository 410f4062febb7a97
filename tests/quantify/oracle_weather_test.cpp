// Degree days and thermal comfort against a slow second opinion (oracle.h).
#include <boost/test/unit_test.hpp>

#include "kpi/catalogue.h"
#include "oracle.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;

namespace {

// Mean outdoor temperatures of valid local days, by the day's start.
using DailyMeans = std::map<Minute, double>;

DailyMeans daily_means(const Memory& memory, const WallClock& clock, const std::string& meter) {
  std::map<Minute, std::pair<double, Minute>> days;  // sum over minutes, minutes
  for (const auto& one : memory.counting("temperature_out", meter)) {
    for (Minute from = one.start; from < one.end;) {
      const auto [day, next_day] = clock.window(WindowKind::day, from);
      const auto part = std::min(one.end, next_day) - from;
      days[day].first += one.value * part;
      days[day].second += part;
      from += part;
    }
  }
  DailyMeans means;
  for (const auto& [start, day] : days) {
    const auto [sum, covered] = day;
    if (2 * covered >= clock.window(WindowKind::day, start).second - start)
      means[start] = sum / covered;
  }
  return means;
}

void put_weather(Sheet& sheet, const DailyMeans& means, const WallClock& clock) {
  int valid = 0, expected = 0;
  double sum = 0, hdd = 0, cdd = 0, eurostat_hdd = 0, eurostat_cdd = 0;
  for (Minute day = sheet.start; day < sheet.end; day = clock.window(WindowKind::day, day).second) {
    ++expected;
    const auto found = means.find(day);
    if (found == means.end()) continue;
    const double mean = found->second;
    ++valid;
    sum += mean;
    hdd += std::max(0.0, 18 - mean);
    cdd += std::max(0.0, mean - 21);
    if (mean <= 15) eurostat_hdd += 18 - mean;
    if (mean >= 24) eurostat_cdd += mean - 21;
  }
  const auto put = [&](const char* kpi, double value) {
    auto& row = sheet.put(kpi, only_if(valid > 0, value), static_cast<double>(valid) / expected);
    row.attributes["valid_days"] = std::to_string(valid);
    row.attributes["expected_days"] = std::to_string(expected);
  };
  put("mean_temp_out_c", sum / valid);
  put("hdd18_kd", hdd);
  put("cdd21_kd", cdd);
  put("hdd_eurostat_kd", eurostat_hdd);
  put("cdd_eurostat_kd", eurostat_cdd);
}

std::optional<double> running_mean(const DailyMeans& means, const WallClock& clock, Minute at) {
  double sum = 0;
  Minute day = clock.window(WindowKind::day, at).first;
  for (const double weight : {1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2}) {
    day = clock.window(WindowKind::day, day - 1).first;
    const auto found = means.find(day);
    if (found == means.end()) return std::nullopt;
    sum += weight * found->second;
  }
  return sum / 3.8;
}

struct Category {
  const char* name;
  double heating_low, heating_high, cooling_low, cooling_high, adaptive_low, adaptive_high;
};
constexpr Category kCategories[] = {{"I", 21, 25, 23.5, 25.5, -3, 2},
                                    {"II", 20, 25, 23, 26, -4, 3},
                                    {"III", 18, 25, 22, 27, -5, 4},
                                    {"IV", 17, 25, 21, 28, 0, 0}};

void put_comfort(Sheet& sheet, const Memory& memory, const DailyMeans& means,
                 const WallClock& clock, bool outdoor) {
  std::map<std::string, double> sums;
  for (const auto& category : kCategories) {
    sums[std::string("hours_within_") + category.name] = 0;
    if (category.adaptive_high > 0) sums[std::string("adaptive_hours_within_") + category.name] = 0;
  }
  for (const auto* kpi : {"hours_below_II", "hours_above_II", "deg_hours_below_II",
                          "deg_hours_above_II", "adaptive_hours_applicable"})
    sums[kpi] = 0;
  Minute covered = 0;
  double degrees = 0;
  for (const auto& one : memory.counting("temperature_in")) {
    const auto part = sheet.overlap(one.start, one.end);
    if (part == 0) continue;
    covered += part;
    const double hours = in_hours(part), t = one.value;
    degrees += t * hours;
    const auto month = unsigned(clock.date(one.start).month());
    const bool heating = month >= 10 || month <= 4;
    const auto mean = running_mean(means, clock, one.start);
    const bool adaptive = mean && *mean >= 10 && *mean <= 30;
    if (adaptive) sums["adaptive_hours_applicable"] += hours;
    for (const auto& category : kCategories) {
      const double low = heating ? category.heating_low : category.cooling_low;
      const double high = heating ? category.heating_high : category.cooling_high;
      if (low <= t && t <= high) sums[std::string("hours_within_") + category.name] += hours;
      const double middle = 0.33 * mean.value_or(0) + 18.8;
      if (adaptive && category.adaptive_high > 0 && t >= middle + category.adaptive_low &&
          t <= middle + category.adaptive_high)
        sums[std::string("adaptive_hours_within_") + category.name] += hours;
      if (std::string(category.name) != "II") continue;
      if (t < low) sums["hours_below_II"] += hours;
      if (t > high) sums["hours_above_II"] += hours;
      sums["deg_hours_below_II"] += std::max(0.0, low - t) * hours;
      sums["deg_hours_above_II"] += std::max(0.0, t - high) * hours;
    }
  }
  const double hours = in_hours(covered);
  sums["mean_temp_in_c"] = degrees / hours;
  sums["percent_outside_II"] = 100 * (sums["hours_below_II"] + sums["hours_above_II"]) / hours;
  const double c = static_cast<double>(covered) / sheet.length();
  for (const auto& [kpi, sum] : sums) {
    if (kpi.starts_with("adaptive") && !outdoor) {
      sheet.lacks(kpi, "temperature_out", c);
      continue;
    }
    auto& row = sheet.put(kpi, only_if(covered > 0, sum), c);
    row.attributes["hours_present"] = spelled(hours);
    row.attributes["hours_expected"] = spelled(in_hours(sheet.length()));
  }
}

void put_energy_per_degree_day(Sheet& sheet, const Memory& memory, const DailyMeans& means,
                               const WallClock& clock, bool outdoor) {
  Minute covered = 0;
  double kwh = 0, hdd = 0;
  for (const auto& one : memory.counting("active_energy")) {
    covered += sheet.overlap(one.start, one.end);
    kwh += one.value * sheet.overlap(one.start, one.end) / (one.end - one.start);
  }
  const double c = static_cast<double>(covered) / sheet.length();
  if (!outdoor) return sheet.lacks("kwh_per_hdd", "temperature_out", c);
  int valid = 0, expected = 0;
  for (Minute day = sheet.start; day < sheet.end; day = clock.window(WindowKind::day, day).second) {
    ++expected;
    const auto found = means.find(day);
    if (found == means.end()) continue;
    ++valid;
    hdd += std::max(0.0, 18 - found->second);
  }
  auto& row = sheet.put("kwh_per_hdd",
                        only_if(c >= 0.9 && valid >= 0.9 * expected && hdd >= 20, kwh / hdd), c);
  row.attributes["valid_days"] = std::to_string(valid);
  row.attributes["expected_days"] = std::to_string(expected);
}

template <typename Put>
void put_windows(Rows& rows, const Memory& memory, const std::string& meter, const WallClock& clock,
                 WindowKind kind, const char* quantity, Put&& put) {
  const auto values = memory.all(quantity, meter);
  for (const auto& [start, end] : windows_of(clock, kind, values, end_of)) {
    Sheet sheet{rows, kind, start, end, {}};
    const auto count = [&](auto&& which) {
      return static_cast<int>(std::count_if(values.begin(), values.end(), [&](const auto& one) {
        return sheet.overlap(one.start, one.end) > 0 && which(one);
      }));
    };
    sheet.note("excluded_overlaps", count([](const auto& v) { return v.fate == Fate::excluded; }));
    sheet.note("estimated_values",
               count([](const auto& v) { return v.fate == Fate::counts && v.estimated; }));
    sheet.note("disputed",
               count([](const auto& v) { return v.fate == Fate::counts && v.disputed; }));
    put(sheet);
  }
}

std::chrono::year_month_day date_of(const std::string& date) {
  return std::chrono::floor<std::chrono::days>(at(date.c_str()));
}

// Local days, both included: "2019-03-01/2019-03-31".
std::pair<Minute, Minute> period_of(const std::string& text, const WallClock& clock) {
  const auto day = [&](const std::string& date) {
    const auto utc = minute_of(at(date.c_str()));
    auto minute = utc - 15 * 60;
    while (clock.date(minute) != clock.date(minute + 1) || clock.date(minute) < date_of(date))
      minute += 30;
    return clock.window(WindowKind::day, minute);
  };
  return {day(text.substr(0, 10)).first, day(text.substr(11)).second};
}

// Days that values cover by half at least.
std::set<Minute> valid_days(const Memory& memory, const WallClock& clock, const char* quantity,
                            const std::string& meter) {
  std::map<Minute, Minute> covered;
  for (const auto& one : memory.counting(quantity, meter)) {
    for (Minute from = one.start; from < one.end;) {
      const auto [day, next_day] = clock.window(WindowKind::day, from);
      covered[day] += std::min(one.end, next_day) - from;
      from = std::min(one.end, next_day);
    }
  }
  std::set<Minute> days;
  for (const auto& [day, minutes] : covered)
    if (2 * minutes >= clock.window(WindowKind::day, day).second - day) days.insert(day);
  return days;
}

// Of stories in which no baseline is good enough for a model.
void put_model(Rows& rows, const Memory& memory, const WallClock& clock, const std::string& meter,
               const std::string& sensor) {
  const auto stated = memory.latest("baseline", meter),
             reporting = memory.latest("reporting", meter);
  if (!stated || memory.all("active_energy", meter).empty()) return;
  const auto baseline = period_of(*stated, clock);
  const auto energy = valid_days(memory, clock, "active_energy", meter);
  const auto outdoor = valid_days(memory, clock, "temperature_out", sensor);
  int days = 0, expected = 0;
  for (Minute day = baseline.first; day < baseline.second;
       day = clock.window(WindowKind::day, day).second) {
    ++expected;
    days += energy.contains(day) && outdoor.contains(day);
  }
  const auto* lacking = expected < 365 ? "a baseline of 365 days" : "valid days of the baseline";
  const auto put = [&](WindowKind kind, std::pair<Minute, Minute> period, double c) {
    Sheet sheet{rows, kind, period.first, period.second, {}};
    for (const auto& kpi : catalogue())
      if (kpi.family == Family::model && kpi.has(kind))
        sheet.lacks(std::string(kpi.id), lacking, c);
  };
  put(WindowKind::baseline, baseline, static_cast<double>(days) / expected);
  if (reporting) put(WindowKind::reporting, period_of(*reporting, clock), 0);
}

Rows expected_of(const Memory& memory, const WallClock& clock, const std::string& meter) {
  Rows rows;
  const auto own = daily_means(memory, clock, meter);
  for (const auto kind : {WindowKind::day, WindowKind::month, WindowKind::year})
    put_windows(rows, memory, meter, clock, kind, "temperature_out",
                [&](Sheet& sheet) { put_weather(sheet, own, clock); });
  // Another meter's outdoor temperature stands in for the meter's own.
  auto sensor = meter;
  if (const auto named = memory.latest("outdoor_sensor", meter)) {
    for (const auto* quantity : {"temperature_out", "temperature_in", "active_energy"})
      if (!memory.all(quantity, named->substr(5)).empty()) sensor = named->substr(5);
  }
  const bool outdoor = !memory.all("temperature_out", sensor).empty();
  const auto means = daily_means(memory, clock, sensor);
  put_windows(rows, memory, meter, clock, WindowKind::month, "temperature_in",
              [&](Sheet& sheet) { put_comfort(sheet, memory, means, clock, outdoor); });
  for (const auto kind : {WindowKind::month, WindowKind::year})
    put_windows(rows, memory, meter, clock, kind, "active_energy", [&](Sheet& sheet) {
      put_energy_per_degree_day(sheet, memory, means, clock, outdoor);
    });
  put_model(rows, memory, clock, meter, sensor);
  return rows;
}

template <typename Value>
void add_series(Dice& dice, Story& story, const char* meter, const char* quantity, Minute begin,
                int days, Value&& value) {
  const auto step = dice.of({60, 60, 30, 90, 180, 20, 10});
  const auto holes = dice.of({2, 3, 20, 1000, 1000});
  begin += dice.one_in(2) ? 0 : dice.below(step);
  double of_day = 0;
  for (Minute start = begin; start < begin + days * kDay; start += step) {
    if ((start - begin) % kDay < step) of_day = value();
    if (dice.one_in(holes) || dice.one_in(300)) continue;
    Observation one{"SITE",
                    meter,
                    quantity,
                    "Cel",
                    ValueKind::mean,
                    instant_of(start),
                    instant_of(start + step),
                    dice.one_in(3) ? value() : of_day,
                    0,
                    dice.one_in(60) ? flag_estimated : 0U};
    story.observations.push_back(one);
    if (dice.one_in(40)) {
      one.value = value();
      story.observations.push_back(one);
    }
    if (!dice.one_in(60)) continue;
    one.end += std::chrono::minutes(step / 2);
    story.observations.push_back(one);
  }
}

Story some_story(Dice& dice) {
  auto story = some_place(dice);
  const auto days = dice.of({2, 10, 20, 50});
  story.begin -= kDay * dice.below(days);
  // Only whole days of one temperature are exactly at a limit.
  const double offset = dice.one_in(2) ? 0.5 * dice.below(20) : dice.below(1000) / 100.0;
  for (const auto* meter : {"", "ROOF", "YARD"}) {
    if (!dice.one_in(2)) continue;
    add_series(dice, story, meter, "temperature_out", story.begin - kDay * dice.below(9), days,
               [&] {
                 return dice.of({15.0, 24.0, 18.0, 21.0, 14.5, 5.0 + offset, 20.0 + offset});
               });
  }
  const auto state = [&](const char* attribute, const std::string& value, Minute from) {
    story.facts.push_back({"SITE", "", attribute, value, instant_of(from), std::nullopt, 0});
  };
  if (dice.one_in(2)) state("outdoor_sensor", "SITE/ROOF", story.begin);
  if (dice.one_in(4))
    state("outdoor_sensor", dice.of({"SITE/YARD", "SITE/"}),
          story.begin - 60 * dice.of({-1, 0, 1}));
  if (dice.one_in(2)) {
    const auto some_days = [&](Minute begin, int count) {
      const auto& clock = wall_clock(story.zone);
      const auto day = [&](Minute at) {
        return date::format("%F", std::chrono::sys_days(clock.date(at)));
      };
      return day(begin) + '/' + day(begin + count * kDay);
    };
    const auto some_time = [&] { return story.begin + kDay * (dice.below(20) - 10); };
    state("baseline", some_days(some_time(), dice.of({0, 5, 30})), story.begin);
    if (dice.one_in(3))  // a year of which most is missing
      state("baseline", some_days(story.begin - 300 * kDay, 365), story.begin + kDay);
    if (dice.one_in(2)) state("reporting", some_days(some_time(), dice.of({0, 5})), story.begin);
  }
  if (!dice.one_in(4))
    add_series(dice, story, "", "temperature_in", story.begin, days, [&] {
      return dice.of(
          {17.0, 18.0, 20.0, 21.0, 22.0, 23.0, 23.5, 25.0, 25.5, 26.0, 27.0, 28.0, 16.0 + offset});
    });
  if (!dice.one_in(3)) return story;
  const auto step = dice.of({360, kDay, 3 * kDay});
  for (Minute start = story.begin; start < story.begin + days * kDay; start += step)
    if (!dice.one_in(20))
      story.observations.push_back({"SITE", "", "active_energy", "kWh", ValueKind::interval,
                                    instant_of(start), instant_of(start + step), 12, 0, 0});
  return story;
}

// Of metered energy only what depends on the weather is looked at here.
std::set<std::string> of_energy() {
  std::set<std::string> kpis;
  for (const auto& kpi : catalogue())
    if (kpi.family == Family::interval_energy || kpi.family == Family::interval_quality)
      kpis.insert(std::string(kpi.id));
  kpis.erase("kwh_per_hdd");
  return kpis;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oracle)

BOOST_AUTO_TEST_CASE(degree_days_and_comfort_are_what_a_slow_second_opinion_says) {
  for (unsigned seed = 1; seed <= cases(6); ++seed) {
    Dice dice(seed);
    hold_against(seed, dice, some_story(dice), expected_of, {"", "ROOF", "YARD"}, of_energy());
  }
}

BOOST_AUTO_TEST_SUITE_END()
