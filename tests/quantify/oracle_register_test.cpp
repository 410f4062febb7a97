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
  bool implausible = false;
  bool rise = false;
  bool disputed = false;
  bool fallen = false;
};

const std::vector<std::string> kMeters = {"W1", "W2", "W3", "W4"};

// What a meter has taken over from another, and when.
struct Exchange {
  std::string of;
  Minute at = 0;
  std::optional<double> last, first;  // registers, where they were read
};

// The latest exchange that the meter states, from that meter the one before, and so on, each
// earlier than the one behind it.
std::vector<Exchange> exchanges_of(const Memory& memory, const std::string& meter) {
  std::vector<Exchange> exchanges;
  for (auto newer = meter; exchanges.size() < 16; newer = exchanges.back().of) {
    const auto of = memory.latest("replaces_meter", newer);
    if (!of || *of == newer || memory.all("register", *of).empty()) break;
    const auto at = memory.since("replaces_meter", newer);
    if (!exchanges.empty() && at >= exchanges.back().at) break;
    exchanges.push_back({*of, at, memory.number("replaced_final_register", at, newer),
                         memory.number("initial_register", at, newer)});
  }
  return exchanges;
}

// The meter that replaced this one: the first to do so, by name where two did at once.
struct Successor {
  Minute at = 0;
  std::string meter;
  auto operator<=>(const Successor&) const = default;
};

std::optional<Successor> successor_of(const Memory& memory, const std::string& meter,
                                      const std::vector<Exchange>& exchanges) {
  std::optional<Successor> first;
  for (const auto& other : kMeters) {
    if (other == meter || memory.latest("replaces_meter", other) != meter) continue;
    const Successor one{memory.since("replaces_meter", other), other};
    if (!exchanges.empty() && one.at <= exchanges.front().at) continue;
    if (!first || one < *first) first = one;
  }
  return first;
}

// When the register was read for the last time, and its value.
std::optional<std::pair<Minute, double>> removal_of(const Memory& memory,
                                                    const std::optional<Successor>& successor) {
  if (!successor) return std::nullopt;
  const auto last = memory.number("replaced_final_register", successor->at, successor->meter);
  return last ? std::optional(std::pair(successor->at, *last)) : std::nullopt;
}

std::vector<Point> readings_of(const Memory& memory, const std::string& meter) {
  std::vector<Point> points;
  for (const auto& one : memory.all("register", meter)) {
    if (one.fate != Fate::counts && one.fate != Fate::implausible) continue;
    points.push_back({one.start, one.value, memory.number("register_modulus", one.start, meter),
                      one.fate == Fate::counts && one.estimated, false,
                      one.fate == Fate::implausible, one.rise,
                      one.fate == Fate::counts && one.disputed, one.fallen});
  }
  return points;
}

// The register that was read when the meter was taken away.
void add_final(std::vector<Point>& points, Minute at, double value, const Memory& memory,
               const std::string& meter) {
  const Point* last = nullptr;
  for (const auto& point : points)
    if (!point.implausible) last = &point;
  Point final{at, value, memory.number("register_modulus", at, meter)};
  final.rise = last != nullptr && last->fallen && value > 2 * last->value;
  points.push_back(final);
}

// Those of the meter from when it was installed until it was taken away, behind those of the meters
// before it.
std::vector<Point> points_of(const Memory& memory, const std::string& meter,
                             const std::vector<Exchange>& exchanges,
                             const std::optional<std::pair<Minute, double>>& removal) {
  auto points = readings_of(memory, meter);
  if (removal) {
    const auto [at, last] = *removal;
    std::erase_if(points, [&, at = at](const Point& point) { return point.at >= at; });
    add_final(points, at, last, memory, meter);
  }
  for (const auto& exchange : exchanges) {
    std::erase_if(points, [&](const Point& point) { return point.at < exchange.at; });
    auto earlier = readings_of(memory, exchange.of);
    std::erase_if(earlier, [&](const Point& point) { return point.at >= exchange.at; });
    if (exchange.last) add_final(earlier, exchange.at, *exchange.last, memory, exchange.of);
    const auto first = std::find_if(points.begin(), points.end(),
                                    [](const Point& point) { return !point.implausible; });
    if (exchange.first)
      earlier.push_back({exchange.at, *exchange.first, std::nullopt, false, true});
    else if (first != points.end())
      first->new_meter = true;
    points.insert(points.begin(), earlier.begin(), earlier.end());
  }
  return points;
}

struct Step {
  double growth = 0;
  bool rollover = false, anomaly = false, rise = false;
};

