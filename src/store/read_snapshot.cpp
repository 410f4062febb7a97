#include "store/read_snapshot.h"

#include "store/connection.h"

namespace district::store {

Result<ReadSnapshot> ReadSnapshot::take(Database& database) {
  DISTRICT_CHECK(database.connection().begin_reading());
  return ReadSnapshot(database);
}

ReadSnapshot::~ReadSnapshot() {
  if (database_ != nullptr) database_->connection().end_reading();
}

bool is_read_without_locks(Database& database) {
  return database.connection().is_read_without_locks();
}

}  // namespace district::store
