// Files that somebody put in the place of others: a backup, an old copy, none.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <vector>

#include "../../support/archive_and_series.h"

using namespace district;
using namespace district::store;
using district::test::kNow;
using district::test::problem_of;
using district::test::sample_envelope;
using Both = district::test::Both;

BOOST_AUTO_TEST_SUITE(of_sqlite)
BOOST_AUTO_TEST_SUITE(restored_files)

BOOST_FIXTURE_TEST_CASE(a_new_series_makes_everything_work_again, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  append(1);
  finish(0);
  finish(1);
  BOOST_TEST(queue.waiting().value() == 0U);
  series.reset();
  for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(location.series() + end);
  series = SeriesDatabase::open(location, OpenMode::create).value();
  BOOST_TEST(match().value() == 2U);
  BOOST_TEST(queue.waiting().value() == 2U);
  finish(1);
  BOOST_TEST(match().value() == 0U);  // once
  BOOST_TEST(queue.waiting().value() == 1U);
}

BOOST_FIXTURE_TEST_CASE(a_series_that_is_older_than_the_archive_is_refused, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  finish(0);
  BOOST_REQUIRE(series->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  const auto old = folder.file("old.db");
  std::filesystem::copy_file(location.series(), old);
  append(1);
  finish(1);
  series.reset();
  std::filesystem::rename(old, location.series());
  for (const auto* end : {"-wal", "-shm"}) std::filesystem::remove(location.series() + end);
  series = SeriesDatabase::open(location, OpenMode::existing).value();
  BOOST_TEST(problem_of(match()).find("older than the archive") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(an_archive_from_a_backup_is_told_from_the_one_that_was_computed, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  finish(0);
  BOOST_REQUIRE(archive->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  const auto backup = folder.file("backup.db");
  std::filesystem::copy_file(location.archive(), backup);
  append(1);
  finish(1);
  const auto restored = ArchiveDatabase::open(Location::of(backup), OpenMode::existing).value();
  BOOST_TEST(problem_of(match_series(*restored, *series)).find("beyond the archive") !=
             std::string::npos);
  // Also once it has as many leaves again.
  BOOST_REQUIRE(Ledger(*restored).append(std::vector{sample_envelope(7)}, kNow));
  BOOST_TEST(problem_of(match_series(*restored, *series)).find("beyond the archive") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
