#include "kpi/calendar.h"

#include "../support/measurements.h"

using namespace district;
using namespace district::kpi;
using namespace district::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(calendar)

BOOST_AUTO_TEST_CASE(days_have_23_and_25_hours_where_the_clocks_change) {
  const auto madrid = must(Calendar::of("Europe/Madrid"));
  const auto spring = madrid.window(WindowKind::day, at("2018-03-25T12:00:00Z"));
  BOOST_TEST(format_instant(spring.start, 0) == "2018-03-24T23:00:00Z");
  BOOST_TEST(format_instant(spring.end, 0) == "2018-03-25T22:00:00Z");
  const auto autumn = madrid.window(WindowKind::day, at("2018-10-27T22:00:00Z"));
  BOOST_TEST((autumn.length() == 25h));
  BOOST_TEST((madrid.window(WindowKind::month, at("2018-10-10")).length() == 745h));
}

BOOST_AUTO_TEST_CASE(windows_follow_each_other_without_a_gap) {
  for (const auto* zone :
       {"Europe/Madrid", "America/Sao_Paulo", "Asia/Kolkata", "Atlantic/Azores", "UTC"}) {
    const auto calendar = must(Calendar::of(zone));
    for (const auto kind : {WindowKind::hour, WindowKind::day, WindowKind::month}) {
      auto window = calendar.window(kind, at("2017-12-31T23:30:00Z"));
      while (window.start < at("2019-01-02")) {
        BOOST_TEST_CONTEXT(zone << " " << name_of(kind) << " " << format_instant(window.start)) {
          BOOST_REQUIRE((window.start < window.end));
          BOOST_REQUIRE((calendar.window(kind, window.start) == window));
          BOOST_REQUIRE((calendar.window(kind, window.end - Duration{1}) == window));
        }
        const auto next = calendar.after(window);
        BOOST_REQUIRE((next.start == window.end));
        window = next;
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(hours_are_of_the_wall_clock) {
  const auto madrid = must(Calendar::of("Europe/Madrid"));
  BOOST_TEST(madrid.hour(at("2018-01-15T21:00:00Z")) == 22);
  BOOST_TEST(madrid.hour(at("2018-07-15T21:59:59Z")) == 23);
  BOOST_TEST(format_instant(madrid.at_hour(at("2018-07-14T22:00:00Z"), 10), 0) ==
             "2018-07-15T08:00:00Z");
}

BOOST_AUTO_TEST_CASE(an_unknown_zone_is_an_error) {
  for (const auto* zone : {"Europe/Nowhere", "", "../../etc/passwd"}) {
    const auto calendar = Calendar::of(zone);
    BOOST_REQUIRE(!calendar);
    BOOST_TEST((calendar.error().code == ErrorCode::quantify_failed));
  }
}

BOOST_AUTO_TEST_SUITE_END()
