// Bearer keys for the query API: made, checked and revoked. Whoever knows a key's text may read
// what its role and tenants allow; the server keeps only a digest of it.
// Each key and each revocation is a leaf of the log.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/api_key.h"
#include "store/database.h"

namespace district::trust {

struct ApiKeyRequest {
  std::string name;
  ApiRole role = ApiRole::reader;
  bool every_tenant = false;
  std::vector<std::string> tenants;   // known ones; each once
  std::optional<Instant> expires_at;  // default: in 365 days
};

struct NewApiKey {
  ApiKey key;
  std::string text;  // what the client sends; cannot be shown again
};

// Errors: admin_invalid (no name; neither tenants nor all of them, or both; unknown tenant;
// an expiry that is past or more than ten years ahead),
// archive_unavailable.
Result<NewApiKey> create_api_key(store::ArchiveDatabase& database, ApiKeyRequest request,
                                 Instant now);

// Errors: not_found; admin_conflict (revoked already); archive_unavailable.
Result<Ok> revoke_api_key(store::ArchiveDatabase& database, std::string_view key_id,
                          std::string_view reason, Instant now);

// Leaves for keys that an earlier version made without, once after the migration that notes which.
// Errors: archive_unavailable, archive_corrupt.
Result<Ok> log_earlier_api_keys(store::ArchiveDatabase& database, Instant now);

// The key of that text, if it is in force and has its leaf; nullopt for every other text, whatever
// is wrong with it.
// Errors: archive_unavailable, archive_corrupt.
Result<std::optional<ApiKey>> find_api_key(store::ArchiveDatabase& database, std::string_view text,
                                           Instant now);

// Whether a key may be somewhere in a text, which must not be shown then.
bool may_hold_api_key(std::string_view text);

const char* name_of(ApiRole role);
std::optional<ApiRole> api_role_of(std::string_view name);

}  // namespace district::trust
