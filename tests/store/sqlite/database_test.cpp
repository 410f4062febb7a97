#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "../../support/temporary_folder.h"
#include "store/database.h"
#include "store/sqlite/file_check.h"
#include "store/transaction.h"

using namespace district;
using namespace district::store;
using district::test::TemporaryFolder;

namespace {

std::int64_t number(ArchiveDatabase& database, const char* sql) {
  auto statement = database.prepare(sql);
  BOOST_REQUIRE(statement);
  BOOST_REQUIRE(statement->step().value());
  return statement->integer(0);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Opening fails with the code; what is said names the path and what to do.
void check_refused(const std::string& path, OpenMode mode, ErrorCode code) {
  const auto database = ArchiveDatabase::open(Location::of(path), mode);
  BOOST_REQUIRE(!database);
  BOOST_TEST(static_cast<int>(database.error().code) == static_cast<int>(code));
  BOOST_TEST(database.error().detail.find(std::filesystem::path(path).parent_path().string()) !=
             std::string::npos);
  BOOST_TEST(!database.error().hint.empty());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(of_sqlite)
BOOST_AUTO_TEST_SUITE(database)

BOOST_AUTO_TEST_CASE(a_new_database_is_ours_durable_and_private) {
  const TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  auto database = ArchiveDatabase::open(Location::of(path), OpenMode::create);
  BOOST_REQUIRE(database);
  BOOST_TEST(number(**database, "PRAGMA application_id") == 0x44495354);
  BOOST_TEST(number(**database, "PRAGMA user_version") >= 1);
  BOOST_TEST(number(**database, "PRAGMA synchronous") == 2);
  BOOST_TEST(number(**database, "PRAGMA foreign_keys") == 1);
  auto mode = (*database)->prepare("PRAGMA journal_mode");
  BOOST_REQUIRE(mode->step().value());
  BOOST_TEST(mode->text(0) == "wal");
  const auto others =
      std::filesystem::status(path).permissions() & std::filesystem::perms::others_all;
  BOOST_TEST((others == std::filesystem::perms::none));
}

BOOST_AUTO_TEST_CASE(every_mode_opens_what_create_has_made) {
  const TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  const auto first = ArchiveDatabase::open(Location::of(path), OpenMode::create);
  BOOST_REQUIRE(first);
  for (const auto mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    BOOST_TEST(ArchiveDatabase::open(Location::of(path), mode).has_value());
  }
  auto reader = ArchiveDatabase::open(Location::of(path), OpenMode::read_only);
  BOOST_TEST(number(**reader, "SELECT tree_size FROM log_frontier") == 0);
  const auto written = (*reader)->execute("DELETE FROM log_frontier");
  BOOST_REQUIRE(!written);
  BOOST_TEST((written.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(ArchiveDatabase::open(Location::scratch(), OpenMode::create).has_value());
}

BOOST_AUTO_TEST_CASE(planted_triggers_and_views_do_nothing) {
  const TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  const auto database = ArchiveDatabase::open(Location::of(path), OpenMode::create).value();
  BOOST_REQUIRE(database->execute("CREATE TABLE noted (x)"));
  BOOST_REQUIRE(database->execute(
      "CREATE TRIGGER planted AFTER INSERT ON staging BEGIN INSERT INTO noted VALUES (1); END"));
  BOOST_REQUIRE(database->execute("CREATE VIEW seen AS SELECT * FROM staging"));
  BOOST_REQUIRE(database->execute("INSERT INTO staging VALUES (7, 1, 'n', 0)"));
  BOOST_TEST(number(*database, "SELECT count(*) FROM noted") == 0);
  BOOST_TEST(!database->prepare("SELECT * FROM seen"));
}

BOOST_AUTO_TEST_CASE(sql_is_compared_without_what_does_not_matter) {
  BOOST_TEST(sqlite::plain_sql("CREATE TABLE a (\n  b TEXT, -- it's\n  /* c ( */ d ) STRICT") ==
             "CREATE TABLE a(b TEXT,d)STRICT");
  BOOST_TEST(sqlite::plain_sql("x = ' --  ' \"a  b\"  [ c ]y -- end") ==
             "x = ' --  ' \"a  b\" [ c ]y");
  BOOST_TEST(sqlite::plain_sql("a -  - b") == "a - - b");
  BOOST_TEST(sqlite::plain_sql("") == "");
}

BOOST_AUTO_TEST_CASE(several_processes_may_make_it_at_once) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::vector<std::string> failures(4);
  for (auto& failure : failures) {
    threads.emplace_back([&] {
      const auto database =
          ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create);
      if (!database) failure = database.error().detail;
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& failure : failures) BOOST_TEST(failure == "");
}

BOOST_AUTO_TEST_CASE(a_missing_folder_or_file_is_named) {
  const TemporaryFolder folder;
  check_refused(folder.file("missing/archive.db"), OpenMode::create, ErrorCode::file_unreadable);
  check_refused(folder.file("archive.db"), OpenMode::existing, ErrorCode::file_unreadable);
  check_refused(folder.file("archive.db"), OpenMode::read_only, ErrorCode::file_unreadable);
  std::filesystem::create_directory(folder.path() / "archive.db");
  check_refused(folder.file("archive.db"), OpenMode::create, ErrorCode::file_unreadable);
}

BOOST_AUTO_TEST_CASE(a_file_of_somebody_elses_is_refused_and_left_as_it_is) {
  const TemporaryFolder folder;
  const auto text = folder.file("text.db");
  std::ofstream(text) << std::string(5000, 'x');
  check_refused(text, OpenMode::create, ErrorCode::archive_foreign);
  BOOST_TEST(contents(text) == std::string(5000, 'x'));

  const auto foreign = folder.file("foreign.db");
  {
    auto database = ArchiveDatabase::open(Location::of(foreign), OpenMode::create);
    BOOST_REQUIRE((*database)->execute("PRAGMA application_id = 7; PRAGMA journal_mode = DELETE"));
  }
  const auto before = contents(foreign);
  check_refused(foreign, OpenMode::create, ErrorCode::archive_foreign);
  check_refused(foreign, OpenMode::read_only, ErrorCode::archive_foreign);
  BOOST_TEST((contents(foreign) == before));

  const auto empty = folder.file("empty.db");
  std::ofstream(empty).flush();
  check_refused(empty, OpenMode::existing, ErrorCode::archive_foreign);
}

BOOST_AUTO_TEST_CASE(a_database_of_a_newer_version_is_refused) {
  const TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  {
    auto database = ArchiveDatabase::open(Location::of(path), OpenMode::create);
    BOOST_REQUIRE((*database)->execute("PRAGMA user_version = 9999"));
  }
  for (const auto mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    check_refused(path, mode, ErrorCode::archive_foreign);
  }
}

BOOST_AUTO_TEST_CASE(a_read_only_file_is_refused_for_writing) {
  if (::geteuid() == 0) {
    BOOST_TEST_MESSAGE("skipped: root may write every file");
    return;
  }
  const TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  BOOST_REQUIRE(ArchiveDatabase::open(Location::of(path), OpenMode::create));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  check_refused(path, OpenMode::create, ErrorCode::archive_unavailable);
}

BOOST_AUTO_TEST_CASE(a_lock_of_another_process_is_told) {
  const TemporaryFolder folder;
  auto one = ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create);
  auto other = ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create);
  BOOST_REQUIRE((*other)->execute("PRAGMA busy_timeout = 20"));
  // Not by way of Transaction, which knows of the others of its process.
  BOOST_REQUIRE((*one)->execute("BEGIN IMMEDIATE"));
  const auto refused = LogTransaction::begin(**other);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(refused.error().hint.find("lock") != std::string::npos);
  BOOST_REQUIRE((*one)->execute("ROLLBACK"));
  BOOST_TEST(LogTransaction::begin(**other).has_value());
}

BOOST_AUTO_TEST_CASE(a_writer_takes_over_from_another_of_its_process_at_once) {
  const TemporaryFolder folder;
  auto one = ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create);
  auto other = ArchiveDatabase::open(Location::of(folder.file("archive.db")), OpenMode::create);
  BOOST_REQUIRE((*other)->execute("PRAGMA busy_timeout = 0"));
  auto held = LogTransaction::begin(**one);
  BOOST_REQUIRE(held);
  bool began = false;
  std::thread waiting([&] { began = LogTransaction::begin(**other).has_value(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  BOOST_TEST(held->commit().has_value());
  waiting.join();
  BOOST_TEST(began, "it did not wait, or not for this");
}

BOOST_AUTO_TEST_CASE(a_transaction_without_commit_leaves_nothing) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create);
  {
    const auto transaction = LogTransaction::begin(**database);
    BOOST_REQUIRE((*database)->execute("UPDATE log_frontier SET tree_size = 5"));
  }
  BOOST_TEST(number(**database, "SELECT tree_size FROM log_frontier") == 0);
  {
    auto transaction = LogTransaction::begin(**database);
    BOOST_REQUIRE((*database)->execute("UPDATE log_frontier SET tree_size = 5"));
    BOOST_REQUIRE(transaction->commit());
  }
  BOOST_TEST(number(**database, "SELECT tree_size FROM log_frontier") == 5);
}

BOOST_AUTO_TEST_CASE(values_come_back_as_they_were_bound) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create);
  auto statement =
      (*database)->prepare("SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, typeof(?3), typeof(?4)");
  BOOST_REQUIRE(statement);
  const Bytes octets{std::byte{0}, std::byte{255}};
  statement->bind(1, std::numeric_limits<std::int64_t>::max())
      .bind(2, 0.1)
      .bind(3, "")
      .bind(4, Bytes{});
  statement->bind(5, octets)
      .bind(6, std::optional<Instant>{})
      .bind(7, from_micros(-1))
      .bind(8, "a\u00e9");
  BOOST_REQUIRE(statement->step().value());
  BOOST_TEST(statement->integer(0) == std::numeric_limits<std::int64_t>::max());
  BOOST_TEST(statement->real(1) == 0.1);
  BOOST_TEST(statement->text(8) == "text");
  BOOST_TEST(statement->text(9) == "blob");
  BOOST_TEST((to_bytes(statement->blob(4)) == octets));
  BOOST_TEST(!statement->optional_instant(5));
  BOOST_TEST((statement->instant(6) == from_micros(-1)));
  BOOST_TEST(statement->text(7) == "a\u00e9");
  BOOST_TEST(!statement->digest(4));
}

BOOST_AUTO_TEST_CASE(one_text_may_be_prepared_while_it_is_in_use) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create);
  auto outer = (*database)->prepare("SELECT ?1");
  BOOST_REQUIRE(outer->bind(1, 1).step().value());
  {
    auto inner = (*database)->prepare("SELECT ?1");
    BOOST_REQUIRE(inner->bind(1, 2).step().value());
    BOOST_TEST(inner->integer(0) == 2);
  }
  BOOST_TEST(outer->integer(0) == 1);
}

BOOST_AUTO_TEST_CASE(a_parameter_that_does_not_exist_is_an_error) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create);
  auto statement = (*database)->prepare("SELECT ?1");
  BOOST_TEST(!statement->bind(2, 1).step());
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
