#include "store/transaction.h"

#include "store/connection.h"

namespace district::store {

Result<Transaction> Transaction::begin(Database& database) {
  DISTRICT_CHECK(database.connection().begin_writing());
  return Transaction(database);
}

Result<Ok> Transaction::begin_again(Database& database) {
  DISTRICT_CHECK(database.connection().begin_writing());
  database_ = &database;
  return Ok{};
}

Transaction::~Transaction() {
  if (database_ != nullptr) database_->connection().roll_back();
}

Result<Ok> Transaction::commit() {
  DISTRICT_CHECK(database_->connection().commit());
  database_ = nullptr;
  return Ok{};
}

}  // namespace district::store
