// Archive and series: whether they belong together, and that nobody waits for the other.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <vector>

#include "../support/sample_envelopes.h"
#include "../support/temporary_folder.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/matched_snapshots.h"
#include "store/series_writer.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::store;
using district::test::kNow;
using district::test::sample_envelope;

namespace {

struct Both {
  test::TemporaryFolder folder;
  Location location = Location::of(folder.file("district.db"));
  std::unique_ptr<ArchiveDatabase> archive =
      ArchiveDatabase::open(location, OpenMode::create).value();
  std::unique_ptr<SeriesDatabase> series = SeriesDatabase::open(location, OpenMode::create).value();
  WorkQueue queue{*archive, "here"};

  void append(unsigned number) {
    BOOST_REQUIRE(Ledger(*archive).append(std::vector{sample_envelope(number)}, kNow));
  }
  // As the quantifier does it, up to the point where the archive is told.
  SeriesMark store_work(std::uint64_t leaf_index) {
    auto transaction = SeriesTransaction::begin(*series).value();
    SeriesWriter writer(transaction);
    BOOST_REQUIRE(writer.begin_work(leaf_index));
    const auto head = LogReader(*archive).head().value();
    const auto mark = writer.end_work(std::vector{leaf_index}, head).value();
    BOOST_REQUIRE(transaction.commit());
    return mark;
  }
  void finish(std::uint64_t leaf_index) {
    BOOST_REQUIRE(queue.finish(std::vector{leaf_index}, store_work(leaf_index)));
  }
  Result<std::uint64_t> match() { return match_series(*archive, *series); }
  void replace_series() {
    series.reset();
    for (const auto* end : {"", "-wal", "-shm"}) std::filesystem::remove(location.series() + end);
    series = SeriesDatabase::open(location, OpenMode::create).value();
  }
};

std::string problem_of(const Result<std::uint64_t>& matched) {
  BOOST_REQUIRE(!matched);
  BOOST_TEST((matched.error().code == ErrorCode::archive_foreign));
  BOOST_TEST(matched.error().hint.find("computed anew") != std::string::npos);
  return matched.error().detail;
}

}  // namespace

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

BOOST_FIXTURE_TEST_CASE(a_new_series_makes_everything_work_again, Both) {
  BOOST_TEST(match().value() == 0U);
  append(0);
  append(1);
  finish(0);
  finish(1);
  BOOST_TEST(queue.waiting().value() == 0U);
  replace_series();
  BOOST_TEST(match().value() == 2U);
  BOOST_TEST(queue.waiting().value() == 2U);
  finish(1);
  BOOST_TEST(match().value() == 0U);  // once
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
