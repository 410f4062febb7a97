#include "verify/security_policy.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/diagnosis.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

std::string seconds_text(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

// xs:dateTime has years of any number of digits, and before our era. Such an instant is not
// accepted, or does not bound anything; all that matters is that it is one, and on which side.
std::optional<Instant> parse_far_date_time(std::string_view text) {
  text = trim_xml_space(text);
  const bool before = text.starts_with('-');
  if (before) text.remove_prefix(1);
  const auto digits = std::min(text.find('-'), text.size());
  const auto year = text.substr(0, digits);
  if (digits < 4 || (digits > 4 && year.front() == '0') || (digits == 4 && !before) ||
      year.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  // A year near us with the same calendar: it repeats after 400 years.
  const int last_four = std::stoi(std::string(year.substr(digits - 4)));
  if (before && digits == 4 && last_four == 0) return std::nullopt;
  const int same_calendar = 2000 + (before ? 400 - last_four % 400 : last_four % 400);
  const auto near =
      parse_date_time(std::to_string(same_calendar) + std::string(text.substr(digits)));
  if (!near) return std::nullopt;
  constexpr auto kFar = std::chrono::years{20'000};  // std::chrono's end at 32,767
  return Instant{before ? -kFar : kFar} + near->time_since_epoch();
}

std::optional<Instant> parse_time(std::string_view text) {
  const auto near = parse_date_time(text);
  return near ? near : parse_far_date_time(text);
}

// Why an enrolment that began does not hold at `now`.
std::string why_not(const Enrolment& enrolment, const crypto::Certificate& certificate,
                    Instant now) {
  const auto at = [](Instant instant) { return format_instant(instant, 0); };
  const auto& revoked = enrolment.revoked_at;
  const auto& ended = enrolment.valid_to;
  if (revoked && (!ended || *ended > now || *revoked <= *ended)) {
    return "is revoked, since " + at(*revoked) +
           (enrolment.revocation_reason.empty() ? "" : " (" + enrolment.revocation_reason + ")");
  }
  if (ended && *ended <= now) return "has ended, at " + at(*ended);
  if (certificate.not_after() < now)
    return "holds, but the certificate expired at " + at(certificate.not_after());
  return "holds, but the certificate is valid only from " + at(certificate.not_before()) + " on";
}

// Of a certificate without an enrolment that holds.
tl::unexpected<Error> not_active(const crypto::Certificate& certificate,
                                 const std::vector<Enrolment>& enrolments, const std::string& who,
                                 Instant now) {
  std::string reasons;
  for (const auto& enrolment : enrolments) {
    if (!enrolment.has_begun(now)) continue;
    reasons += (reasons.empty() ? "" : "; ") +
               ("its enrolment for tenant " + enrolment.tenant + " ") +
               why_not(enrolment, certificate, now);
  }
  return fail(ErrorCode::token_invalid, "certificate of " + who + ": " + reasons,
              "enrol the gateway's present certificate; districtctl certificate list shows all");
}

}  // namespace

Result<Times> read_times(std::string_view created, std::string_view expires) {
  const auto from = parse_time(created);
  const auto until = parse_time(expires);
  if (!from)
    return fail_by(
        "XML Schema Part 2 section 3.2.7, BSP 1.1 R3213", ErrorCode::security_invalid,
        "Created is not an xs:dateTime with a zone: " + std::string(created.substr(0, 64)));
  if (!until)
    return fail_by(
        "XML Schema Part 2 section 3.2.7, BSP 1.1 R3215", ErrorCode::security_invalid,
        "Expires is not an xs:dateTime with a zone: " + std::string(expires.substr(0, 64)));
  if (*from >= *until)
    return fail_by("WSS 1.1 section 10", ErrorCode::security_invalid,
                   "Created is not before Expires");
  return Times{*from, *until};
}

Result<Instant> check_window(const Times& times, Instant now, const Window& window) {
  const std::string clocks = "; Created " + format_instant(times.created) + ", Expires " +
                             format_instant(times.expires) + ", our clock " + format_instant(now);
  if (times.created > now + window.created_ahead_max) {
    return fail(ErrorCode::message_expired,
                "Created is " + seconds_text(times.created - now) + " ahead of us" + clocks,
                "set the gateway's clock (NTP)");
  }
  if (times.created + window.created_age_max < now) {
    return fail(ErrorCode::message_expired,
                "Created is " + seconds_text(now - times.created) + " old" + clocks,
                "compose and sign the message anew; if it was new, set the gateway's clock (NTP)");
  }
  if (times.expires <= now) {
    return fail(ErrorCode::message_expired,
                "Expires passed " + seconds_text(now - times.expires) + " ago" + clocks,
                "compose and sign the message anew");
  }
  // At exactly the highest age it is still accepted.
  return std::min(times.expires, times.created + window.created_age_max + Duration{1});
}

Result<Ok> check_algorithms(std::string_view signature_algorithm,
                            const std::vector<std::string_view>& digest_algorithms) {
  const bool legacy = signature_algorithm == xml::alg::kRsaSha1;
  for (const std::string_view digest : digest_algorithms) {
    // The first gateways' combinations and no others: rsa-sha1 with sha1 or sha256.
    const bool allowed = legacy ? digest == xml::alg::kSha1 || digest == xml::alg::kSha256
                                : digest != xml::alg::kSha1;
    if (!allowed) {
      return fail(ErrorCode::algorithm_unsupported,
                  "digest " + std::string(digest) + " under " + std::string(signature_algorithm),
                  "use SHA-256 digests");
    }
  }
  return Ok{};
}

Result<std::vector<Enrolment>> check_trust(const trust::TrustSnapshot& trust,
                                           const crypto::Certificate& certificate, bool uses_sha1,
                                           Instant now) {
  const std::string who =
      certificate.subject() + " (" + to_hex(certificate.sha256()).substr(0, 16) + ")";
  const auto* known = trust.find_by_sha256(certificate.sha256());
  std::vector<Enrolment> active;
  if (known != nullptr) {
    for (const Enrolment* enrolment : trust.active(*known, now)) active.push_back(*enrolment);
  }
  if (active.empty()) {
    const auto enrolments =
        known == nullptr ? std::vector<Enrolment>() : trust.enrolments_of(*known);
    if (std::ranges::any_of(enrolments, [&](const auto& e) { return e.has_begun(now); }))
      return not_active(known->certificate, enrolments, who, now);
    if (!enrolments.empty()) {
      const auto& first = *std::ranges::min_element(enrolments, {}, &Enrolment::valid_from);
      return fail(ErrorCode::authentication_failed,
                  "certificate of " + who + " is enrolled only from " +
                      format_instant(first.valid_from, 0) + " on",
                  "districtctl certificate show has its enrolments");
    }
    return fail(ErrorCode::authentication_failed, "certificate of " + who + " is not enrolled",
                "districtctl enrol --tenant CODE CERTIFICATE.pem");
  }
  if (uses_sha1) {
    std::optional<Instant> until;
    for (const auto& e : active) until = std::max(until, e.allow_sha1_until);
    std::erase_if(active,
                  [&](const auto& e) { return !e.allow_sha1_until || *e.allow_sha1_until <= now; });
    if (active.empty()) {
      return fail(ErrorCode::algorithm_unsupported,
                  until ? "SHA-1 was allowed for " + who + " until " + format_instant(*until, 0)
                        : "SHA-1 is not allowed for " + who,
                  "let the gateway sign with SHA-256, or enrol with --allow-sha1-until");
    }
  }
  return active;
}

Sha256Digest replay_key(std::string_view canonical_signed_info, const crypto::PublicKey& key) {
  const Sha256Digest meaning = crypto::sha256(as_bytes(canonical_signed_info));
  return crypto::sha256({as_bytes("district replay key 1"), meaning, key.spki_der()});
}

}  // namespace district::verify
