#include "series/supersession.h"

#include "../support/measurements.h"
#include "kpi/master_data.h"
#include "kpi/summary.h"

using namespace district;
using namespace district::kpi;
using namespace district::series;
using namespace district::test;
using namespace std::chrono_literals;

namespace {

ValueVersion version(int start, int end, int received, double value, std::uint64_t leaf = 0) {
  ValueVersion made;
  made.start = Instant{} + start * 1min;
  made.end = Instant{} + end * 1min;
  made.received_at = Instant{} + received * 1h;
  made.value = value;
  made.leaf_index = leaf;
  return made;
}

std::string settled(std::vector<ValueVersion> versions) {
  settle(versions);
  std::string text;
  for (const auto& one : versions)
    text += std::string(text.empty() ? "" : " ") + name_of(one.state);
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(supersession)

BOOST_AUTO_TEST_CASE(the_latest_received_value_counts) {
  BOOST_TEST(settled({version(0, 60, 2, 5), version(0, 60, 1, 7)}) == "current superseded");
  BOOST_TEST(settled({version(0, 60, 1, 5, 4), version(0, 60, 1, 7, 3)}) == "current superseded");
}

BOOST_AUTO_TEST_CASE(a_value_that_comes_back_after_another_is_a_revision) {
  BOOST_TEST(settled({version(0, 60, 1, 5), version(0, 60, 2, 7), version(0, 60, 3, 5)}) ==
             "superseded superseded current");
  BOOST_TEST(settled({version(0, 60, 1, 5), version(0, 60, 2, 5), version(0, 60, 3, 5)}) ==
             "current duplicate duplicate");
}

BOOST_AUTO_TEST_CASE(a_measurement_that_confirms_an_estimate_replaces_it) {
  auto estimate = version(0, 60, 1, 5);
  estimate.flags = flag_estimated;
  auto again = version(0, 60, 2, 5);
  again.flags = flag_estimated | flag_future;
  BOOST_TEST(settled({estimate, again, version(0, 60, 3, 5)}) == "superseded duplicate current");
}

BOOST_AUTO_TEST_CASE(a_value_is_disputed_while_its_own_envelope_says_something_else) {
  const auto disputed = [](std::vector<ValueVersion> versions) {
    std::string text;
    settle(versions);
    for (const auto& one : versions) text += (one.flags & flag_disputed) != 0 ? 'd' : '-';
    return text;
  };
  const auto said = [](double value, std::uint64_t leaf, std::uint32_t message) {
    auto one = version(0, 60, static_cast<int>(leaf), value, leaf);
    one.message_index = message;
    return one;
  };
  BOOST_TEST(disputed({said(3.5, 1, 1), said(0, 1, 2)}) == "-d");
  BOOST_TEST(disputed({said(3.5, 1, 1), said(3.5, 1, 2)}) == "--");
  BOOST_TEST(disputed({said(3.5, 1, 1), said(0, 2, 1)}) == "--");  // a correction
  BOOST_TEST(disputed({said(3.5, 1, 1), said(0, 1, 2), said(3.5, 2, 1)}) == "---");
  BOOST_TEST(disputed({said(3.5, 1, 1), said(0, 1, 2), said(0, 2, 1)}) == "-d-");
  // What cannot be true disputes nothing.
  auto wrong = said(-1, 1, 2);
  wrong.state = MeasurementState::implausible;
  wrong.flags = flag_first_rule;
  BOOST_TEST(disputed({said(3.5, 1, 1), wrong}) == "--");
}

BOOST_AUTO_TEST_CASE(an_interval_that_a_later_received_one_overlaps_is_excluded) {
  BOOST_TEST(settled({version(0, 60, 1, 5), version(30, 90, 2, 7)}) == "excluded current");
  BOOST_TEST(settled({version(0, 60, 2, 5), version(30, 90, 1, 7)}) == "current excluded");
  BOOST_TEST(settled({version(0, 60, 1, 5), version(60, 120, 2, 7)}) == "current current");
}

BOOST_AUTO_TEST_CASE(what_is_excluded_excludes_nothing) {
  BOOST_TEST(settled({version(0, 60, 1, 1), version(30, 90, 2, 2), version(60, 120, 3, 3)}) ==
             "current excluded current");
  BOOST_TEST(settled({version(0, 60, 1, 1), version(30, 90, 2, 2), version(60, 120, 3, 3),
                      version(90, 150, 4, 4)}) == "excluded current excluded current");
}

BOOST_AUTO_TEST_CASE(ends_that_overlap_by_two_seconds_are_one_boundary) {
  auto early = version(0, 60, 1, 1), late = version(60, 120, 2, 2);
  early.end += 2s;
  BOOST_TEST(settled({early, late}) == "current current");
  late.start -= 1ms;
  BOOST_TEST(settled({early, late}) == "excluded current");
  // Of short ones not as much as half.
  auto first = version(0, 0, 1, 1), second = version(0, 0, 2, 2);
  first.end += 2s;
  second.start += 1s;
  second.end += 3s;
  BOOST_TEST(settled({first, second}) == "excluded current");
  second.start += 1ms;
  second.end += 1ms;
  BOOST_TEST(settled({first, second}) == "current current");
}

BOOST_AUTO_TEST_CASE(a_total_that_comes_after_what_it_sums_up_displaces_nothing) {
  const auto hour = [](int which, int received) {
    return version(which * 60, which * 60 + 60, received, which);
  };
  const auto total = [](int from, int to, int received) {
    return version(from * 60, to * 60, received, 99);
  };
  BOOST_TEST(settled({hour(0, 1), hour(1, 1), total(0, 2, 2)}) == "current current excluded");
  BOOST_TEST(settled({hour(0, 1), total(0, 2, 2)}) == "excluded current");  // half is not all
  BOOST_TEST(settled({hour(0, 3), hour(1, 3), total(0, 2, 2)}) == "current current excluded");
  // A later correction of one of them, a total of totals, and a total within a second.
  BOOST_TEST(settled({hour(0, 1), hour(1, 1), total(0, 2, 2), version(0, 60, 3, 7)}) ==
             "superseded current excluded current");
  BOOST_TEST(settled({hour(0, 1), hour(1, 1), hour(2, 1), hour(3, 1), total(0, 2, 2),
                      total(2, 4, 2), total(0, 4, 3)}) ==
             "current current current current excluded excluded excluded");
  auto shifted = total(0, 2, 2);
  shifted.start += 1s;
  shifted.end += 1s;
  BOOST_TEST(settled({hour(0, 1), hour(1, 1), shifted}) == "current current excluded");
  // Not much finer: it is a correction.
  BOOST_TEST(settled({version(0, 90, 1, 1), version(90, 120, 1, 1), total(0, 2, 2)}) ==
             "excluded excluded current");
  // What it sums up counts by its own rules: of two that overlap the later received.
  BOOST_TEST(settled({hour(0, 1), hour(1, 1), version(30, 60, 2, 5), total(0, 2, 3)}) ==
             "excluded excluded excluded current");
}

BOOST_AUTO_TEST_CASE(a_duplicate_does_not_revive_what_was_excluded_but_a_revision_does) {
  BOOST_TEST(settled({version(0, 60, 1, 5), version(0, 30, 2, 7), version(0, 60, 3, 5)}) ==
             "excluded current duplicate");
  BOOST_TEST(settled({version(0, 60, 1, 5), version(0, 30, 2, 7), version(0, 60, 3, 6)}) ==
             "superseded excluded current");
}

BOOST_AUTO_TEST_CASE(instants_do_not_overlap_and_unusable_values_do_not_take_part) {
  BOOST_TEST(settled({version(5, 5, 1, 5), version(6, 6, 2, 7)}) == "current current");
  auto unusable = version(0, 60, 2, 7);
  unusable.state = MeasurementState::unusable;
  BOOST_TEST(settled({version(0, 60, 1, 5), unusable}) == "current unusable");
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(master_data)

BOOST_AUTO_TEST_CASE(statements_hold_from_valid_from_until_the_next_or_valid_to) {
  auto ended = fact("S", "", "on_threshold_w", "300", "2018-03-01");
  ended.valid_to = at("2018-04-01");
  const MasterData data(
      {{fact("S", "", "on_threshold_w", "100", "2018-01-01"), origin(1, at("2018-01-01"))},
       {fact("S", "", "on_threshold_w", "250", "2018-02-01"), origin(3, at("2018-03-02"))},
       {fact("S", "", "on_threshold_w", "200", "2018-02-01"), origin(2, at("2018-03-01"))},
       {ended, origin(4, at("2018-01-01"))}});
  BOOST_TEST(!data.number("on_threshold_w", at("2017-12-31")));
  BOOST_TEST(*data.number("on_threshold_w", at("2018-01-01")) == 100);
  BOOST_TEST(*data.number("on_threshold_w", at("2018-02-01")) == 250);  // the latest received
  BOOST_TEST(*data.number("on_threshold_w", at("2018-03-31")) == 300);
  BOOST_TEST(!data.number("on_threshold_w", at("2018-04-01")));
  BOOST_TEST(!data.text("unit", at("2018-03-01")));
}

BOOST_AUTO_TEST_CASE(steps_are_iso_8601_durations_of_at_most_a_day) {
  const auto step = [](const char* text) {
    return MasterData({{fact("S", "", "nominal_step", text), origin(1, at("2018-01-01"))}})
        .step("nominal_step", at("2018-01-01"));
  };
  BOOST_TEST((step("PT15M") == 15min));
  BOOST_TEST((step("PT1H30M") == 90min));
  BOOST_TEST((step("P1D") == 24h));
  BOOST_TEST((step("PT0.5S") == 500ms));
  for (const auto* bad : {"", "P", "PT", "15M", "PT15", "PT15M3H", "P1M", "PT0S", "-PT15M", "PT25H",
                          "P2D", "PT1D", "PT1e9H", "P1W"}) {
    BOOST_TEST(!step(bad), bad);
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(statistics)

BOOST_AUTO_TEST_CASE(percentiles_are_hyndman_fan_type_7) {
  const auto of = [](std::vector<double> values, double share) {
    return percentile(values, share);
  };
  BOOST_TEST(of({4, 1, 3, 2}, 0) == 1);
  BOOST_TEST(of({4, 1, 3, 2}, 1) == 4);
  BOOST_TEST(of({4, 1, 3, 2}, 0.5) == 2.5);
  BOOST_TEST(of({4, 1, 3, 2}, 0.25) == 1.75);
  BOOST_TEST(of({7}, 0.975) == 7);
}

BOOST_AUTO_TEST_SUITE_END()
