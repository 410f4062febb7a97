// From a request's key reference to the certificates that it may mean.
// Source: X.509 Token Profile 1.1.1 section 3; BSP 1.1 sections 7 and 11; contract.md.
#pragma once

#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "trust/trust.h"
#include "xml/document.h"

namespace district::verify {

// `key_info`: of the signature in `security`, the one Security header. Candidates come from the
// message or from the trust store; which of them signed is for the caller to find out.
// Errors: security_invalid, token_unsupported, token_unavailable, token_invalid (malformed, weak,
// may not sign).
Result<std::vector<crypto::Certificate>> find_certificates(xml::Element key_info,
                                                           xml::Element security,
                                                           const trust::TrustSnapshot& trust);

}  // namespace district::verify
