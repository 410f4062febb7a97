#include "store/api_key_store.h"

#include "store/log_writer.h"
#include "store/rows.h"

namespace district::store {
namespace {

constexpr const char* kSelectKeys =
    "SELECT key_id, secret_sha256, name, role, every_tenant, created_at, expires_at, revoked_at, "
    "coalesce(revocation_reason, '') FROM api_key ";

Result<ApiKey> read_key(const Statement& row) {
  ApiKey key;
  key.key_id = row.text(0);
  DISTRICT_TRY(key.secret_sha256, row.digest(1));
  key.name = row.text(2);
  const auto role = row.integer(3);
  if (role != static_cast<int>(ApiRole::reader) && role != static_cast<int>(ApiRole::auditor)) {
    return fail(ErrorCode::archive_corrupt, "API key " + key.key_id + " has an unknown role");
  }
  key.role = static_cast<ApiRole>(role);
  key.every_tenant = row.integer(4) != 0;
  key.created_at = row.instant(5);
  key.expires_at = row.instant(6);
  key.revoked_at = row.optional_instant(7);
  key.revocation_reason = row.text(8);
  return key;
}

constexpr const char* kSetLeaf = "UPDATE api_key SET leaf_index = ?1 WHERE key_id = ?2";
constexpr const char* kSetRevocationLeaf =
    "UPDATE api_key SET revocation_leaf_index = ?1 WHERE key_id = ?2";

}  // namespace

// Its own commit in the log, whatever else the transaction does.
Result<Ok> ApiKeyStore::put_leaf(LogTransaction& transaction, const char* update, const ApiKey& key,
                                 std::string_view entry, Instant now) {
  DISTRICT_TRY(const auto leaf_index, append_log_leaf(transaction, entry, now));
  DISTRICT_TRY(auto row, db_.prepare(update));
  return row.bind(1, leaf_index).bind(2, key.key_id).run();
}

Result<Ok> ApiKeyStore::add(const ApiKey& key, const Entry& entry) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  {
    DISTRICT_TRY(auto insert,
                 db_.prepare("INSERT INTO api_key (key_id, secret_sha256, name, role, "
                             "every_tenant, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)"));
    insert.bind(1, key.key_id).bind(2, ByteView(key.secret_sha256)).bind(3, key.name);
    insert.bind(4, static_cast<int>(key.role)).bind(5, key.every_tenant ? 1 : 0);
    insert.bind(6, key.created_at).bind(7, key.expires_at);
    DISTRICT_CHECK(insert.run());
    DISTRICT_TRY(auto tenant,
                 db_.prepare("INSERT INTO api_key_tenant (key_id, tenant) VALUES (?, ?)"));
    for (const auto& code : key.tenants) {
      DISTRICT_CHECK(tenant.bind(1, key.key_id).bind(2, code).run());
    }
  }
  DISTRICT_CHECK(put_leaf(transaction, kSetLeaf, key, entry(key), key.created_at));
  return transaction.commit();
}

Result<std::vector<std::string>> ApiKeyStore::tenants_of(const std::string& key_id) {
  DISTRICT_TRY(auto row,
               db_.prepare("SELECT tenant FROM api_key_tenant WHERE key_id = ? ORDER BY tenant"));
  row.bind(1, key_id);
  return all_rows(row, [](const Statement& found) { return found.text(0); });
}

Result<std::vector<ApiKey>> ApiKeyStore::list() {
  DISTRICT_TRY(auto row, db_.prepare(std::string(kSelectKeys) + "ORDER BY key_id"));
  DISTRICT_TRY(auto keys, all_rows(row, read_key));
  for (auto& key : keys) {
    DISTRICT_TRY(key.tenants, tenants_of(key.key_id));
  }
  return keys;
}

Result<std::optional<ApiKey>> ApiKeyStore::find(std::string_view key_id) {
  DISTRICT_TRY(auto row, db_.prepare(std::string(kSelectKeys) + "WHERE key_id = ?"));
  row.bind(1, key_id);
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  DISTRICT_TRY(auto key, read_key(row));
  DISTRICT_TRY(key.tenants, tenants_of(key.key_id));
  return key;
}

Result<std::optional<ApiKey>> ApiKeyStore::find_logged(std::string_view key_id) {
  DISTRICT_TRY(auto key, find(key_id));
  if (!key) return std::nullopt;
  DISTRICT_TRY(const auto leaves, recorded(*std::move(key)));
  if (!leaves.leaf_index) return std::nullopt;
  if (leaves.revocation_leaf_index && !leaves.key.revoked_at) return std::nullopt;
  return leaves.key;
}

Result<bool> ApiKeyStore::revoke(std::string_view key_id, std::string_view reason, Instant at,
                                 const Entry& entry) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  {
    DISTRICT_TRY(auto update,
                 db_.prepare("UPDATE api_key SET revoked_at = ?, revocation_reason = ? "
                             "WHERE key_id = ? AND revoked_at IS NULL RETURNING key_id"));
    update.bind(1, at).bind(2, reason).bind(3, key_id);
    DISTRICT_TRY(const bool revoked, update.step());
    if (!revoked) return false;
    DISTRICT_CHECK(update.run());
  }
  DISTRICT_TRY(const auto key, find(key_id));
  if (!key) return fail(ErrorCode::internal, "the API key is gone");
  DISTRICT_CHECK(put_leaf(transaction, kSetRevocationLeaf, *key, entry(*key), at));
  DISTRICT_CHECK(transaction.commit());
  return true;
}

Result<ApiKeyStore::Recorded> ApiKeyStore::recorded(ApiKey key) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index, revocation_leaf_index, EXISTS (SELECT 1 "
                                     "FROM api_key_to_log t WHERE t.key_id = api_key.key_id) "
                                     "FROM api_key WHERE key_id = ?"));
  Recorded one{std::move(key), {}, {}};
  DISTRICT_TRY(const bool there, row.bind(1, one.key.key_id).step());
  if (there && !row.is_null(0)) one.leaf_index = row.count(0);
  if (there && !row.is_null(1)) one.revocation_leaf_index = row.count(1);
  one.awaits_leaf = there && row.integer(2) != 0;
  return one;
}

Result<std::vector<ApiKeyStore::Recorded>> ApiKeyStore::recorded() {
  DISTRICT_TRY(auto keys, list());
  std::vector<Recorded> found;
  for (auto& key : keys) {
    DISTRICT_TRY(found.emplace_back(), recorded(std::move(key)));
  }
  return found;
}

Result<Ok> ApiKeyStore::add_earlier_leaves(const Entry& made, const Entry& revoked, Instant now) {
  const auto anything_to_log = [this]() -> Result<bool> {
    DISTRICT_TRY(auto row, db_.prepare("SELECT 1 FROM api_key_to_log LIMIT 1"));
    return row.step();
  };
  DISTRICT_TRY(const bool before, anything_to_log());
  if (!before) return Ok{};
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  DISTRICT_TRY(const auto keys, recorded());
  for (const auto& one : keys) {
    if (!one.awaits_leaf) continue;
    if (!one.leaf_index)
      DISTRICT_CHECK(put_leaf(transaction, kSetLeaf, one.key, made(one.key), now));
    if (one.key.revoked_at && !one.revocation_leaf_index)
      DISTRICT_CHECK(put_leaf(transaction, kSetRevocationLeaf, one.key, revoked(one.key), now));
  }
  DISTRICT_CHECK(db_.execute("DELETE FROM api_key_to_log"));
  return transaction.commit();
}

}  // namespace district::store
