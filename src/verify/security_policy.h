// What the policy says of signatures, times and trust, apart from how the message was read: shared
// by every Verifier, so that they cannot differ in it.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "model/trust.h"
#include "trust/snapshot.h"

namespace district::verify {

// How long a message is acceptable (docs/reference/contract.md section 5).
struct Window {
  std::chrono::seconds created_age_max = limits::kCreatedAgeMax;
  std::chrono::seconds created_ahead_max = limits::kCreatedAheadMax;
};

struct Times {
  Instant created{};
  Instant expires{};
};

// wsu:Created and wsu:Expires as text. Errors: security_invalid (not xs:dateTime with a zone, or
// Created not before Expires; BSP R3213, R3215).
Result<Times> read_times(std::string_view created, std::string_view expires);

// The instant from which on the message is refused; message_expired when `now` is outside already.
// Expires never stretches the age.
Result<Instant> check_window(const Times& times, Instant now, const Window& window);

// Algorithms together, from the message alone: SHA-1 digests only under rsa-sha1, and with it only
// SHA-1 or SHA-256 digests.
// Errors: algorithm_unsupported.
Result<Ok> check_algorithms(std::string_view signature_algorithm,
                            const std::vector<std::string_view>& digest_algorithms);

// Enrolments by which the certificate's holder may sign at `now`.
// Errors: authentication_failed (not enrolled), token_invalid (expired, revoked),
// algorithm_unsupported (SHA-1 without an enrolment that allows it now).
Result<std::vector<Enrolment>> check_trust(const trust::TrustSnapshot& trust,
                                           const crypto::Certificate& certificate, bool uses_sha1,
                                           Instant now);

// What a signature means, whatever its spelling: the octets that were signed, and by which key.
Sha256Digest replay_key(std::string_view canonical_signed_info, const crypto::PublicKey& key);

}  // namespace district::verify
