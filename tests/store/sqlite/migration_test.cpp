#include <sqlite3.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "../../support/append_outcome.h"
#include "../../support/sample_envelopes.h"
#include "../../support/temporary_folder.h"
#include "crypto/merkle.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/series_reader.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::store;
using district::test::kLease;
using district::test::kNow;
using district::test::sample_envelope;

namespace {

// A database as version 2 of the schema made it, with two envelopes, one of them quantified.
class EarlierDatabase {
 public:
  explicit EarlierDatabase(const std::string& path) {
    BOOST_REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    for (const std::string name : {"0001_archive.sql", "0002_quantify.sql"}) {
      std::ifstream file(DISTRICT_SOURCE_DIR "/src/store/sqlite/migrations/archive/" + name);
      execute({std::istreambuf_iterator<char>(file), {}});
    }
    execute("PRAGMA journal_mode = WAL; PRAGMA application_id = 1145656148");
    execute("PRAGMA user_version = 2");
    crypto::MerkleFrontier frontier;
    for (unsigned n = 0; n < 2; ++n) insert(sample_envelope(n), n, frontier);
    execute("UPDATE log_frontier SET tree_size = 2, subtrees = " + blob(frontier.pack()));
    execute("DELETE FROM work_item WHERE leaf_index = 0");
    execute("INSERT INTO origin VALUES (0, 'R', '10', 0, 0, 0)");
    execute("INSERT INTO meter VALUES (1, '10', 'HOUSE', 'W1')");
    execute("INSERT INTO series VALUES (1, 1, 'register', 3, 'meter', 0)");
    execute("INSERT INTO measurement VALUES (1, 0, 0, 0, 1, 0, 0, 1.5)");
    execute("INSERT INTO kpi VALUES (1, 'consumption')");
    execute("INSERT INTO kpi_value VALUES (1, 1, 0, 1, 1, 1.5, 'L', 1, 0, 1, 0, '')");
  }
  ~EarlierDatabase() { sqlite3_close(db_); }
  EarlierDatabase(const EarlierDatabase&) = delete;
  EarlierDatabase& operator=(const EarlierDatabase&) = delete;

 private:
  static std::string blob(ByteView octets) { return "x'" + to_hex(octets) + "'"; }
  static std::string micros(Instant instant) { return std::to_string(to_micros(instant)); }

  void execute(const std::string& sql) {
    char* error = nullptr;
    sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, &error);
    BOOST_REQUIRE_MESSAGE(error == nullptr, sql << ": " << error);
  }

  void insert(const NewEnvelope& envelope, unsigned n, crypto::MerkleFrontier& frontier) {
    const auto hash = crypto::merkle_leaf_hash(as_bytes(envelope.log_entry));
    frontier.append(hash);
    const auto leaf = std::to_string(n), size = std::to_string(n + 1);
    execute("INSERT INTO log_leaf VALUES (" + leaf + ", " + blob(hash) + ", '" +
            envelope.log_entry + "')");
    execute("INSERT INTO log_head VALUES (" + size + ", " + blob(frontier.root()) + ", 0)");
    execute("INSERT INTO envelope VALUES (" + leaf + ", '" + envelope.receipt_id + "', " +
            micros(envelope.received_at) + ", '10', " + blob(envelope.certificate_sha256) +
            ", '', 0, 1, '', '', '', '', " + std::to_string(envelope.raw_size) + ", " +
            std::to_string(envelope.raw_zstd.size()) + ", " + blob(envelope.payload_digest) + ", " +
            size + ")");
    execute("INSERT INTO raw_chunk VALUES (" + leaf + ", 0, " + blob(envelope.raw_zstd) + ")");
    execute("INSERT INTO replay VALUES (" + blob(envelope.replay_key) + ", " +
            micros(envelope.replay_until) + ", " + leaf + ")");
    execute("INSERT INTO work_item VALUES (" + leaf + ", 0)");
  }

  sqlite3* db_ = nullptr;
};

