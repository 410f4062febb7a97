#include <sqlite3.h>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/c_handle.h"
#include "store/location.h"
#include "store/sqlite/file.h"
#include "store/sqlite/file_check.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite.h"

namespace district::store::sqlite {
namespace {

constexpr int kBusyTimeoutMs = 10'000;  // longer than any transaction of ours takes
constexpr auto kBusyTimeout = std::chrono::milliseconds(kBusyTimeoutMs);
constexpr auto kScratch = Location::kScratch;

using Writers = std::timed_mutex;
using StatementHandle = CHandle<sqlite3_stmt, sqlite3_finalize>;

// One for all connections of this process to a path. Scratch databases have nothing in common.
std::shared_ptr<Writers> writers_of(const std::string& path) {
  if (path == kScratch) return std::make_shared<Writers>();
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Writers>> known;
  const std::lock_guard lock(mutex);
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto writers = known[path].lock();
  if (!writers) known[path] = writers = std::make_shared<Writers>();
  return writers;
}

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(std::string path, Schema schema)
      : path_(std::move(path)), schema_(schema), writers_(writers_of(path_)) {}
  ~SqliteConnection() override { sqlite3_close(db_); }
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // `immutable`: to be read without locks and without a file beside it.
  Result<Ok> open(OpenMode mode, bool immutable);
  bool was_busy() const { return was_busy_; }
  bool was_refused() const { return was_refused_; }

  Result<Ok> execute(const char* sql) override;
  Result<std::unique_ptr<Prepared>> prepare(std::string_view sql) override;
  Result<Ok> begin_writing() override;
  Result<Ok> commit() override;
  void roll_back() override;
  Result<Ok> begin_reading() override;
  void end_reading() override;
  Result<std::vector<std::string>> damages() override;
  std::uint64_t steps() const override { return steps_; }
  void add_steps(std::uint64_t steps) { steps_ += steps; }
  bool is_read_without_locks() const override { return immutable_; }

  // SQLite's last error as ours. `doing`: "reading the log".
  Error error(std::string_view doing);

 private:
  Result<Ok> connect(OpenMode mode);
  Result<Ok> configure(OpenMode mode);
  Result<Ok> use_write_ahead_log();

  const std::string path_;
  const Schema schema_;
  bool immutable_ = false;
  std::uint64_t steps_ = 0;
  bool was_busy_ = false;     // error() has told of a lock
  bool was_refused_ = false;  // error() has told of a file that cannot be made or written
  sqlite3* db_ = nullptr;
  const std::shared_ptr<Writers> writers_;  // of this process, to the same path
  std::unique_lock<Writers> turn_;          // held while it writes
};

class SqliteStatement final : public Prepared {
 public:
  SqliteStatement(SqliteConnection& connection, sqlite3_stmt* statement)
      : connection_(connection), handle_(statement), statement_(statement) {}

  std::string_view sql() const override { return sqlite3_sql(statement_); }

