// Keys for the query API. Nothing is ever deleted.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one ApiKeyStore per thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/api_key.h"
#include "store/database.h"

namespace district::store {

class ApiKeyStore {
 public:
  explicit ApiKeyStore(Database& database) : db_(database) {}

  Result<Ok> add(const ApiKey& key);
  Result<std::vector<ApiKey>> list();  // by key_id, which is the order of time
  Result<std::optional<ApiKey>> find(std::string_view key_id);
  // false: there is no such key, or it is revoked already; the first revocation stays as it is.
  Result<bool> revoke(std::string_view key_id, std::string_view reason, Instant at);

 private:
  Result<std::vector<std::string>> tenants_of(const std::string& key_id);

  Database& db_;
};

}  // namespace district::store
