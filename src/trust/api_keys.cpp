#include "trust/api_keys.h"

#include <algorithm>

#include "base/ulid.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "store/api_key_store.h"
#include "store/trust_store.h"

namespace district::trust {
namespace {

// "district_" makes a key that has leaked findable by scanners; then its id and its secret.
constexpr std::string_view kPrefix = "district_";
constexpr std::size_t kUlidLength = 26, kSecretOctets = 32;
constexpr std::size_t kTextLength = kPrefix.size() + kUlidLength + 1 + 2 * kSecretOctets;
constexpr std::size_t kNameBytesMax = 200;
constexpr auto kUsualLife = std::chrono::hours(24 * 365), kLongestLife = 10 * kUsualLife;

bool is_plain(std::string_view text) {
  return text.size() <= kNameBytesMax &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<Ok> check_tenants(store::ArchiveDatabase& database, const ApiKeyRequest& request) {
  if (request.every_tenant == !request.tenants.empty()) {
    return fail(ErrorCode::admin_invalid, "a key reads either some tenants or all of them",
                "give --tenant CODE, once or more, or --all-tenants");
  }
  DISTRICT_TRY(const auto records, store::TrustStore(database).load());
  for (const auto& code : request.tenants) {
    if (std::ranges::find(records.tenants, code, &Tenant::code) == records.tenants.end()) {
      return fail(ErrorCode::not_found, "there is no tenant '" + code + "'",
                  "districtctl tenant list shows them");
    }
  }
  return Ok{};
}

}  // namespace

Result<NewApiKey> create_api_key(store::ArchiveDatabase& database, ApiKeyRequest request,
                                 Instant now) {
  if (request.name.empty() || !is_plain(request.name)) {
    return fail(ErrorCode::admin_invalid, "a key needs a name of one line, at most 200 octets",
                "say who will hold it");
  }
  DISTRICT_CHECK(check_tenants(database, request));
  const auto expires_at = request.expires_at.value_or(now + kUsualLife);
  if (expires_at <= now || expires_at > now + kLongestLife) {
    return fail(ErrorCode::admin_invalid, "the expiry must lie ahead, at most ten years",
                "it is " + format_instant(expires_at, 0));
  }
  std::ranges::sort(request.tenants);
  // Not std::ranges::unique: clang 14, which builds the fuzz targets, cannot compile libstdc++'s.
  request.tenants.erase(std::unique(request.tenants.begin(), request.tenants.end()),
                        request.tenants.end());

  std::array<std::byte, 10> id{};
  std::array<std::byte, kSecretOctets> secret{};
  crypto::fill_random(id);
  crypto::fill_random(secret);
  NewApiKey made;
  made.key = {make_ulid(now, id),
              crypto::sha256(secret),
              std::move(request.name),
              request.role,
              request.every_tenant,
              std::move(request.tenants),
              now,
              expires_at,
              {},
              {}};
  made.text = std::string(kPrefix) + made.key.key_id + "_" + to_hex(secret);
  DISTRICT_CHECK(log_earlier_api_keys(database, now));
  DISTRICT_CHECK(store::ApiKeyStore(database).add(made.key, log::api_key_entry));
  return made;
}

Result<Ok> revoke_api_key(store::ArchiveDatabase& database, std::string_view key_id,
                          std::string_view reason, Instant now) {
  if (reason.find_first_not_of(' ') == std::string_view::npos || !is_plain(reason)) {
    return fail(ErrorCode::admin_invalid, "the reason must be one line of 1 to 200 octets",
                "say why: it stays on record");
  }
  store::ApiKeyStore keys(database);
  DISTRICT_CHECK(log_earlier_api_keys(database, now));
  DISTRICT_TRY(const bool revoked, keys.revoke(key_id, reason, now, log::api_key_revoke_entry));
  if (revoked) return Ok{};
  DISTRICT_TRY(const auto known, keys.find(key_id));
  if (!known) {
    return fail(ErrorCode::not_found, "there is no such API key",
                "districtctl apikey list shows their ids; the secret is no id");
  }
  return fail(ErrorCode::admin_conflict, "API key " + known->key_id + " was revoked before",
              "it stays as it was");
}

Result<Ok> log_earlier_api_keys(store::ArchiveDatabase& database, Instant now) {
  return store::ApiKeyStore(database).add_earlier_leaves(
      [now](const ApiKey& key) { return log::earlier_api_key_entry(key, now); },
      [now](const ApiKey& key) { return log::earlier_api_key_revoke_entry(key, now); }, now);
}

Result<std::optional<ApiKey>> find_api_key(store::ArchiveDatabase& database, std::string_view text,
                                           Instant now) {
  if (text.size() != kTextLength || !text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const auto key_id = text.substr(0, kUlidLength);
  const auto secret = from_hex(text.substr(kUlidLength + 1));
  if (text[kUlidLength] != '_' || !is_ulid(key_id) || !secret) return std::nullopt;
  DISTRICT_TRY(auto key, store::ApiKeyStore(database).find_logged(key_id));
  // Digests are compared for an unknown key too, so that time does not tell which ids exist.
  const auto expected = key ? key->secret_sha256 : Sha256Digest{};
  const bool same = crypto::equal_constant_time(crypto::sha256(*secret), expected);
  if (!key || !same || !key->in_force(now)) return std::nullopt;
  return key;
}

bool may_hold_api_key(std::string_view text) { return text.find(kPrefix) != text.npos; }

const char* name_of(ApiRole role) { return role == ApiRole::auditor ? "auditor" : "reader"; }

std::optional<ApiRole> api_role_of(std::string_view name) {
  if (name == "auditor") return ApiRole::auditor;
  if (name == "reader") return ApiRole::reader;
  return std::nullopt;
}

}  // namespace district::trust
