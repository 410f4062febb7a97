// From a request's key reference to the certificates that it may mean.
// Source: X.509 Token Profile 1.1.1 section 3; BSP 1.1 sections 7 and 11;
// docs/reference/contract.md section 5.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "trust/snapshot.h"
#include "xml/document.h"

namespace district::verify {

struct KeySource {
  // From the message or from the trust store; which of them signed is for the caller to find out.
  std::vector<crypto::Certificate> candidates;
  // Of a PkiPath: those above the one candidate, from the trust anchor's side.
  std::vector<crypto::Certificate> issuers = {};
};

// The child of `security` with that wsu:Id, whatever it is; null where there is none.
xml::Element find_token(xml::Element security, std::string_view id);

// What it refers to, whatever may be done with it: of find_certificates(), only the first part.
Result<KeySource> read_key_reference(xml::Element key_info, xml::Element security,
                                     const trust::TrustSnapshot& trust);

// `key_info`: of the signature in `security`, the one Security header.
// Errors: security_invalid, token_unsupported, token_unavailable, token_invalid (malformed, weak,
// may not sign).
Result<KeySource> find_certificates(xml::Element key_info, xml::Element security,
                                    const trust::TrustSnapshot& trust);

// Whether the issuers of a PkiPath signed what is below them: up to eight verifications with keys
// that nobody vouches for, hence only for a signer who is enrolled. Trust does not come from it.
// Errors: token_invalid.
Result<Ok> check_issuers(const KeySource& source);

}  // namespace district::verify
