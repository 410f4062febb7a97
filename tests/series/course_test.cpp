#include "series/course.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

using namespace district;
using namespace district::series;
using namespace std::chrono_literals;

namespace {

// Hourly readings; "." where one is missing (the hour passes). Gives one letter for each reading:
// "y" on the course, "r" a rise, "o" an outlier.
std::string judged(const std::vector<double>& values, Duration step = 1h) {
  std::vector<CoursePoint> points;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isnan(values[i]))
      points.push_back({Instant{} + step * static_cast<int>(i), values[i]});
  const auto judged = judge_course(points);
  std::string text;
  const CoursePoint* before = nullptr;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool good = judged.on_course[i];
    const bool rises = good && before != nullptr && judged.rise_per_s &&
                       is_rise(*before, points[i], *judged.rise_per_s);
    text += rises ? 'r' : good ? 'y' : 'o';
    if (good) before = &points[i];
  }
  return text;
}

std::vector<double> counting(double from, int hours, double step = 1) {
  std::vector<double> values;
  for (int hour = 0; hour < hours; ++hour) values.push_back(from + step * hour);
  return values;
}

std::vector<double> joined(const std::vector<std::vector<double>>& parts) {
  std::vector<double> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

}  // namespace

BOOST_AUTO_TEST_SUITE(course)

BOOST_AUTO_TEST_CASE(a_register_that_only_grows_has_no_outliers) {
  BOOST_TEST(judged(counting(5000, 8)) == "yyyyyyyy");
  BOOST_TEST(judged({}).empty());
  BOOST_TEST(judged({7}) == "y");
  BOOST_TEST(judged({7, 7, 7}) == "yyy");
}

BOOST_AUTO_TEST_CASE(high_readings_are_outliers_when_the_register_falls_back_to_its_course) {
  BOOST_TEST(judged({5000, 5001, 502000, 5003, 5004}) == "yyoyy");
  BOOST_TEST(judged({5000, 5001, 502000, 502001, 502002, 5005}) == "yyoooy");
  BOOST_TEST(judged({5000, 5001, 9000, 502000, 7000, 5005}) == "yyoooy");
  BOOST_TEST(judged({5000, 5000, 502000, 5000, 5000}) == "yyoyy");  // nothing is used
  BOOST_TEST(judged({5, 6, 600, 7, 700, 8, 800, 9}) == "yyoyoyoy");
  // However many there are.
  const auto many = joined({counting(5000, 6), std::vector<double>(300, 90000), {5306, 5307}});
  BOOST_TEST(judged(many) == "yyyyyy" + std::string(300, 'o') + "yy");
}

BOOST_AUTO_TEST_CASE(low_readings_are_outliers_when_the_register_comes_back) {
  BOOST_TEST(judged({5000, 5001, 0, 5003}) == "yyoy");
  BOOST_TEST(judged({5000, 5001, 0, 0, 0, 5005}) == "yyoooy");
  BOOST_TEST(judged({5000, 5001, 50.02, 50.03, 50.04, 5005}) == "yyoooy");  // a digit is lost
  BOOST_TEST(judged({5000, 5001, 5, 40, 20, 5005}) == "yyoooy");
  BOOST_TEST(judged({101, 0, 0, 102, 0, 103, 104}) == "yooyoyy");  // restarts again
  const auto many = joined({counting(5000, 6), std::vector<double>(300, 0), {5306, 5307}});
  BOOST_TEST(judged(many) == "yyyyyy" + std::string(300, 'o') + "yy");
}

// What is judged begins and ends somewhere, and that may be amid bad readings.
BOOST_AUTO_TEST_CASE(a_few_bad_readings_at_the_begin_do_not_outweigh_the_good_ones) {
  const auto good = counting(32000, 200);
  const auto with = [&good](const std::vector<std::size_t>& places, double value) {
    auto values = good;
    for (const auto place : places) values[place] = value;
    return values;
  };
  const auto marked = [](std::string text, const std::vector<std::size_t>& places) {
    for (const auto place : places) text[place] = 'o';
    return text;
  };
  const std::string all(200, 'y');
  // The first ones nothing contradicts: but the step from them is told.
  auto expected = marked(all, {100, 101});
  expected[1] = 'r';
  BOOST_TEST(judged(with({0, 100, 101}, 0)) == expected);
  expected[1] = 'y';
  expected[3] = 'r';
  BOOST_TEST(judged(with({0, 1, 2, 100, 101}, 0)) == expected);
  // High ones before the first fall, and again at the end.
  BOOST_TEST(judged(with({0, 1, 2, 197, 198, 199}, 90000)).substr(3, 194) == all.substr(6));
  // A bad reading before the register passes the end of its digits.
  auto over = counting(99900, 300);
  for (auto& value : over) value = std::fmod(value, 100000);
  over[24] = 0;
  BOOST_TEST(judged(over) == std::string(24, 'y') + "o" + std::string(275, 'y'));
}

