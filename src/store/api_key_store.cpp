#include "store/api_key_store.h"

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

}  // namespace

Result<Ok> ApiKeyStore::add(const ApiKey& key) {
  DISTRICT_TRY(auto transaction, Transaction::begin(db_));
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
  return transaction.commit();
}

Result<std::vector<std::string>> ApiKeyStore::tenants_of(const std::string& key_id) {
  DISTRICT_TRY(auto row,
               db_.prepare("SELECT tenant FROM api_key_tenant WHERE key_id = ? ORDER BY tenant"));
  row.bind(1, key_id);
  std::vector<std::string> tenants;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return tenants;
    tenants.push_back(row.text(0));
  }
}

Result<std::vector<ApiKey>> ApiKeyStore::list() {
  DISTRICT_TRY(auto row, db_.prepare(std::string(kSelectKeys) + "ORDER BY key_id"));
  std::vector<ApiKey> keys;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return keys;
    DISTRICT_TRY(auto key, read_key(row));
    DISTRICT_TRY(key.tenants, tenants_of(key.key_id));
    keys.push_back(std::move(key));
  }
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

Result<bool> ApiKeyStore::revoke(std::string_view key_id, std::string_view reason, Instant at) {
  DISTRICT_TRY(auto transaction, Transaction::begin(db_));
  bool revoked = false;
  {
    DISTRICT_TRY(auto update,
                 db_.prepare("UPDATE api_key SET revoked_at = ?, revocation_reason = ? "
                             "WHERE key_id = ? AND revoked_at IS NULL RETURNING key_id"));
    update.bind(1, at).bind(2, reason).bind(3, key_id);
    DISTRICT_TRY(revoked, update.step());
  }
  DISTRICT_CHECK(transaction.commit());
  return revoked;
}

}  // namespace district::store
