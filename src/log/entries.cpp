#include <nlohmann/json.hpp>

#include "log/log.h"

namespace district::log {
namespace {

// RFC 8785: sorted members, no white space, shortest escapes. nlohmann's objects are sorted by
// octets, which is that order for our ASCII names, and no number here is beyond 2^53 or a fraction.
std::string canonical(const nlohmann::json& entry) {
  return entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string envelope_entry(const Receipt& receipt, const std::string& tenant,
                           const Sha256Digest& certificate_sha256, std::uint64_t size) {
  return canonical({{"kind", "envelope"},
                    {"time", format_instant(receipt.received_at)},
                    {"receiptId", receipt.receipt_id},
                    {"tenant", tenant},
                    {"payloadDigest", to_base64(receipt.payload_digest)},
                    {"certificate", to_base64(certificate_sha256)},
                    {"size", size}});
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

std::string enrol_entry(const Enrolment& enrolment, Instant at) {
  nlohmann::json entry = {{"kind", "enrol"},
                          {"time", format_instant(at)},
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

std::string revoke_entry(const Enrolment& enrolment) {
  return canonical({{"kind", "revoke"},
                    {"time", format_instant(enrolment.revoked_at.value_or(Instant{}))},
                    {"tenant", enrolment.tenant},
                    {"certificate", to_base64(enrolment.certificate_sha256)},
                    {"reason", enrolment.revocation_reason}});
}

}  // namespace district::log
