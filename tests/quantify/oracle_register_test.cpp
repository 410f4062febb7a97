// Registers, their exchange and their quality against a slow second opinion (oracle.h).
#include <boost/test/unit_test.hpp>

#include "oracle.h"
#include "oracle_quality.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;

namespace {

constexpr Minute kGapMax = 6 * 60;

struct Point {
  Minute at = 0;
  double value = 0;
  std::optional<double> modulus;
  bool estimated = false;
  bool new_meter = false;  // nothing is differenced across
  bool rise = false;
};

// What W2 has taken over from W1, and when.
struct Exchange {
  Minute at = 0;
  std::optional<double> last, first;  // registers, where they were read
};

std::optional<Exchange> exchange_of(const Memory& memory) {
  for (Minute at = 0; at < kEnd; at += 15)  // stories have it at quarters of an hour
    if (memory.text("replaces_meter", at, "W2"))
      return Exchange{at, memory.number("replaced_final_register", at, "W2"),
                      memory.number("initial_register", at, "W2")};
  return std::nullopt;
}

std::vector<Point> points_of(const Memory& memory, const std::string& meter,
                             const std::optional<Exchange>& exchange) {
  std::vector<Point> points;
  const auto add_readings = [&](const std::string& of) {
    for (const auto& one : memory.counting("register", of))
      points.push_back({one.start, one.value, memory.number("register_modulus", one.start, of),
                        one.estimated, false, one.rise});
  };
  if (meter == "W1" || exchange) add_readings("W1");
  if (exchange && exchange->last)
    points.push_back(
        {exchange->at, *exchange->last, memory.number("register_modulus", exchange->at, "W1")});
  if (meter == "W1") return points;
  if (exchange && exchange->first)
    points.push_back({exchange->at, *exchange->first, std::nullopt, false, true});
  const auto own = points.size();
  add_readings("W2");
  if (exchange && !exchange->first && points.size() > own) points[own].new_meter = true;
  return points;
}

struct Step {
  double growth = 0;
  bool rollover = false, anomaly = false;
};

Step step_of(const Point& before, const Point& after) {
  if (after.new_meter) return {};
  const double d = after.value - before.value;
  if (d >= 0) return {d};
  if (after.modulus) {
    const double across = d + *after.modulus;
    const double most = *after.modulus * std::max(after.at - before.at, kDay) / (1000.0 * 60);
    if (across >= 0 && across <= std::min(most, *after.modulus / 2)) return {across, true, false};
  }
  return {0, false, true};
}

// The accumulated series; none outside the readings.
std::optional<double> total_until(const std::vector<Point>& points, Minute at) {
  if (points.empty() || at < points.front().at || at > points.back().at) return std::nullopt;
  double total = 0;
  for (std::size_t i = 1; i < points.size() && points[i - 1].at < at; ++i) {
    const auto growth = step_of(points[i - 1], points[i]).growth;
    const Minute length = points[i].at - points[i - 1].at;
    total += at >= points[i].at ? growth : growth * (at - points[i - 1].at) / length;
  }
  return total;
}

bool in_long_gap(const std::vector<Point>& points, Minute at) {
  for (std::size_t i = 1; i < points.size(); ++i)
    if (points[i - 1].at < at && at < points[i].at)
      return points[i].at - points[i - 1].at > kGapMax;
  return false;
}

void put_consumption(Sheet& sheet, const std::vector<Point>& points, const Memory& memory,
                     const std::string& meter, std::optional<Minute> replaced) {
  Minute covered = 0, unexplained = 0;
  int rollovers = 0, anomalies = 0, rises = 0, estimated = 0;
  std::set<Minute> instants;
  bool exchanged = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (sheet.has(points[i].at)) {
      instants.insert(points[i].at);
      estimated += points[i].estimated;
      exchanged |= points[i].new_meter && points[i].at > sheet.start;
    }
    if (i == 0) continue;
    const auto part = sheet.overlap(points[i - 1].at, points[i].at);
    if (part == 0) continue;
    const auto step = step_of(points[i - 1], points[i]);
    rollovers += step.rollover;
    anomalies += step.anomaly;
    rises += points[i].rise && !points[i].new_meter;
    if (points[i].new_meter) continue;
    if (step.anomaly || points[i].rise) {
      unexplained += part;
    } else if (points[i].at - points[i - 1].at <= kGapMax) {
      covered += part;
    }
  }
  const auto from = total_until(points, sheet.start), to = total_until(points, sheet.end);
  const auto unit_before = memory.text("unit", sheet.start, meter);
  const auto unit = memory.text("unit", sheet.end - 1, meter);
  const bool unit_changed = unit_before && unit && unit_before != unit;
  const bool known = from && to && !unit_changed;
  sheet.note("estimated_values", estimated);
  auto& row = sheet.put("consumption", only_if(known, to.value_or(0) - from.value_or(0)),
                        static_cast<double>(covered) / sheet.length());
  const bool in_gap = in_long_gap(points, sheet.start) || in_long_gap(points, sheet.end);
  row.status = !known ? "insufficient" : in_gap ? "estimated" : "complete";
  if (known && unexplained > 0)
    row.status = 10 * unexplained <= sheet.length() ? "partial" : "insufficient";
  const auto attribute = [&](bool there, const char* name, const std::string& value) {
    if (there) row.attributes[name] = value;
  };
  attribute(true, "readings", std::to_string(instants.size()));
  attribute(!unit && !unit_before, "missing", "unit");
  attribute(unit_changed, "unit_changed", "true");
  attribute(exchanged, "meter_exchanged", "true");
  attribute(rollovers > 0, "rollovers", std::to_string(rollovers));
  attribute(anomalies > 0, "anomalies", std::to_string(anomalies));
  attribute(rises > 0, "rises", std::to_string(rises));
  // Another meter goes on only where the window ends after the exchange.
  const bool goes_on = replaced && *replaced < sheet.end && from && !to && !unit_changed;
  attribute(goes_on, "continued_by", "W2");
}