  void bind_integer(int index, std::int64_t value) override {
    keep_first(sqlite3_bind_int64(statement_, index, value));
  }
  void bind_real(int index, double value) override {
    keep_first(sqlite3_bind_double(statement_, index, value));
  }
  void bind_text(int index, std::string_view text) override {
    // A null pointer would bind NULL instead of the empty text.
    keep_first(sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                                   SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_octets(int index, ByteView octets) override {
    keep_first(octets.empty() ? sqlite3_bind_zeroblob(statement_, index, 0)
                              : sqlite3_bind_blob64(statement_, index, octets.data(), octets.size(),
                                                    SQLITE_STATIC));
  }
  void bind_null(int index) override { keep_first(sqlite3_bind_null(statement_, index)); }

  Result<bool> step() override {
    if (bind_status_ != SQLITE_OK) {
      return fail(ErrorCode::internal, std::string("binding a parameter: ") +
                                           sqlite3_errstr(bind_status_) + ": " +
                                           sqlite3_sql(statement_));
    }
    const int status = sqlite3_step(statement_);
    if (status == SQLITE_ROW) return true;
    if (status == SQLITE_DONE) return false;
    return fail(connection_.error("using the database"));
  }
  void rewind() override { sqlite3_reset(statement_); }
  void clear() override {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    constexpr int kAndBeginAnew = 1;
    connection_.add_steps(static_cast<std::uint64_t>(
        sqlite3_stmt_status(statement_, SQLITE_STMTSTATUS_VM_STEP, kAndBeginAnew)));
    bind_status_ = SQLITE_OK;
  }

  std::int64_t integer(int column) const override {
    return sqlite3_column_int64(statement_, column);
  }
  double real(int column) const override { return sqlite3_column_double(statement_, column); }
  std::string_view text(int column) const override {
    const auto* text = sqlite3_column_text(statement_, column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  ByteView octets(int column) const override {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }

 private:
  void keep_first(int status) {
    if (bind_status_ == SQLITE_OK) bind_status_ = status;
  }

  SqliteConnection& connection_;
  const StatementHandle handle_;
  sqlite3_stmt* const statement_;
  int bind_status_ = SQLITE_OK;  // SQLite's first error of a bind, if any
};

Result<Ok> SqliteConnection::open(OpenMode mode, bool immutable) {
  immutable_ = immutable;
  DISTRICT_CHECK(connect(mode));
  DISTRICT_CHECK(check_identity(*this, path_, schema_, mode));
  DISTRICT_CHECK(configure(mode));
  if (mode != OpenMode::read_only) DISTRICT_CHECK(migrate(*this, schema_));
  return Ok{};
}

Result<Ok> SqliteConnection::connect(OpenMode mode) {
  const int access = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY
                                                 : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const auto name = immutable_ ? immutable_uri(path_) : path_;
  const int status = sqlite3_open_v2(
      name.c_str(), &db_,
      access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (immutable_ ? SQLITE_OPEN_URI : 0),
      nullptr);
  if (db_ == nullptr) return fail(ErrorCode::internal, "no memory for a database connection");
  if (status != SQLITE_OK) return fail(error("opening the database"));
  if (mode != OpenMode::read_only && sqlite3_db_readonly(db_, "main") == 1) {
    return fail(ErrorCode::archive_unavailable, path_ + " is read-only",
                "the user who runs this must be allowed to write the file and its folder");
  }
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  // A database that somebody tampered with must not run functions of its own by triggers or views,
  // nor show or change rows by them. Ours has neither; foreign keys work without.
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  return Ok{};
}

Result<Ok> SqliteConnection::configure(OpenMode mode) {
  DISTRICT_CHECK(execute("PRAGMA foreign_keys = ON"));
  if (mode == OpenMode::read_only) return Ok{};
  // Of a new file only. Compressed envelopes of 1 to 4 KB leave less of a page empty than they do
  // of SQLite's 4096 octets.
  DISTRICT_CHECK(execute("PRAGMA page_size = 8192"));
  DISTRICT_CHECK(use_write_ahead_log());
  // FULL: a commit returns when it is on the disk. This is what a receipt promises.
  DISTRICT_CHECK(execute(schema_ == Schema::rejections ? "PRAGMA synchronous = NORMAL"
                                                       : "PRAGMA synchronous = FULL"));
  // Pages at the end of the tables are written by nearly every commit: folding the log back at
  // 16 MiB instead of 4 copies them less often.
  DISTRICT_CHECK(execute("PRAGMA wal_autocheckpoint = 2000"));
  // A log that grew under a long reader is cut back to 64 MiB.
  return execute("PRAGMA journal_size_limit = 67108864");
}

Result<Ok> SqliteConnection::use_write_ahead_log() {
  DISTRICT_TRY(const auto statement, prepare("PRAGMA journal_mode = WAL"));
  DISTRICT_TRY(const bool row, statement->step());
  const auto journal = row ? std::string(statement->text(0)) : std::string();
  if (journal == "wal" || path_ == kScratch) return Ok{};
  return fail(ErrorCode::archive_unavailable,
              "no write-ahead log for " + path_ + ": journal mode is " + journal,
              "the database must be on a local file system, not on a network share");
}

Result<Ok> SqliteConnection::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error("executing SQL"));
  return Ok{};
}

Result<std::unique_ptr<Prepared>> SqliteConnection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                         &statement, nullptr) != SQLITE_OK) {
    return fail(error("preparing SQL"));
  }
  return std::make_unique<SqliteStatement>(*this, statement);
}