Step step_of(const Point& before, const Point& after) {
  if (after.new_meter) return {};
  const double d = after.value - before.value;
  if (d >= 0) {
    const double days = std::max(after.at - before.at, kDay) / static_cast<double>(kDay);
    const bool impossible =
        after.modulus && (d > *after.modulus / 2 || d > *after.modulus * days * 24 / 1000);
    return {d, false, false, after.rise || impossible};
  }
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
    if (length == 0) continue;  // two readings of one instant
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
                     const std::string& meter, const std::optional<Successor>& successor) {
  Minute covered = 0, unexplained = 0;
  int rollovers = 0, anomalies = 0, rises = 0, estimated = 0, disputed = 0, readings = 0;
  bool exchanged = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (sheet.has(points[i].at)) {
      // The two registers of an exchange are one reading.
      readings += !(points[i].new_meter && i > 0 && points[i - 1].at == points[i].at);
      estimated += points[i].estimated;
      disputed += points[i].disputed;
      exchanged |= points[i].new_meter && points[i].at > sheet.start;
    }
    if (i == 0) continue;
    const auto part = sheet.overlap(points[i - 1].at, points[i].at);
    if (part == 0) continue;
    const auto step = step_of(points[i - 1], points[i]);
    rollovers += step.rollover;
    anomalies += step.anomaly;
    rises += step.rise;
    if (points[i].new_meter) continue;
    if (step.anomaly || step.rise) {
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
  sheet.note("disputed", disputed);
  auto& row = sheet.put("consumption", only_if(known, to.value_or(0) - from.value_or(0)),
                        static_cast<double>(covered) / sheet.length());
  const bool in_gap = in_long_gap(points, sheet.start) || in_long_gap(points, sheet.end);
  const int set_aside =
      sheet.notes.contains("implausible") ? std::stoi(sheet.notes.at("implausible")) : 0;
  const bool doubtful = set_aside > readings;
  row.status = !known ? "insufficient" : in_gap ? "estimated" : doubtful ? "partial" : "complete";
  if (known && unexplained > 0)
    row.status = 10 * unexplained <= sheet.length() ? "partial" : "insufficient";
  const auto attribute = [&](bool there, const char* name, const std::string& value) {
    if (there) row.attributes[name] = value;
  };
  attribute(true, "readings", std::to_string(readings));
  attribute(!unit && !unit_before, "missing", "unit");
  attribute(unit_changed, "unit_changed", "true");
  attribute(exchanged, "meter_exchanged", "true");
  attribute(rollovers > 0, "rollovers", std::to_string(rollovers));
  attribute(anomalies > 0, "anomalies", std::to_string(anomalies));
  attribute(rises > 0, "rises", std::to_string(rises));
  // Another meter goes on only where the window ends after the exchange, and the readings of this
  // one before the window does.
  const bool begun = !points.empty() && points.front().at <= sheet.start;
  const bool goes_on = successor && successor->at < sheet.end && begun && !to && !unit_changed;
  attribute(goes_on, "continued_by", successor ? successor->meter : "");
}

Minute instant_of_reading(const Heard& reading) { return reading.start; }

Rows expected_of(const Memory& memory, const WallClock& clock, const std::string& meter) {
  Rows rows;
  const auto values = memory.all("register", meter);
  const auto exchanges = exchanges_of(memory, meter);
  const auto successor = successor_of(memory, meter, exchanges);
  const auto removal = removal_of(memory, successor);
  const auto shown = points_of(memory, meter, exchanges, removal);
  auto points = shown;
  std::erase_if(points, [](const Point& point) { return point.implausible; });
  // An exchange is as good as a reading to end a gap, or to begin one.
  auto reached = values;
  const auto reach = [&](Minute start, Minute end) {
    Heard there;
    there.start = start;
    there.end = end;
    there.fate = Fate::exchange;
    reached.push_back(there);
  };
  if (!exchanges.empty()) reach(exchanges.front().at, exchanges.front().at);
  if (removal) reach(removal->first - 1, removal->first);
  std::stable_sort(reached.begin(), reached.end(),
                   [](const auto& a, const auto& b) { return place_of(a) < place_of(b); });
  for (const auto kind : kWindows) {
    for (const auto& [start, end] : windows_of(clock, kind, reached, instant_of_reading)) {
      // What was before is the replaced meter's.
      if (!exchanges.empty() && end <= exchanges.front().at) continue;
      Sheet sheet{rows, kind, start, end, {}};
      sheet.note("implausible",
                 static_cast<int>(std::count_if(shown.begin(), shown.end(), [&](const auto& p) {
                   return p.implausible && sheet.has(p.at);
                 })));
      put_consumption(sheet, points, memory, meter, successor);
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

// A good reading, and one that cannot be true: with it the register is known before the good one.
void add_few_readings(Dice& dice, Story& story, const char* meter, Minute begin, Minute end) {
  for (const double value : {-1.0, 4.0}) {
    const auto at = instant_of(begin + dice.below(end - begin));
    story.observations.push_back(
        {"SITE", meter, "register", "meter", ValueKind::reading, at, at, value, 0, 0});
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
  for (const auto* meter : {"W1", "W2", "W3", "W4"}) {
    if (!dice.one_in(4)) always(meter, "register_modulus", spelled_modulus);
    if (!dice.one_in(4)) always(meter, "unit", "L");
    if (dice.one_in(6)) always(meter, "unit", "m3", story.begin + 60 * dice.below(60));
    if (dice.one_in(3)) always(meter, "nominal_step", "PT1H");
  }
  const auto span = dice.of({600, kDay, 3 * kDay, 5 * kDay});
  const double register_now = dice.below(static_cast<int>(modulus));
  if (dice.one_in(3)) {
    add_readings(dice, story, "W1", story.begin, story.begin + span, register_now, modulus);
    if (dice.one_in(6)) {
      const auto later = story.begin + kDay * dice.of({2, 3, 4, 29, 31, 32, 400, 730, 732});
      add_readings(dice, story, "W1", later, later + 60, register_now, modulus);
    }
    return story;
  }
  // One meter after the other, each read for some time; before it was installed and after it was
  // taken away it may be read, too.
  const auto state_exchange = [&](const std::string& meter, const std::string& of, Minute at) {
    always(meter.c_str(), "replaces_meter", of, at);
    if (dice.one_in(2)) always(meter.c_str(), "replaced_final_register", "95", at);
    if (dice.one_in(2)) always(meter.c_str(), "initial_register", "2", at);
  };
  const auto quarter = [](Minute at) { return at / 15 * 15; };
  const auto some_readings = [&](const char* meter, Minute at) {
    add_readings(dice, story, meter, at, at + dice.of({30, 300, kDay}), 3, modulus);
  };
  const auto count = static_cast<std::size_t>(dice.of({2, 2, 2, 3, 4}));
  auto begin = story.begin;
  std::vector<Minute> exchanges;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* meter = kMeters[i].c_str();
    const auto end =
        quarter(begin + dice.below(span) + dice.of({0, 0, 0, 720, 2 * kDay, 20 * kDay, 40 * kDay}));
    const auto silent = dice.of({0, 0, 5, 600, kDay});  // from its installation on
    if (!dice.one_in(5)) {
      add_readings(dice, story, meter, begin + silent, std::min(end, begin + silent + span),
                   i == 0 ? register_now : 3, modulus);
    } else {
      add_few_readings(dice, story, meter, begin, std::max(begin + 60, end));
    }
    if (i > 0 && dice.one_in(3)) some_readings(meter, begin - dice.of({30, 2 * kDay, 35 * kDay}));
    if (dice.one_in(3))
      some_readings(meter, end + dice.of({0, 5, 60, kDay, 3 * kDay, 20 * kDay, 40 * kDay}));
    if (i > 0) state_exchange(kMeters[i], kMeters[i - 1], begin);
    exchanges.push_back(begin);
    begin = end;
  }
  const auto any = [&] { return static_cast<std::size_t>(dice.below(static_cast<int>(count))); };
  // What an administrator puts right, or gets wrong: another time, two that replace one, circles.
  if (dice.one_in(5)) state_exchange("W2", "W1", quarter(exchanges[1] + dice.below(kDay) - 600));
  if (dice.one_in(5)) state_exchange(kMeters[any()], kMeters[any()], exchanges[any()]);
  if (dice.one_in(5)) {
    const auto at = dice.one_in(2) ? exchanges[1] : quarter(exchanges[1] + dice.below(kDay) - 600);
    state_exchange("W4", "W1", at);
    add_readings(dice, story, "W4", at, at + 300, 3, modulus);
  }
  return story;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oracle)

BOOST_AUTO_TEST_CASE(registers_are_what_a_slow_second_opinion_says) {
  for (unsigned seed = 1; seed <= cases(12); ++seed) {
    Dice dice(seed);
    hold_against(seed, dice, some_story(dice), expected_of, kMeters);
  }
}

BOOST_AUTO_TEST_SUITE_END()
