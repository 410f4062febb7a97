#include <nlohmann/json.hpp>
#include <utility>

#include "base/utf8.h"
#include "log/log.h"

namespace district::log {
namespace {

// RFC 8785: sorted members, no white space, shortest escapes. The objects of nlohmann are sorted by
// octets, which is the same order for our ASCII names. No number here is a fraction or beyond 2^53.
std::string canonical(const nlohmann::json& entry) {
  return entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

constexpr const char* kContentType = "contentType";
constexpr const char* kContentEncoding = "contentEncoding";
constexpr const char* kSoapAction = "soapAction";
constexpr const char* kCreatedAt = "createdAt";
constexpr const char* kRevokedAt = "revokedAt";

// A header field may have any octets. Different values have different JSON.
nlohmann::json exactly(const std::string& text) {
  if (is_utf8(text)) return text;
  return nlohmann::json::array({to_base64(as_bytes(text))});
}

template <typename Envelope>
nlohmann::json facts_of(const Envelope& envelope) {
  return {{"kind", "envelope"},
          {"time", format_instant(envelope.received_at)},
          {"receiptId", envelope.receipt_id},
          {"tenant", envelope.tenant},
          {"payloadDigest", to_base64(envelope.payload_digest)},
          {"certificate", to_base64(envelope.certificate_sha256)},
          {"size", envelope.raw_size}};
}

template <typename Envelope>
void add_transport(nlohmann::json& entry, const Envelope& envelope) {
  entry[kContentType] = exactly(envelope.content_type);
  entry[kContentEncoding] = exactly(envelope.content_encoding);
  entry[kSoapAction] = exactly(envelope.soap_action);
}

nlohmann::json facts_of(const ApiKey& key) {
  return {{"kind", "apikey"},
          {"time", format_instant(key.created_at)},
          {"keyId", key.key_id},
          {"secret", to_base64(key.secret_sha256)},
          {"name", key.name},
          {"role", key.role == ApiRole::auditor ? "auditor" : "reader"},
          {"everyTenant", key.every_tenant},
          {"tenants", key.tenants},
          {"expiresAt", format_instant(key.expires_at)}};
}

nlohmann::json revocation_of(const ApiKey& key) {
  return {{"kind", "apikey-revoke"},
          {"time", format_instant(key.revoked_at.value_or(Instant{}))},
          {"keyId", key.key_id},
          {"reason", key.revocation_reason}};
}

// For a row whose leaf was made later. The time of the row becomes a member of its own, and the
// entry has the time of the leaf.
std::string logged_later(nlohmann::json entry, const char* member, Instant logged_at) {
  entry[member] = std::exchange(entry["time"], format_instant(logged_at));
  return canonical(entry);
}

}  // namespace

std::string envelope_entry(const StoredEnvelope& envelope) {
  auto entry = facts_of(envelope);
  add_transport(entry, envelope);
  return canonical(entry);
}

std::string envelope_entry(const store::NewEnvelope& envelope) {
  auto entry = facts_of(envelope);
  add_transport(entry, envelope);
  return canonical(entry);
}

std::string earlier_envelope_entry(const StoredEnvelope& envelope) {
  return canonical(facts_of(envelope));
}

std::string expected_entry(const StoredEnvelope& envelope, const std::string& entry) {
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  const bool earlier = json.is_object() && !json.contains(kContentType) &&
                       !json.contains(kContentEncoding) && !json.contains(kSoapAction);
  return earlier ? earlier_envelope_entry(envelope) : envelope_entry(envelope);
}

std::optional<Instant> time_of(const std::string& entry) {
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto time = json.find("time");
  if (time == json.end() || !time->is_string()) return std::nullopt;
  return parse_date_time(time->get<std::string>());
}

std::string tenant_entry(const Tenant& tenant) {
  return canonical({{"kind", "tenant"},
                    {"time", format_instant(tenant.valid_from)},
                    {"tenant", tenant.code},
                    {"name", tenant.name},
                    {"zone", tenant.zone},
                    {"contentTypes", tenant.content_types},
                    {"sources", tenant.sources}});
}

std::string enrol_entry(const Enrolment& enrolment) {
  nlohmann::json entry = {{"kind", "enrol"},
                          {"time", format_instant(enrolment.enrolled_at)},
                          {"tenant", enrolment.tenant},
                          {"certificate", to_base64(enrolment.certificate_sha256)},
                          {"subject", enrolment.subject},
                          {"validFrom", format_instant(enrolment.valid_from)}};
  if (enrolment.valid_to) entry["validTo"] = format_instant(*enrolment.valid_to);
  if (enrolment.allow_sha1_until) {
    entry["allowSha1Until"] = format_instant(*enrolment.allow_sha1_until);
  }
  return canonical(entry);
}

std::string site_entry(const std::string& tenant, const Sha256Digest& statements, Instant at) {
  return canonical({{"kind", "site"},
                    {"time", format_instant(at)},
                    {"tenant", tenant},
                    {"statements", to_base64(statements)}});
}

std::string api_key_entry(const ApiKey& key) { return canonical(facts_of(key)); }

std::string earlier_api_key_entry(const ApiKey& key, Instant logged_at) {
  return logged_later(facts_of(key), kCreatedAt, logged_at);
}

std::string api_key_revoke_entry(const ApiKey& key) { return canonical(revocation_of(key)); }

std::string earlier_api_key_revoke_entry(const ApiKey& key, Instant logged_at) {
  return logged_later(revocation_of(key), kRevokedAt, logged_at);
}

bool is_of_earlier_api_key(const std::string& entry) {
  const auto json = nlohmann::json::parse(entry, nullptr, false);
  return json.is_object() && (json.contains(kCreatedAt) || json.contains(kRevokedAt));
}

std::string expected_api_key_entry(const ApiKey& key, const std::string& entry) {
  if (!is_of_earlier_api_key(entry)) return api_key_entry(key);
  return earlier_api_key_entry(key, time_of(entry).value_or(Instant{}));
}

std::string expected_api_key_revoke_entry(const ApiKey& key, const std::string& entry) {
  if (!is_of_earlier_api_key(entry)) return api_key_revoke_entry(key);
  return earlier_api_key_revoke_entry(key, time_of(entry).value_or(Instant{}));
}

std::string revoke_entry(const Enrolment& enrolment) {
  return canonical({{"kind", "revoke"},
                    {"time", format_instant(enrolment.revoked_at.value_or(Instant{}))},
                    {"tenant", enrolment.tenant},
                    {"certificate", to_base64(enrolment.certificate_sha256)},
                    {"reason", enrolment.revocation_reason}});
}

}  // namespace district::log
