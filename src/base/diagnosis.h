// The facts of a rejection, for the administrator: by which rule, and what the message said of
// itself. Nothing here is for the sender, and nothing of it is proven unless the sender has
// authenticated.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"

namespace district {

// Each as far as it is known.
struct Diagnosis {
  std::string rule;  // that was broken, with its section: "BSP 1.1 R3227"
  // Of a digest that is not what the signature says: the wsu:Id, and both in base64.
  std::string reference, expected_digest, computed_digest;
  // The message's Timestamp.
  std::optional<Instant> created, expires;
  std::optional<Instant> judged_at;  // our clock, when the Timestamp was held against it
  std::string key_reference;         // "BinarySecurityToken X509v3"
  std::string certificate_sha256;    // hex, of the certificate presented or found
  std::string subject;               // of that certificate
  std::string tenant;                // that it is enrolled for; several: separated by commas
  std::string signature_method;      // URI
};

// Rules by another name than their code's own; rule_of() below gives either.
tl::unexpected<Error> fail_by(std::string rule, ErrorCode code, std::string detail,
                              std::string hint = {});

// The section of a standard, or of docs/reference/contract.md, that the error is about. Of every
// code a sender can cause there is one.
std::string rule_of(const Error& error);

// The error's diagnosis; an empty one where it has none.
Diagnosis diagnosis_of(const Error& error);

}  // namespace district
