#include "series/stretches.h"

#include <boost/test/unit_test.hpp>
#include <random>

using namespace district;
using namespace district::series;
using namespace std::chrono_literals;

namespace {

constexpr Instant kStart{};

Stretch quarter(int hour) { return stretch_of(kStart + hour * 1h, kStart + hour * 1h + 15min); }

std::string text_of(const std::vector<Stretch>& stretches) {
  std::string text;
  for (const auto& stretch : stretches) {
    text += std::to_string((stretch.start - kStart) / 1h) + "-" +
            std::to_string((stretch.last_start - kStart) / 1h) + " ";
    BOOST_TEST((stretch.end >= stretch.last_start));
    BOOST_TEST((stretch.reach == stretch.end));
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stretches)

BOOST_AUTO_TEST_CASE(what_begins_within_the_tolerance_is_joined) {
  BOOST_TEST(text_of(joined({}, 1h)) == "");
  BOOST_TEST(text_of(joined({quarter(9), quarter(1), quarter(2), quarter(5)}, 1h)) ==
             "1-2 5-5 9-9 ");
  BOOST_TEST(text_of(joined({quarter(9), quarter(1), quarter(2), quarter(5)}, 3h)) == "1-5 9-9 ");
}

BOOST_AUTO_TEST_CASE(a_stretch_inside_another_does_not_shorten_it) {
  const Stretch day{kStart, kStart + 23h, kStart + 24h, kStart + 24h};
  BOOST_TEST(text_of(joined({quarter(3), day}, 0h)) == "0-23 ");
}

BOOST_AUTO_TEST_CASE(one_after_the_other_they_are_the_same_as_at_once) {
  std::mt19937 random(7);
  std::vector<Stretch> all;
  Stretches some(2h, 31 * 24h);
  for (int i = 0; i < 3000; ++i) {
    const auto one = quarter(static_cast<int>(random() % 20'000));
    all.push_back(one);
    some.add(one);
  }
  BOOST_TEST(text_of(some.take(2h)) == text_of(joined(all, 2h)));
  BOOST_TEST(some.empty());
}

BOOST_AUTO_TEST_CASE(too_many_are_joined_over_longer_gaps_and_none_is_lost) {
  Stretches many(0h, 31 * 24h);
  for (int i = 0; i < 100'000; ++i) many.add(quarter(2 * (i * 7919 % 100'000)));
  many.add(quarter(300'000));
  const auto taken = many.take(0h);
  BOOST_TEST(taken.size() < 4096U);
  BOOST_TEST((taken.front().start == kStart));
  for (std::size_t i = 1; i < taken.size(); ++i)
    BOOST_TEST((taken[i].start > taken[i - 1].last_start));
  BOOST_TEST((taken.back().start == kStart + 300'000h));
  BOOST_TEST((taken[taken.size() - 2].last_start == kStart + 2 * 99'999h));
}

BOOST_AUTO_TEST_SUITE_END()
