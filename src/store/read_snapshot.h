// The database as it is at one moment, for as long as the object lives: what others commit
// meanwhile is not seen. Meanwhile the write-ahead log cannot be folded back beyond that moment, so
// a long life costs disk space.
// Source: sqlite.org/isolation.html. Threads: as its Database.
#pragma once

#include <utility>

#include "base/error.h"
#include "store/database.h"

namespace district::store {

class ReadSnapshot {
 public:
  // Keeps a reference to the database, which must not be in a transaction.
  // Errors: archive_unavailable, archive_corrupt.
  static Result<ReadSnapshot> take(Database& database);
  ReadSnapshot(ReadSnapshot&& other) noexcept
      : database_(std::exchange(other.database_, nullptr)) {}
  ReadSnapshot& operator=(ReadSnapshot&&) = delete;
  ~ReadSnapshot();

 private:
  explicit ReadSnapshot(Database& database) : database_(&database) {}
  Database* database_;  // null once moved from
};

// Whether it is read without locks, because its folder cannot be written to. Nobody may change the
// database while it is read so.
bool is_read_without_locks(Database& database);

}  // namespace district::store
