// A full disk, as SQLite has it, and what SQLite's plans cost.
#include <boost/test/unit_test.hpp>
#include <variant>
#include <vector>

#include "../../support/append_outcome.h"
#include "../../support/sample_envelopes.h"
#include "../../support/temporary_folder.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::store;
using district::test::kLease;
using district::test::kNow;
using district::test::receipt;
using district::test::sample_envelope;

BOOST_AUTO_TEST_SUITE(of_sqlite)
BOOST_AUTO_TEST_SUITE(ledger_in_a_file)

BOOST_AUTO_TEST_CASE(a_full_disk_while_staging_stores_nothing_of_the_batch) {
  const test::TemporaryFolder folder;
  auto database =
      ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create).value();
  Ledger ledger(*database);
  ArchiveReader store(*database);
  StagedRaw staged;
  const std::vector<Bytes> chunks(8, Bytes(256 * 1024));
  BOOST_REQUIRE(ledger.stage(staged, chunks, kLease));
  BOOST_REQUIRE(database->execute("PRAGMA max_page_count = 400"));
  const auto before = staged;
  const auto refused = ledger.stage(staged, chunks, kLease);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(staged.chunk_count == before.chunk_count);
  BOOST_TEST(store.staged_chunk(staged.raw_id, 8).value().empty());
  while (ledger.discard(staged.raw_id).value()) continue;
  BOOST_TEST(ledger.staged().value().empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_stores_nothing_of_the_group_and_later_ones_work) {
  const test::TemporaryFolder folder;
  auto database =
      ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create).value();
  Ledger ledger(*database);
  LogReader log(*database);
  ArchiveReader store(*database);
  auto small = sample_envelope(0);
  auto large = sample_envelope(1);
  large.raw_zstd.resize(4 * 1024 * 1024, std::byte{1});
  BOOST_REQUIRE(database->execute("PRAGMA max_page_count = 200"));
  const std::vector group{small, large};
  const auto refused = ledger.append(group, kNow);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(refused.error().hint.find("disk is full") != std::string::npos);
  BOOST_TEST(store.list({}).value().empty());
  BOOST_TEST(log.head().value().tree_size == 0U);
  BOOST_TEST(!ledger.resolve(small.replay_key, small.created).value());
  BOOST_REQUIRE(database->execute("PRAGMA max_page_count = 1000000"));
  const auto stored = ledger.append(group, kNow);
  BOOST_REQUIRE(stored);
  BOOST_TEST(receipt((*stored)[1]).tree_size == 2U);
}

BOOST_AUTO_TEST_CASE(taking_work_does_not_go_through_all_that_waits) {
  const auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  BOOST_REQUIRE(database->execute(
      "PRAGMA foreign_keys = OFF;"
      "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
      "INSERT INTO envelope SELECT i, printf('%026d', i), 0, '10', zeroblob(32), '', 0, 1, '', '', "
      "'', '', 0, 0, zeroblob(32), 1, NULL FROM n;"
      "INSERT INTO work_item (leaf_index) SELECT leaf_index FROM envelope"));
  const auto lease = std::chrono::minutes(1);
  for (int round = 0; round < 3; ++round) {
    const auto before = database->steps();
    BOOST_TEST(WorkQueue(*database, std::to_string(round)).take(64, kNow, lease).value().size() ==
               64U);
    const auto steps = database->steps() - before;
    BOOST_TEST(steps > 0U);
    BOOST_TEST(steps <= 5000U);
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
