// Mistakes of the unit and other wrong values, judged against the series' own history.
#include "series/plausibility.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <random>

#include "../support/measurements.h"

using namespace district;
using namespace district::series;
using namespace district::test;
using namespace std::chrono_literals;

namespace {

// A house: little at night, more in the evening, never twice the same.
double usual(int hour, std::mt19937& random) {
  const int of_day = hour % 24;
  const double base = of_day >= 17 && of_day < 22 ? 1.2 : of_day < 6 ? 0.15 : 0.4;
  return base * (0.5 + static_cast<double>(random() % 100) / 100);
}

std::vector<ValueVersion> house(int days, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<ValueVersion> versions;
  for (int hour = 0; hour < days * 24; ++hour) {
    ValueVersion one;
    one.start = at("2024-03-01") + 1h * hour;
    one.end = one.start + 1h;
    one.received_at = one.end;
    one.value = usual(hour, random);
    versions.push_back(one);
  }
  return versions;
}

// Names of the rules that the values at these places break; all others break none.
std::string judged(std::vector<ValueVersion> versions, const std::vector<std::size_t>& places) {
  const auto around =
      surroundings_of(ValueKind::interval, versions.front().start, versions.back().start);
  judge_among_others(ValueKind::interval, versions, *around);
  std::string text;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const bool meant = std::find(places.begin(), places.end(), i) != places.end();
    if (meant) text += (text.empty() ? "" : " ") + names_of_rules(versions[i].flags);
    if (!meant && versions[i].flags != 0) return "flagged: " + std::to_string(i);
  }
  return text;
}

std::vector<ValueVersion> times(std::vector<ValueVersion> versions, double factor,
                                const std::vector<std::size_t>& places) {
  for (const auto place : places) versions[place].value *= factor;
  return versions;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(plausibility)

BOOST_AUTO_TEST_CASE(a_usual_history_is_plausible) {
  for (const int days : {1, 3, 7, 8, 30}) BOOST_TEST(judged(house(days), {}).empty());
}

BOOST_AUTO_TEST_CASE(a_thousand_times_or_a_thousandth_is_caught_after_a_week) {
  for (std::size_t place = 0; place < 24; ++place) {
    const auto last = 7 * 24 + place;
    BOOST_TEST_CONTEXT("hour " << place) {
      const auto up = judged(times(house(8), 1000, {last}), {last});
      BOOST_TEST((up == "factor_1000" || up == "spike"), up);
      BOOST_TEST(judged(times(house(8), 0.001, {last}), {last}) == "factor_1000");
      // Whatever day it is, and whatever is around it.
      BOOST_TEST(!judged(times(house(30), 1000, {place + 240}), {place + 240}).empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(many_wrong_values_do_not_hide_each_other) {
  std::vector<std::size_t> day, three, week, weekly;
  for (std::size_t hour = 0; hour < 24; ++hour) day.push_back(240 + hour);
  for (const std::size_t first : {240, 264, 288})
    for (std::size_t hour = 0; hour < 24; hour += 5) three.push_back(first + hour);
  for (std::size_t hour = 0; hour < 7 * 24; ++hour) week.push_back(240 + hour);
  for (std::size_t first = 5; first < 28 * 24; first += 7 * 24) weekly.push_back(first);
  for (const auto& places : {day, three, week, weekly}) {
    const auto found = judged(times(house(30), 1000, places), places);
    BOOST_TEST(std::count(found.begin(), found.end(), ' ') ==
               static_cast<std::ptrdiff_t>(places.size() - 1));
    BOOST_TEST(found.find("  ") == std::string::npos, found);
  }
}

BOOST_AUTO_TEST_CASE(a_wrong_value_that_was_corrected_decides_on_nothing) {
  auto versions = house(30);
  for (std::size_t i = 0; i < 20; ++i) {
    auto wrong = versions[2 * 24 * i + i];  // each day another hour, of twenty days
    wrong.value *= 1000;
    versions[2 * 24 * i + i].received_at += 1h;
    versions.insert(versions.begin() + static_cast<std::ptrdiff_t>(2 * 24 * i + i), wrong);
    if (2 * 24 * (i + 1) + i + 1 >= versions.size()) break;
  }
  const auto around =
      surroundings_of(ValueKind::interval, versions.front().start, versions.back().start);
  judge_among_others(ValueKind::interval, versions, *around);
  for (std::size_t i = 0; i + 1 < versions.size(); ++i) {
    const bool corrected = versions[i].start == versions[i + 1].start;
    BOOST_TEST((versions[i].flags != 0) == corrected, i);
  }
}

BOOST_AUTO_TEST_CASE(of_a_single_day_only_what_is_far_off_is_caught) {
  BOOST_TEST(judged(times(house(1), 1000, {12}), {12}) == "factor_1000");
  BOOST_TEST(judged(times(house(1), 1e6, {12}), {12}) == "spike");
  BOOST_TEST(judged(times(house(1), 20, {12}), {12}).empty());
}

BOOST_AUTO_TEST_CASE(a_new_consumer_and_a_day_off_are_plausible) {
  // A car that charges with 11 kW: a thousandth of it is less than the house ever takes.
  auto versions = house(20);
  versions[18 * 24 + 20].value = versions[18 * 24 + 21].value = 11.3;
  BOOST_TEST(judged(versions, {}).empty());
  // A wallbox that charges once a week, and takes next to nothing else.
  versions = house(60);
  for (std::size_t i = 0; i < versions.size(); ++i)
    versions[i].value = i / 24 % 7 == 3 && i % 24 >= 18 && i % 24 < 21 ? 10.9 : 0.01;
  BOOST_TEST(judged(versions, {}).empty());
  // Away: nothing, or next to nothing, and back.
  versions = house(30);
  for (std::size_t i = 10 * 24; i < 20 * 24; ++i) versions[i].value = i % 3 == 0 ? 0 : 0.05;
  BOOST_TEST(judged(versions, {}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
