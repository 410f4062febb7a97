// Keys for the query API. Each key and each revocation is a row and a leaf of the log in one
// transaction; nothing is ever deleted.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one ApiKeyStore per thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/api_key.h"
#include "store/database.h"
#include "store/transaction.h"

namespace district::store {

class ApiKeyStore {
 public:
  explicit ApiKeyStore(ArchiveDatabase& database) : db_(database) {}

  // Makes the text of a key's leaf: log::api_key_entry and its like.
  using Entry = std::function<std::string(const ApiKey&)>;

  Result<Ok> add(const ApiKey& key, const Entry& entry);
  Result<std::vector<ApiKey>> list();  // by key_id, which is the order of time
  Result<std::optional<ApiKey>> find(std::string_view key_id);
  // nullopt also for a row that contradicts the log: without a leaf of its own, or revoked there.
  Result<std::optional<ApiKey>> find_logged(std::string_view key_id);
  // false: there is no such key, or it is revoked already; the first revocation stays as it is.
  Result<bool> revoke(std::string_view key_id, std::string_view reason, Instant at,
                      const Entry& entry);
  // Versions before migration 0007 kept keys without leaves. This appends the missing leaves, once
  // for each database; usually none is missing. Other rows without a leaf stay as they are.
  Result<Ok> add_earlier_leaves(const Entry& made, const Entry& revoked, Instant now);

  // A key and where its leaves are, for comparing the two.
  struct Recorded {
    ApiKey key;
    std::optional<std::uint64_t> leaf_index, revocation_leaf_index;
    bool awaits_leaf = false;  // an earlier version made it
  };
  Result<std::vector<Recorded>> recorded();

 private:
  Result<Ok> put_leaf(LogTransaction& transaction, const char* update, const ApiKey& key,
                      std::string_view entry, Instant now);
  Result<Recorded> recorded(ApiKey key);
  Result<std::vector<std::string>> tenants_of(const std::string& key_id);

  ArchiveDatabase& db_;
};

}  // namespace district::store
