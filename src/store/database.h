// A database and its statements, whatever the engine behind it (store/connection.h). SQL is written
// in store/ only; other modules open a Database and hand it to the stores.
// Threads: one Database per thread at a time; locks order several of them.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "store/connection.h"
#include "store/location.h"

namespace district::store {

class Statement;

// Errors of opening one: archive_foreign (not ours, or newer than we are), archive_unavailable,
// file_unreadable.
class Database {
 public:
  virtual ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Result<Ok> execute(const char* sql);  // without parameters or rows
  // A cached, prepared statement, reset and with cleared bindings.
  Result<Statement> prepare(std::string_view sql);
  // How messages name it: by the path of its file.
  const std::string& name() const { return name_; }
  // What is wrong with the engine's own structures, a line each: Connection::damages().
  Result<std::vector<std::string>> damages() { return connection_->damages(); }
  // What has been done so far: Connection::steps(), and values that were unpacked from rows.
  std::uint64_t steps() const { return connection_->steps() + unpacked_; }
  void count_unpacked(std::size_t values) { unpacked_ += values; }
  Connection& connection() { return *connection_; }

 protected:
  Database(std::string name, std::unique_ptr<Connection> connection);

 private:
  friend class Statement;
  void give_back(std::unique_ptr<Prepared> prepared);

  const std::string name_;
  const std::unique_ptr<Connection> connection_;
  std::uint64_t unpacked_ = 0;
  // Statements that nobody uses. Where one is in use already, the same SQL is prepared again.
  std::map<std::string, std::vector<std::unique_ptr<Prepared>>, std::less<>> idle_;
};

// Each database has a type of its own, so that a store cannot be given the wrong one.
class ArchiveDatabase final : public Database {
 public:
  static Result<std::unique_ptr<ArchiveDatabase>> open(const Location& location, OpenMode mode);

 private:
  using Database::Database;
};

class SeriesDatabase final : public Database {
 public:
  static Result<std::unique_ptr<SeriesDatabase>> open(const Location& location, OpenMode mode);

 private:
  using Database::Database;
};

// Always a file of SQLite's: it is each node's own.
class RejectionDatabase final : public Database {
 public:
  static Result<std::unique_ptr<RejectionDatabase>> open(const std::string& path, OpenMode mode);

 private:
  using Database::Database;
};

// Borrowed from the Database's cache; reset and given back when it goes out of scope, which must be
// before its Database does.
class Statement {
 public:
  Statement(Statement&& other) noexcept = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters from 1. Text and blobs must outlive the first step. A failure shows in it.
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
  std::int64_t integer(int column) const { return prepared_->integer(column); }
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  double real(int column) const { return prepared_->real(column); }
  std::string text(int column) const { return std::string(prepared_->text(column)); }
  ByteView blob(int column) const { return prepared_->octets(column); }  // until the next step
  bool is_null(int column) const { return prepared_->is_null(column); }
  Instant instant(int column) const { return from_micros(integer(column)); }
  std::optional<Instant> optional_instant(int column) const;
  Result<Sha256Digest> digest(int column) const;  // archive_corrupt when it has not 32 octets

 private:
  friend class Database;
  Statement(Database& database, std::unique_ptr<Prepared> prepared)
      : database_(&database), prepared_(std::move(prepared)) {}
  Database* database_;
  std::unique_ptr<Prepared> prepared_;  // null once moved from
};

}  // namespace district::store
