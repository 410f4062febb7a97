#include "query/caller.h"

#include "base/bytes.h"
#include "trust/api_keys.h"

namespace district::query {
namespace {

constexpr std::string_view kBearer = "bearer";

// RFC 9110 section 11.4: the scheme in upper or lower case, blanks, the credentials. Empty: it is
// another scheme.
std::string_view bearer_token(std::string_view authorization) {
  const auto end = std::min(authorization.find(' '), authorization.size());
  const auto scheme = authorization.substr(0, end);
  const bool bearer = std::ranges::equal(scheme, kBearer, [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  });
  if (!bearer) return {};
  authorization.remove_prefix(end);
  authorization.remove_prefix(std::min(authorization.find_first_not_of(' '), authorization.size()));
  return authorization;
}

void sort_once_each(std::vector<std::string>& codes) {
  std::ranges::sort(codes);
  // Not std::ranges::unique: clang 14, which builds the fuzzers, does not accept its result here.
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
}

Caller holder_of(const ApiKey& key, const trust::TrustSnapshot& trust) {
  Caller caller{"key " + key.key_id, key.tenants, key.role == ApiRole::auditor};
  if (key.every_tenant) {
    for (const auto& tenant : trust.records().tenants) caller.tenants.push_back(tenant.code);
  }
  sort_once_each(caller.tenants);
  return caller;
}

}  // namespace

Result<std::optional<Caller>> identify(const ApiRequest& request, const trust::TrustSnapshot& trust,
                                       store::ArchiveDatabase& database, Instant now) {
  if (!request.authorization.empty()) {
    DISTRICT_TRY(const auto key,
                 trust::find_api_key(database, bearer_token(request.authorization), now));
    if (!key) return std::nullopt;
    return std::optional(holder_of(*key, trust));
  }
  if (!request.client_certificate) return std::nullopt;
  const auto* known = trust.find_by_sha256(*request.client_certificate);
  if (known == nullptr) return std::nullopt;
  // The owner of the certificate may read raw envelopes, because it has sent them.
  Caller caller{"certificate " + to_hex(*request.client_certificate), {}, true};
  for (const auto* enrolment : trust.active(*known, now)) {
    caller.tenants.push_back(enrolment->tenant);
  }
  if (caller.tenants.empty()) return std::nullopt;
  sort_once_each(caller.tenants);
  return std::optional(std::move(caller));
}

}  // namespace district::query
