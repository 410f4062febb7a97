// The right to write, as a type: a function that writes takes one as a parameter, so the compiler
// checks who holds which lock. docs/adr/0022-derived-data-apart.md.
// Threads: a transaction ends in the thread that began it.
#pragma once

#include <utility>

#include "base/error.h"
#include "store/database.h"

namespace district::store {

// Until it is committed or goes out of scope, which undoes what was written.
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<Ok> commit();

 protected:
  // Errors: archive_unavailable, e.g. because others have been writing for 10 s.
  static Result<Transaction> begin(Database& database);
  Result<Ok> begin_again(Database& database);

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // null once committed or moved from
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
  // After commit(). Writers that were made from this transaction may go on.
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