BOOST_AUTO_TEST_CASE(a_last_digit_that_trembles_is_an_outlier) {
  BOOST_TEST(judged({5018, 5019, 5018.9, 5021}) == "yyoy");
  BOOST_TEST(judged({100, 101, 100, 101, 101, 102}) == "yoyyyy");
}

BOOST_AUTO_TEST_CASE(a_register_that_stays_low_or_counts_its_way_back_was_reset) {
  BOOST_TEST(judged({5000, 5001, 0, 1, 2, 3}) == "yyyyyy");
  BOOST_TEST(judged(joined({counting(20, 10), counting(0, 50)})) == std::string(60, 'y'));
  // Back past a gap, at the usual pace.
  BOOST_TEST(
      judged(joined(
          {counting(20, 10), {0, 1, 2}, std::vector<double>(23, kMissing), counting(26, 10)})) ==
      std::string(23, 'y'));
  // Past the end of its digits, twice.
  BOOST_TEST(judged({97, 98, 99, 0, 1, 50, 98, 99, 0, 1}) == "yyyyyyyyyy");
}

BOOST_AUTO_TEST_CASE(a_high_reading_after_a_reset_does_not_undo_it) {
  BOOST_TEST(judged({500, 501, 0, 1, 2, 900, 4, 5}) == "yyyyyoyy");
  BOOST_TEST(judged({500, 501, 0, 1, 2, 900, 901, 5, 6}) == "yyyyyooyy");
  // But for a register that was read as 0 it does.
  BOOST_TEST(judged({500, 501, 0, 0, 502, 503}) == "yyooyy");
}

BOOST_AUTO_TEST_CASE(a_step_out_of_all_proportion_that_stays_is_a_rise) {
  auto values = counting(5000, 12);
  values.push_back(9000);
  BOOST_TEST(judged(values) == std::string(12, 'y') + "r");
  values.push_back(9001);
  BOOST_TEST(judged(values) == std::string(12, 'y') + "ry");
  values.push_back(5014);
  BOOST_TEST(judged(values) == std::string(12, 'y') + "ooy");
  // A gap is no rise, and of few steps nothing is usual.
  BOOST_TEST(judged(joined({counting(5000, 12), std::vector<double>(400, kMissing), {5412}})) ==
             std::string(13, 'y'));
  BOOST_TEST(judged({1, 2, 3, 9000}) == "yyyy");
}

// Good readings with any number of bad ones among them, which never reach the next good one from
// below: all the growth that remains is the register's own.
BOOST_AUTO_TEST_CASE(whatever_is_thrown_in_the_growth_remains) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    std::mt19937 random(seed);
    std::vector<CoursePoint> points;
    double value = 1000 + static_cast<double>(random() % 1000);
    auto at = Instant{};
    const int kind = static_cast<int>(random() % 3);
    bool bad = false;
    for (int i = 0; i < 200; ++i) {
      at += 15min * (1 + random() % 4);
      value += static_cast<double>(random() % 8) / 4;
      if (i > 20 && random() % (bad ? 3 : 30) == 0) bad = !bad;
      if (i > 180) bad = false;
      double shown = value;
      if (bad) shown = kind == 0 ? 0 : kind == 1 ? value * 100 : value / 1000;
      points.push_back({at, shown});
    }
    const auto judged = judge_course(points);
    double growth = 0;
    const CoursePoint* before = nullptr;
    bool falls = false;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!judged.on_course[i]) continue;
      if (before != nullptr) {
        growth += std::max(0.0, points[i].value - before->value);
        falls = falls || points[i].value < before->value;
      }
      before = &points[i];
    }
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(!falls);
      BOOST_TEST(growth == points.back().value - points.front().value,
                 boost::test_tools::tolerance(1e-9));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
