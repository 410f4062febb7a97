#include <boost/test/unit_test.hpp>

#include "acknowledge/replay_faults.h"

using namespace district;
using acknowledge::ReplayFaults;

BOOST_AUTO_TEST_SUITE(replay_faults)

BOOST_AUTO_TEST_CASE(an_answer_is_kept_for_its_key_and_a_minute) {
  using namespace std::chrono_literals;
  const Instant at = *parse_date_time("2026-01-15T12:00:00Z");
  ReplayFaults faults;
  BOOST_TEST(!faults.find("a", at));
  faults.keep("a", {"ID", "<fault/>", at});
  BOOST_REQUIRE(faults.find("a", at + 60s));
  BOOST_TEST(faults.find("a", at + 60s)->rejection_id == "ID");
  BOOST_TEST(!faults.find("a", at + 61s));
  BOOST_TEST(!faults.find("a", at - 1s));
  BOOST_TEST(!faults.find("b", at));
}

BOOST_AUTO_TEST_CASE(the_number_of_answers_is_bounded) {
  ReplayFaults faults;
  const Instant at{};
  for (int i = 0; i < 5000; ++i) faults.keep(std::to_string(i), {"ID", "", at});
  int kept = 0;
  for (int i = 0; i < 5000; ++i) kept += faults.find(std::to_string(i), at) ? 1 : 0;
  BOOST_TEST(kept <= 1024);
  BOOST_TEST(faults.find("4999", at).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