Minute instant_of_reading(const Heard& reading) { return reading.start; }

Rows expected_of(const Memory& memory, const WallClock& clock, const std::string& meter) {
  Rows rows;
  auto exchange = exchange_of(memory);
  const auto values = memory.all("register", meter);
  if (memory.all("register", "W1").empty()) exchange.reset();
  const auto points = points_of(memory, meter, exchange);
  auto shown = values;  // in rows, whatever became of them
  if (meter == "W2" && exchange)
    for (const auto& one : memory.all("register", "W1")) shown.push_back(one);
  // The exchange is as good as a reading to end a gap.
  auto reached = values;
  const bool ends = exchange && (meter == "W2" || exchange->last) && !values.empty();
  if (ends) {
    Heard there;
    there.start = there.end = meter == "W2" ? exchange->at : exchange->at - 1;
    there.fate = Fate::exchange;
    reached.insert(meter == "W2" ? reached.begin() : reached.end(), there);
  }
  for (const auto kind : kWindows) {
    for (const auto& [start, end] : windows_of(clock, kind, reached, instant_of_reading)) {
      Sheet sheet{rows, kind, start, end, {}};
      sheet.note("implausible",
                 static_cast<int>(std::count_if(shown.begin(), shown.end(), [&](const auto& v) {
                   return v.fate == Fate::implausible && sheet.has(v.start);
                 })));
      const bool replaced = exchange && meter == "W1";
      put_consumption(sheet, points, memory, meter,
                      replaced ? std::optional(exchange->at) : std::nullopt);
    }
  }
  put_quality(rows, memory, clock, reached, instant_of_reading, std::nullopt, meter);
  return rows;
}

// Readings of a meter from the register on, of which some are wrong, late, corrected, lost.
void add_readings(Dice& dice, Story& story, const char* meter, Minute begin, Minute end,
                  double value, double modulus) {
  const auto step = dice.of({10, 15, 60, 60, 120, 359, 360, 361, 720});
  const auto holes = dice.of({2, 5, 1000});
  const auto jitter = dice.one_in(3) ? step : 1;
  for (Minute when = begin; when < end; when += step) {
    value = std::fmod(value + dice.of({0.0, 0.5, 1.0, 7.25, 90.0}), modulus);
    if (dice.one_in(40)) value = dice.below(static_cast<int>(modulus));  // exchanged or misread
    if (dice.one_in(holes)) continue;
    const auto at = instant_of(std::min(when + dice.below(jitter), end - 1));
    Observation one{"SITE",
                    meter,
                    "register",
                    "meter",
                    ValueKind::reading,
                    at,
                    at,
                    dice.one_in(60) ? -1 : value,
                    0,
                    dice.one_in(20) ? flag_estimated : 0U};
    story.observations.push_back(one);
    while (dice.one_in(8)) {
      if (dice.one_in(2)) one.value = value + dice.below(3);
      story.observations.push_back(one);
    }
  }
}

Story some_story(Dice& dice) {
  auto story = some_place(dice);
  const double modulus = dice.of({100.0, 1000.0});
  const auto spelled_modulus = std::to_string(static_cast<int>(modulus));
  const auto always = [&](const char* meter, const char* attribute, const std::string& value,
                          Minute from = 0) {
    story.facts.push_back({"SITE", meter, attribute, value, instant_of(from), std::nullopt, 0});
  };
  for (const auto* meter : {"W1", "W2"}) {
    if (!dice.one_in(4)) always(meter, "register_modulus", spelled_modulus);
    if (!dice.one_in(4)) always(meter, "unit", "L");
    if (dice.one_in(6)) always(meter, "unit", "m3", story.begin + 60 * dice.below(60));
    if (dice.one_in(3)) always(meter, "nominal_step", "PT1H");
  }
  const auto span = dice.of({600, kDay, 3 * kDay, 5 * kDay});
  const auto end = story.begin + span;
  const double register_now = dice.below(static_cast<int>(modulus));
  if (dice.one_in(2)) {
    add_readings(dice, story, "W1", story.begin, end, register_now, modulus);
    if (dice.one_in(6)) {
      const auto later = story.begin + kDay * dice.of({29, 31, 32, 80, 365, 367, 400});
      add_readings(dice, story, "W1", later, later + 60, register_now, modulus);
    }
    return story;
  }
  const auto exchange = (story.begin + dice.below(span)) / 15 * 15;
  add_readings(dice, story, "W1", story.begin, exchange, register_now, modulus);
  always("W2", "replaces_meter", "W1", exchange);
  if (dice.one_in(2)) always("W2", "replaced_final_register", "95", exchange);
  // A reading at the same instant as a stated one would contradict it.
  const bool initial = dice.one_in(2);
  if (initial) always("W2", "initial_register", "2", exchange);
  add_readings(dice, story, "W2", exchange + (initial ? 5 : 0), end + kDay, 3, modulus);
  return story;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oracle)

BOOST_AUTO_TEST_CASE(registers_are_what_a_slow_second_opinion_says) {
  for (unsigned seed = 1; seed <= cases(40); ++seed) {
    Dice dice(seed);
    hold_against(seed, dice, some_story(dice), expected_of, {"W1", "W2"});
  }
}

BOOST_AUTO_TEST_SUITE_END()