Result<Ok> SqliteConnection::begin_writing() {
  std::unique_lock turn(*writers_, kBusyTimeout);
  if (!turn) {
    was_busy_ = true;
    return fail(ErrorCode::archive_unavailable,
                "another thread has been writing to " + path_ + " for too long",
                "the disk may be slow or failing (dmesg)");
  }
  DISTRICT_CHECK(execute("BEGIN IMMEDIATE"));
  turn_ = std::move(turn);
  return Ok{};
}

Result<Ok> SqliteConnection::commit() {
  DISTRICT_CHECK(execute("COMMIT"));
  turn_.unlock();
  return Ok{};
}

void SqliteConnection::roll_back() {
  // After some errors SQLite has rolled back by itself.
  if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  if (turn_) turn_.unlock();
}

Result<Ok> SqliteConnection::begin_reading() {
  DISTRICT_CHECK(execute("BEGIN DEFERRED"));
  // The moment is that of the first read, not of BEGIN.
  auto first = execute("SELECT count(*) FROM sqlite_schema");
  if (!first) end_reading();
  return first;
}

// Nothing was written: there is nothing that ROLLBACK could fail to undo.
void SqliteConnection::end_reading() { static_cast<void>(execute("ROLLBACK")); }

Result<std::vector<std::string>> SqliteConnection::damages() {
  DISTRICT_TRY(auto found, schema_differences(*this, schema_));
  DISTRICT_TRY(const auto pages, damaged_pages(*this));
  found.insert(found.end(), pages.begin(), pages.end());
  return found;
}

Error SqliteConnection::error(std::string_view doing) {
  const int status = sqlite3_extended_errcode(db_);
  auto detail = std::string(doing) + " (" + path_ + "): " + sqlite3_errmsg(db_);
  const auto made = [&](ErrorCode code, std::string hint) {
    return Error{code, std::move(detail), std::move(hint), {}, {}};
  };
  const int system = sqlite3_system_errno(db_);
  const int primary = status & 0xff;
  if ((primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) && system != 0) {
    detail += ": " + system_text(system);
  }
  switch (primary) {
    case SQLITE_FULL:
      return made(ErrorCode::archive_unavailable, "the disk is full: free space; nothing was lost");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      was_busy_ = true;
      return made(
          ErrorCode::archive_unavailable,
          "another process holds the database locked; wait, or find it with: fuser " + path_);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      was_refused_ = true;
      return made(ErrorCode::archive_unavailable,
                  "the user who runs this must be allowed to write the file and its folder");
    case SQLITE_CANTOPEN:
      was_refused_ = true;
      return made(ErrorCode::archive_unavailable,
                  "the user who runs this must be allowed to write the folder, where SQLite keeps "
                  "its -wal and -shm files");
    case SQLITE_IOERR:
      return made(ErrorCode::archive_unavailable, "check the disk and its free space (df, dmesg)");
    case SQLITE_CORRUPT:
      return made(ErrorCode::archive_corrupt,
                  "restore the database from a backup; keep the damaged file");
    case SQLITE_NOTADB:
      return made(ErrorCode::archive_foreign, "check the path; this is not a District database");
    default:
      detail += " (SQLite " + std::to_string(status) + ")";
      return made(ErrorCode::internal, {});
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> connect(const std::string& path, Schema schema, OpenMode mode) {
  if (path != kScratch) DISTRICT_CHECK(check_file(path, mode));
  // Where another process is making the database at the same moment, SQLite gives up at once
  // instead of waiting: to change the journal's mode it would need the file for itself.
  const auto deadline = std::chrono::steady_clock::now() + kBusyTimeout;
  while (true) {
    auto connection = std::make_unique<SqliteConnection>(path, schema);
    auto ready = connection->open(mode, false);
    if (!ready && mode == OpenMode::read_only && connection->was_refused() &&
        cannot_write_beside(path)) {
      DISTRICT_CHECK(check_is_whole(path));
      connection = std::make_unique<SqliteConnection>(path, schema);
      ready = connection->open(mode, true);
    }
    if (ready) return connection;
    if (!connection->was_busy() || std::chrono::steady_clock::now() > deadline)
      return fail(ready.error());
    connection.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace district::store::sqlite
