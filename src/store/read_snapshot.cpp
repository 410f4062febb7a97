#include "store/read_snapshot.h"

#include <sqlite3.h>

namespace district::store {

Result<ReadSnapshot> ReadSnapshot::take(Database& database) {
  DISTRICT_CHECK(database.execute("BEGIN DEFERRED"));
  ReadSnapshot snapshot(database);
  // The moment is that of the first read, not of BEGIN.
  DISTRICT_TRY(auto statement, database.prepare("SELECT count(*) FROM sqlite_schema"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) return fail(ErrorCode::archive_corrupt, "the database cannot be read");
  return snapshot;
}

ReadSnapshot::~ReadSnapshot() {
  // Nothing was written: there is nothing that ROLLBACK could fail to undo.
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

bool is_read_without_locks(Database& database) {
  const auto* name = sqlite3_db_filename(database.native(), "main");
  return name != nullptr && sqlite3_uri_boolean(name, "immutable", 0) != 0;
}

}  // namespace district::store
