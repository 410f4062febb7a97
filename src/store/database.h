// One SQLite connection, its statements and transactions. SQL is written in store/ only; other
// modules open a Database and hand it to the stores.
// Source: sqlite.org/c3ref, sqlite.org/wal.html.
// Threads: one Database per thread at a time; SQLite's own locks order several of them.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "store/location.h"

struct sqlite3;
struct sqlite3_stmt;

namespace district::store {

enum class OpenMode {
  create,     // make the file and bring it to this version's schema where needed
  existing,   // must exist; brought to this version's schema
  read_only,  // must exist and have this version's schema
};

// What a database is for. Each kind has migrations and an application_id of its own.
enum class Schema {
  archive,     // evidence: a commit returns when it is on the disk
  series,      // likewise: the archive is told of what is done here
  rejections,  // may lose its last moments in a power failure
};

class Statement;

class Database {
 public:
  virtual ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Ok> execute(const char* sql);  // without parameters or rows
  // A cached, prepared statement, reset and with cleared bindings.
  Result<Statement> prepare(std::string_view sql);
  // SQLite's last error as ours: archive_unavailable for a full disk, a lock, an I/O error;
  // archive_corrupt; internal for what should not happen. `doing`: "reading the log".
  Error error(std::string_view doing) const;
  const std::string& path() const { return path_; }
  sqlite3* native() { return db_; }

 protected:
  Database(std::string path, Schema schema);
  // Sets WAL, synchronous=FULL (but for rejections), foreign keys, a busy time-out of 10 s, and
  // runs the migrations.
  // Errors: archive_foreign (not ours, or newer than we are), archive_unavailable, file_unreadable.
  template <typename Kind>
  static Result<std::unique_ptr<Kind>> open_as(const std::string& path, OpenMode mode);

 private:
  friend class Statement;
  friend class Transaction;
  using Make = std::unique_ptr<Database> (*)(const std::string& path);
  static Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode, Make make);
  Result<Ok> prepare_for(OpenMode mode);
  Result<Ok> connect(OpenMode mode);
  Result<Ok> check_identity(OpenMode mode);
  Result<Ok> configure(OpenMode mode);
  Result<Ok> migrate();
  Result<std::int64_t> pragma(const char* sql);
  Result<std::int64_t> schema_version();
  void give_back(sqlite3_stmt* statement);

  std::string path_;
  Schema schema_;
  mutable bool was_busy_ = false;  // error() has told of a lock
  sqlite3* db_ = nullptr;
  std::shared_ptr<std::timed_mutex> writers_;  // of this process, to the same path
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

// Which of the databases it is belongs to its type, so that no role is given the wrong one.
// Errors of all three: as of Database::open_as().
class ArchiveDatabase final : public Database {
 public:
  static Result<std::unique_ptr<ArchiveDatabase>> open(const Location& location, OpenMode mode);

 private:
  friend class Database;
  explicit ArchiveDatabase(const std::string& path) : Database(path, Schema::archive) {}
};

class SeriesDatabase final : public Database {
 public:
  static Result<std::unique_ptr<SeriesDatabase>> open(const Location& location, OpenMode mode);

 private:
  friend class Database;
  explicit SeriesDatabase(const std::string& path) : Database(path, Schema::series) {}
};

class RejectionDatabase final : public Database {
 public:
  static Result<std::unique_ptr<RejectionDatabase>> open(const std::string& path, OpenMode mode);

 private:
  friend class Database;
  explicit RejectionDatabase(const std::string& path) : Database(path, Schema::rejections) {}
};

// Borrowed from the Database's cache; reset and given back when it goes out of scope, which must be
// before its Database does.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters from 1. Text and blobs must outlive the step. A failure shows in the next step.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, double value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind(int index, ByteView blob);
  Statement& bind(int index, Instant instant);
  Statement& bind(int index, std::optional<Instant> instant);
  Statement& bind(int index, std::optional<double> value);
  Statement& bind_null(int index);
  Statement& bind(int index, std::integral auto value) {
    return bind(index, static_cast<std::int64_t>(value));
  }

  Result<bool> step();  // true: a row is there
  Result<Ok> run();     // to the end, without rows; then may be bound and run again

  // Columns from 0, of the current row.
  std::int64_t integer(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  double real(int column) const;
  std::string text(int column) const;
  ByteView blob(int column) const;  // until the next step
  bool is_null(int column) const;
  Instant instant(int column) const;
  std::optional<Instant> optional_instant(int column) const;
  Result<Sha256Digest> digest(int column) const;  // archive_corrupt when it has not 32 octets

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}
  Database* database_;
  sqlite3_stmt* statement_;
  int bind_status_ = 0;  // SQLite's first error of a bind, if any
};

// The right to write, until it is committed or goes out of scope, which undoes what was written. It
// ends in the thread that began it.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)), turn_(std::move(other.turn_)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<Ok> commit();

 protected:
  Result<Ok> begin_again(Database& database);
  // Waits up to 10 s for other writers. Those of this process take over from each other at once;
  // those of another one SQLite looks for ever more seldom, at last every 100 ms.
  static Result<Transaction> begin(Database& database);

 private:
  friend class Database;  // to migrate itself
  using Turn = std::unique_lock<std::timed_mutex>;
  Transaction(Database& database, Turn turn) : database_(&database), turn_(std::move(turn)) {}
  Database* database_;  // null once committed or moved from
  Turn turn_;
};

// The lock of the log: whoever holds it decides what the next leaf is. Every receipt waits for it,
// so nobody computes while holding it. Taken before the series' lock where both are needed.
class LogTransaction : public Transaction {
 public:
  static Result<LogTransaction> begin(ArchiveDatabase& archive) {
    DISTRICT_TRY(auto begun, Transaction::begin(archive));
    return LogTransaction(std::move(begun), archive);
  }
  ArchiveDatabase& database() { return *archive_; }

 private:
  LogTransaction(Transaction begun, ArchiveDatabase& archive)
      : Transaction(std::move(begun)), archive_(&archive) {}
  ArchiveDatabase* archive_;
};

// The lock of the series: whoever holds it writes measurements and KPI values. No receipt waits for
// it.
class SeriesTransaction : public Transaction {
 public:
  // After commit(): what was made from this one goes on with it.
  Result<Ok> begin_again() { return Transaction::begin_again(*series_); }
  static Result<SeriesTransaction> begin(SeriesDatabase& series) {
    DISTRICT_TRY(auto begun, Transaction::begin(series));
    return SeriesTransaction(std::move(begun), series);
  }
  SeriesDatabase& database() { return *series_; }

 private:
  SeriesTransaction(Transaction begun, SeriesDatabase& series)
      : Transaction(std::move(begun)), series_(&series) {}
  SeriesDatabase* series_;
};

class RejectionTransaction : public Transaction {
 public:
  static Result<RejectionTransaction> begin(RejectionDatabase& rejections) {
    DISTRICT_TRY(auto begun, Transaction::begin(rejections));
    return RejectionTransaction(std::move(begun));
  }

 private:
  explicit RejectionTransaction(Transaction begun) : Transaction(std::move(begun)) {}
};

}  // namespace district::store