// Empty but for what `sql` puts into it.
void make_database(const std::string& path, int version, const std::string& sql) {
  std::set<std::filesystem::path> migrations;
  for (const auto& entry : std::filesystem::directory_iterator(
           DISTRICT_SOURCE_DIR "/src/store/sqlite/migrations/archive"))
    if (entry.path().extension() == ".sql") migrations.insert(entry.path());
  sqlite3* made = nullptr;
  BOOST_REQUIRE(sqlite3_open(path.c_str(), &made) == SQLITE_OK);
  const auto execute = [made](const std::string& text) {
    BOOST_REQUIRE_EQUAL(sqlite3_exec(made, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  };
  for (int n = 0; const auto& migration : migrations) {
    if (++n > version) break;
    std::ifstream file(migration);
    execute({std::istreambuf_iterator<char>(file), {}});
  }
  execute("PRAGMA journal_mode = WAL; PRAGMA application_id = 1145656148");
  execute("PRAGMA user_version = " + std::to_string(version));
  execute(sql);
  sqlite3_close(made);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(of_sqlite)
BOOST_AUTO_TEST_SUITE(migration)

BOOST_AUTO_TEST_CASE(a_database_of_version_2_goes_on_with_all_that_it_has) {
  const test::TemporaryFolder folder;
  const auto path = folder.file("archive.db");
  { const EarlierDatabase earlier(path); }
  const auto database = ArchiveDatabase::open(Location::of(path), OpenMode::existing).value();
  Ledger ledger(*database);
  ArchiveReader store(*database);

  const auto old = sample_envelope(1);
  const auto found = store.find(old.receipt_id).value();
  BOOST_TEST(!found.raw_id);
  BOOST_TEST((store.raw_chunk(found, 0).value() == old.raw_zstd));
  // What had been quantified is quantified again, into rows that are packed.
  const auto series = SeriesDatabase::open(Location::of(path), OpenMode::create).value();
  BOOST_TEST(match_series(*database, *series).value() == 2U);
  BOOST_TEST(WorkQueue(*database, {}).waiting().value() == 2U);
  BOOST_TEST(SeriesReader(*series).measurements({}).value().empty());
  BOOST_TEST(SeriesReader(*series).kpis({}).value().empty());

  // Replay keys hold on, though nobody noted when they were created.
  const auto first = ledger.append(std::vector{old, sample_envelope(2)}, kNow).value();
  BOOST_REQUIRE(std::holds_alternative<Replayed>(first[0]));
  BOOST_TEST(std::get<Replayed>(first[0]).first.receipt_id == old.receipt_id);
  BOOST_REQUIRE(std::holds_alternative<Receipt>(first[1]));
  BOOST_TEST(std::get<Receipt>(first[1]).leaf_index == 2U);

  // They are forgotten after their time; and what the earlier version may have forgotten by the
  // time of its last envelope is not taken.
  auto stale = sample_envelope(3);
  stale.replay_until = sample_envelope(1).received_at - Duration(1);
  auto late = sample_envelope(4);
  late.received_at = late.created = kNow + std::chrono::hours(1);
  late.replay_until = late.received_at + std::chrono::minutes(6);
  const auto second = ledger.append(std::vector{stale}, kNow).value();
  BOOST_TEST(std::holds_alternative<TrustChanged>(second[0]));
  BOOST_REQUIRE(ledger.append(std::vector{late}, late.received_at));
  BOOST_TEST(!ledger.resolve(old.replay_key, old.created).value());
  BOOST_TEST(ledger.resolve(late.replay_key, late.created).value().has_value());

  StagedRaw staged;
  BOOST_TEST(ledger.stage(staged, std::vector<Bytes>(1, Bytes(10)), kLease).has_value());
}

// Keys of a version before 0007 are noted, so that their leaves are written once.
BOOST_AUTO_TEST_CASE(keys_without_a_leaf_are_noted_unless_others_have_theirs) {
  const std::string keys =
      "INSERT INTO api_key (key_id, secret_sha256, name, role, every_tenant, created_at, "
      "expires_at) VALUES ('A', zeroblob(32), 'a', 0, 1, 1, 2), ('B', zeroblob(32), 'b', 0, 1, 1, "
      "2);";
  const std::string leaf =
      "INSERT INTO log_leaf VALUES (0, zeroblob(32), ''); UPDATE api_key SET leaf_index = 0 "
      "WHERE key_id = 'A';";
  const std::tuple<int, std::string, std::int64_t> cases[] = {
      {6, keys, 2}, {7, keys, 2}, {7, keys + leaf, 0}};
  for (const auto& [version, sql, noted] : cases) {
    const test::TemporaryFolder folder;
    const auto path = folder.file("archive.db");
    make_database(path, version, sql);
    const auto database = ArchiveDatabase::open(Location::of(path), OpenMode::existing).value();
    auto row = database->prepare("SELECT count(*) FROM api_key_to_log").value();
    BOOST_REQUIRE(row.step().value());
    BOOST_TEST(row.integer(0) == noted, version << " " << sql);
  }
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()
