#include "audit/tree_verifier.h"

#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "receive/receive.h"
#include "verify/security_header.h"
#include "xml/document.h"
#include "xml/dsig.h"
#include "xml/envelope_reader.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

using xml::Element;

// Neither the Body as a whole nor a part of it may be encrypted.
Result<Ok> refuse_encrypted_body(Element body) {
  for (Element element = body; element; element = element.next_below(body)) {
    if (verify::is_encryption(element.namespace_uri()))
      return fail(ErrorCode::algorithm_unsupported, "encrypted parts in the Body");
  }
  return Ok{};
}

Result<Ok> verify_digests(const xml::SignatureParts& signature, const crypto::Certificate& signer) {
  for (const auto& reference : signature.references)
    DISTRICT_CHECK(xml::verify_digest(reference, signer.der()));
  return Ok{};
}

// Verifies the whole signature by xmlsec1. That gives no reasons, so a failure is looked into once
// more.
Result<Ok> verify_all(const xml::SignatureParts& signature, const crypto::Certificate& signer) {
  // xmlsec1 does not read some prefix lists. Then the digests are checked by libxml2's canonical
  // form alone; authenticate() has checked the value over SignedInfo.
  if (!xml::xmlsec_reads_prefix_lists(signature)) return verify_digests(signature, signer);
  auto verified = xml::verify_by_xmlsec(signature, signer.public_key(), signer.der());
  if (verified) return verified;
  DISTRICT_CHECK(verify_digests(signature, signer));
  return verified;
}

// Checks what the header could not show.
Result<Ok> check_shape(const xml::Document& document, Element body) {
  if (document.root().children().back() != body)
    return fail(ErrorCode::not_soap, "an element follows the Body");
  if (body.has_text_beside_elements())
    return fail(ErrorCode::not_soap, "Body with text beside its elements");
  return Ok{};
}

}  // namespace

Result<verify::VerifiedEnvelope> TreeVerifier::verify(const RawEnvelope& raw, Instant now,
                                                      verify::BodyReader& reader) const {
  if (raw.rest) {
    RawEnvelope whole = raw;
    DISTRICT_CHECK(receive::collect_rest(whole));
    return verify(whole, now, reader);
  }
  DISTRICT_TRY(const auto document, xml::Document::parse(raw.octets, raw.charset));
  DISTRICT_CHECK(xml::check_head(*document));
  DISTRICT_TRY(const auto header, verify::read_security_header(*document, raw.soap_version));
  DISTRICT_TRY(auto signer, verify::authenticate(header, *trust_, window_, now));
  DISTRICT_CHECK(check_shape(*document, header.body));
  DISTRICT_CHECK(refuse_encrypted_body(header.body));
  DISTRICT_CHECK(verify_all(header.signature, signer.certificate));

  reader.begin(signer.sender, trust_, now);
  xml::walk(header.body, reader);
  Parts parts;
  parts.sender = std::move(signer.sender);
  parts.payload_digest = crypto::sha256(raw.octets);
  parts.payload_size = raw.octets.size();
  parts.replay_key = signer.replay_key;
  parts.created = header.times.created;
  parts.acceptable_until = signer.acceptable_until;
  parts.verified_at = now;
  parts.trust = trust_;
  parts.reader = &reader;
  return make(std::move(parts));
}

}  // namespace district::audit
