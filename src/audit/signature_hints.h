// Finds out by trial why a digest or a signature does not fit: what a signer, or something on the
// way, may have done differently. This is for people only; nothing is accepted because of it.
#pragma once

#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "xml/dsig.h"

namespace district::audit {

// Sentences, the likeliest first; empty: nothing that was tried fits. `ids`: those of the message.
std::vector<std::string> explain_digest(const xml::SignedReference& reference, const xml::Ids& ids);

// `others`: other certificates whose key may have made the signature.
std::vector<std::string> explain_signature(const xml::SignatureParts& signature,
                                           const crypto::Certificate& certificate,
                                           const std::vector<crypto::Certificate>& others);

}  // namespace district::audit
