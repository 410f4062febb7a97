// The header of an envelope: what it says, and who signed it. All that is judged before the Body is
// read. Source: WSS SOAP Message Security 1.1.1; BSP 1.1; docs/reference/contract.md section 5.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/envelope.h"
#include "verify/security_policy.h"
#include "verify/verifier.h"
#include "xml/document.h"
#include "xml/dsig.h"

namespace district::verify {

struct SecurityHeader {
  xml::Element security, body;
  Times times;
  xml::Ids ids;  // of all that was read, up to the end of the Body
  xml::SignatureParts signature;
  // Of signature.references.
  std::size_t timestamp_reference = 0, body_reference = 0;
};

// Reads and checks what the message alone shows. `head`: of the whole envelope, or up to the start
// tag of its Body. "See what is signed": each reference must be to the very element that is
// processed (W3C XML Signature Best Practices; McIntosh and Austel 2005).
// Errors: not_soap, soap_version_mismatch, must_understand, security_invalid,
// algorithm_unsupported, token_unsupported, limit_exceeded.
Result<SecurityHeader> read_security_header(const xml::Document& head, SoapVersion version);

// Whether elements of the namespace are parts of an encryption (XML Encryption 1.0 and 1.1).
bool is_encryption(std::string_view namespace_uri);

struct Authenticated {
  Sender sender;
  crypto::Certificate certificate;
  Sha256Digest replay_key{};
  Instant acceptable_until{};
};

// In the order of docs/reference/contract.md section 8: the signature over SignedInfo with the
// presented key, then trust, then the Timestamp's digest and time, then the other digests but the
// Body's. Where several enrolled certificates have the key, the signer is the last enrolled one of
// those that may sign and fit the digests; its tenants alone count.
// Errors: security_invalid, algorithm_unsupported, token_*, authentication_failed,
// signature_failed, message_expired.
Result<Authenticated> authenticate(const SecurityHeader& header, const trust::TrustSnapshot& trust,
                                   const Window& window, Instant now);

}  // namespace district::verify
