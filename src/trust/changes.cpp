#include "trust/changes.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "base/local_time.h"
#include "base/text.h"
#include "log/log.h"

namespace district::trust {
namespace {

using store::TrustChange;
using store::TrustRecords;
using Changes = Result<std::vector<TrustChange>>;

constexpr std::size_t kTextBytesMax = 200;
constexpr std::size_t kFingerprintDigitsMin = 8;

// Printable UTF-8 of a bounded length, such as can stand in one line of a list.
bool is_plain_text(std::string_view text) {
  return text.size() <= kTextBytesMax && is_printable(text);
}

// As xs:token has it: no space at the ends, no two together, no tabs or line breaks.
bool is_token(std::string_view text) {
  return !text.empty() && is_plain_text(text) && text.front() != ' ' && text.back() != ' ' &&
         text.find("  ") == std::string_view::npos;
}

// "001/0.0.1"
bool is_content_type(std::string_view text) {
  const auto slash = text.find('/');
  return is_token(text) && slash != std::string_view::npos && slash != 0 &&
         slash + 1 != text.size() && text.find('/', slash + 1) == std::string_view::npos &&
         text.find(' ') == std::string_view::npos;
}

Result<Ok> check_tenant(const Tenant& tenant) {
  const auto invalid = [&](const std::string& what, const std::string& hint) {
    return fail(ErrorCode::admin_invalid, "tenant '" + tenant.code + "': " + what, hint);
  };
  if (!is_token(tenant.code)) {
    return invalid("the code is not a token",
                   "use letters and digits, as the messages' tenantCode has them");
  }
  if (tenant.name.empty() || !is_plain_text(tenant.name)) {
    return invalid("the name is empty, too long or not plain text",
                   "use at most 200 characters in one line");
  }
  if (find_zone(tenant.zone) == nullptr) {
    return invalid(
        "unknown time zone '" + tenant.zone + "'",
        "use a name of the IANA database, such as Europe/Madrid (timedatectl list-timezones "
        "shows them; package tzdata)");
  }
  if (tenant.content_types.empty()) {
    return invalid("no content type is allowed", "name at least one, such as 001/002");
  }
  for (const auto& type : tenant.content_types) {
    if (!is_content_type(type)) {
      return invalid("'" + type + "' is not a content type",
                     "write type/version, such as 001/0.0.1");
    }
  }
  for (const auto& source : tenant.sources) {
    if (!is_token(source)) {
      return invalid("'" + source + "' is not a source", "write it as messageSourceElement has it");
    }
  }
  return Ok{};
}

const Tenant* current_tenant(const TrustRecords& records, std::string_view code) {
  const auto found = std::find_if(records.tenants.rbegin(), records.tenants.rend(),
                                  [&](const Tenant& tenant) { return tenant.code == code; });
  return found == records.tenants.rend() ? nullptr : &*found;
}

bool is_open(const Enrolment& enrolment, Instant now) {
  return !enrolment.revoked_at && !enrolment.has_ended(now);
}

Result<Ok> check_certificate(const crypto::Certificate& certificate, Instant now,
                             const std::string& where) {
  if (auto strength = crypto::check_strength(certificate.public_key()); !strength) {
    return fail(ErrorCode::admin_invalid, where + strength.error().detail,
                "the pilot needs a new key: RSA of 2048 bits or more, or P-256, P-384, P-521");
  }
  if (certificate.is_authority()) {
    return fail(
        ErrorCode::admin_invalid,
        where + "the certificate of " + certificate.subject() + " is an authority's (" +
            certificate.authority_mark() + "), not a signer's",
        "give the gateway's own; one that signs itself is made with openssl req -x509 ... -addext "
        "basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature");
  }
  if (!certificate.may_sign()) {
    return fail(ErrorCode::admin_invalid,
                where + "the certificate's key usage lacks digitalSignature",
                "the pilot needs a certificate that may sign");
  }
  if (certificate.not_after() < now) {
    return fail(ErrorCode::admin_invalid,
                where + "the certificate expired at " + format_instant(certificate.not_after(), 0),
                "the pilot needs a new certificate");
  }
  return Ok{};
}

Result<Ok> check_period(const EnrolRequest& request, Instant now, const std::string& where) {
  const auto valid_from = request.valid_from.value_or(now);
  if (request.valid_to && *request.valid_to <= valid_from) {
    return fail(ErrorCode::admin_invalid, where + "the enrolment would end before it begins",
                "it begins at " + format_instant(valid_from, 0) + "; choose a later end");
  }
  if (request.valid_to && *request.valid_to <= now) {
    return fail(ErrorCode::admin_invalid, where + "the enrolment would have ended already",
                "choose an end after now");
  }
  if (valid_from > request.certificate.not_after()) {
    return fail(ErrorCode::admin_invalid,
                where + "the enrolment would begin after the certificate has expired (" +
                    format_instant(request.certificate.not_after(), 0) + ")",
                "choose an earlier begin, or a newer certificate");
  }
  if (request.allow_sha1_until && *request.allow_sha1_until <= valid_from) {
    return fail(ErrorCode::admin_invalid,
                where + "the permission for SHA-1 would end before the enrolment begins",
                "choose a later date, or leave it out");
  }
  return Ok{};
}

// `at`: the time of the change. It is later than `now` where a change was made while a clock was
// ahead. Periods are held against `now`.
Result<TrustChange> decide_enrolment(const EnrolRequest& request, const TrustRecords& records,
                                     Instant at, Instant now) {
  const auto where = request.origin.empty() ? std::string() : request.origin + ": ";
  if (current_tenant(records, request.tenant) == nullptr) {
    return fail(ErrorCode::not_found, where + "unknown tenant '" + request.tenant + "'",
                "districtctl tenant list shows the tenants; districtctl tenant add adds one");
  }
  const auto& certificate = request.certificate;
  DISTRICT_CHECK(check_certificate(certificate, now, where));
  DISTRICT_CHECK(check_period(request, now, where));
  for (const auto& enrolment : records.enrolments) {
    if (enrolment.tenant == request.tenant && is_open(enrolment, now) &&
        enrolment.certificate_sha256 == certificate.sha256()) {
      return fail(ErrorCode::admin_conflict,
                  where + "the certificate " + to_hex(certificate.sha256()) +
                      " is already enrolled for tenant " + request.tenant,
                  "nothing needs to be done; to change its terms, revoke it and enrol it again");
    }
  }
  TrustChange change;
  change.kind = TrustChange::Kind::enrol;
  change.enrolment.tenant = request.tenant;
  change.enrolment.certificate_sha256 = certificate.sha256();
  change.enrolment.certificate_der = certificate.der();
  change.enrolment.subject = certificate.subject();
  change.enrolment.enrolled_at = at;
  change.enrolment.valid_from = request.valid_from.value_or(at);
  change.enrolment.valid_to = request.valid_to;
  change.enrolment.allow_sha1_until = request.allow_sha1_until;
  change.log_entry = log::enrol_entry(change.enrolment);
  return change;
}

// Hex digits in lower case; empty when the text is not a fingerprint or the beginning of one.
std::string normalised(std::string_view fingerprint) {
  std::string digits;
  for (const char c : fingerprint) {
    if (c == ':' || c == ' ') continue;
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return {};
    digits.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return digits.size() < kFingerprintDigitsMin || digits.size() > 2 * sizeof(Sha256Digest)
             ? std::string()
             : digits;
}

}  // namespace

Result<Sha256Digest> find_certificate(const TrustRecords& records, std::string_view fingerprint) {
  const auto digits = normalised(fingerprint);
  if (digits.empty()) {
    return fail(ErrorCode::admin_invalid, "'" + std::string(fingerprint) + "' is not a fingerprint",
                "give the certificate's SHA-256 in hex, at least its first 8 digits");
  }
  std::set<Sha256Digest> found;
  for (const auto& enrolment : records.enrolments) {
    if (to_hex(enrolment.certificate_sha256).starts_with(digits)) {
      found.insert(enrolment.certificate_sha256);
    }
  }
  if (found.empty()) {
    return fail(ErrorCode::not_found, "no certificate " + digits + " was ever enrolled",
                "districtctl certificate list shows the fingerprints (SHA-256)");
  }
  if (found.size() > 1) {
    return fail(ErrorCode::admin_invalid,
                std::to_string(found.size()) + " certificates begin with " + digits,
                "give more digits: " + to_hex(*found.begin()) + " is one of them");
  }
  return *found.begin();
}

Result<Ok> add_tenant(store::ArchiveDatabase& database, Tenant tenant, Instant now) {
  DISTRICT_CHECK(check_tenant(tenant));
  store::TrustStore store(database);
  return store.change(now, [&](const TrustRecords& records, Instant at) -> Changes {
    tenant.valid_from = at;
    if (const auto* current = current_tenant(records, tenant.code)) {
      auto same = *current;
      same.valid_from = at;
      same.leaf_index = tenant.leaf_index;
      if (same == tenant) {
        return fail(ErrorCode::admin_conflict,
                    "tenant " + tenant.code + " is already set up like that",
                    "nothing needs to be done");
      }
    }
    TrustChange change;
    change.kind = TrustChange::Kind::tenant;
    change.tenant = tenant;
    change.log_entry = log::tenant_entry(tenant);
    return std::vector{change};
  });
}

Result<Ok> enrol(store::ArchiveDatabase& database, std::span<const EnrolRequest> requests,
                 Instant now) {
  if (requests.empty()) {
    return fail(ErrorCode::admin_invalid, "nothing to enrol",
                "name a certificate file, or rows in the CSV");
  }
  store::TrustStore store(database);
  return store.change(now, [&](const TrustRecords& records, Instant at) -> Changes {
    // Each is checked against what is stored and those before it in the list.
    auto seen = records;
    std::vector<TrustChange> changes;
    for (const auto& request : requests) {
      DISTRICT_TRY(auto change, decide_enrolment(request, seen, at, now));
      seen.enrolments.push_back(change.enrolment);
      changes.push_back(std::move(change));
    }
    return changes;
  });
}

Result<std::size_t> revoke(store::ArchiveDatabase& database, std::string_view fingerprint,
                           const std::optional<std::string>& tenant, std::string_view reason,
                           Instant now) {
  if (reason.empty() || !is_plain_text(reason)) {
    return fail(ErrorCode::admin_invalid, "the reason is empty, too long or not plain text",
                "say in at most 200 characters why the certificate is revoked");
  }
  std::size_t revoked = 0;
  store::TrustStore store(database);
  DISTRICT_CHECK(store.change(now, [&](const TrustRecords& records, Instant at) -> Changes {
    DISTRICT_TRY(const auto sha256, find_certificate(records, fingerprint));
    std::vector<TrustChange> changes;
    for (const auto& enrolment : records.enrolments) {
      // One that has ended by this clock may go on by another's.
      if (enrolment.certificate_sha256 != sha256 || enrolment.revoked_at) continue;
      if (tenant && enrolment.tenant != *tenant) continue;
      TrustChange change;
      change.kind = TrustChange::Kind::revoke;
      change.enrolment = enrolment;
      change.enrolment.revoked_at = at;
      change.enrolment.revocation_reason = std::string(reason);
      change.log_entry = log::revoke_entry(change.enrolment);
      changes.push_back(std::move(change));
    }
    if (changes.empty()) {
      return fail(
          ErrorCode::not_found,
          "certificate " + to_hex(sha256) + " has no enrolment" +
              (tenant ? " for tenant " + *tenant : "") + " that is not revoked already",
          "'districtctl certificate list' shows for which tenants it is enrolled, and since when "
          "not any more");
    }
    revoked = changes.size();
    return changes;
  }));
  return revoked;
}

}  // namespace district::trust
