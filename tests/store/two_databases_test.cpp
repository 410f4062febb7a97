// Archive and series: whether they belong together, and that nobody waits for the other.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "../support/archive_and_series.h"
#include "store/matched_snapshots.h"

using namespace district;
using namespace district::store;
using district::test::kNow;
using district::test::problem_of;
using Both = district::test::Both;

BOOST_AUTO_TEST_SUITE(two_databases)

BOOST_FIXTURE_TEST_CASE(a_receipt_does_not_wait_for_whoever_computes, Both) {
  const auto computing = SeriesTransaction::begin(*series).value();
  append(0);  // would fail after ten seconds
  BOOST_TEST(queue.take(1, kNow, std::chrono::minutes(1)).value().size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_is_done_but_not_told_matches_once_it_is_told, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  append(1);
  const auto mark = store_work(0);
  BOOST_TEST(SeriesReader(*series).is_done(0).value());
  BOOST_TEST(queue.is_waiting(0).value());
  BOOST_TEST(match().value() == 0U);
  BOOST_REQUIRE(queue.finish(std::vector<std::uint64_t>{0}, mark));
  BOOST_TEST(MatchedSnapshots::take(*archive, *series).has_value());
  auto transaction = SeriesTransaction::begin(*series).value();
  BOOST_REQUIRE(SeriesWriter(transaction).forget_work(std::vector<std::uint64_t>{0}));
  BOOST_REQUIRE(transaction.commit());
  BOOST_TEST(SeriesReader(*series).done_work().value().empty());
  BOOST_TEST(queue.waiting().value() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_series_of_another_archive_is_refused, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  finish(0);
  Both other;
  BOOST_TEST(other.match().value() == 0U);
  other.append(0);
  other.finish(0);
  BOOST_TEST(problem_of(match_series(*archive, *other.series)).find("another archive") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
