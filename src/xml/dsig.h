// XML Signature by xmlsec1, locked down to one profile: same-document references by #NCName,
// exclusive C14N, an explicit key. KeyInfo is never read here; the caller has found the key.
// Source: XMLDSig 1.1; W3C XML Signature Best Practices.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "xml/document.h"

namespace district::xml {

// One ds:Reference, read and checked against the profile.
struct SignedReference {
  std::string id;                     // URI without '#'
  std::string digest_algorithm;       // URI of the DigestMethod
  std::string digest_value;           // as sent, trimmed
  std::vector<std::string> prefixes;  // InclusiveNamespaces PrefixList of its exclusive C14N
  bool str_transform =
      false;        // the token that the referenced SecurityTokenReference means is signed
  Element element;  // what the id resolves to
};

struct SignatureParts {
  Element signature, signed_info, key_info;
  std::string signature_algorithm;
  std::string signature_value;  // base64, white space removed
  std::vector<SignedReference> references;
  std::vector<std::string> c14n_prefixes;  // PrefixList of the CanonicalizationMethod
};

// Elements by their wsu:Id. Errors: security_invalid where any two of wsu:Id, Id, ID, id, xml:id
// and SAML's AssertionID in the document have the same value; limit_exceeded.
Result<std::unordered_map<std::string, Element>> collect_ids(Element root);

// Reads a ds:Signature and holds it to the profile: child order, one text in each value, bounded
// references, allowed transforms and algorithms (SHA-1 is let pass here, policy decides later).
// Errors: security_invalid, algorithm_unsupported.
Result<SignatureParts> read_signature(Element signature,
                                      const std::unordered_map<std::string, Element>& ids);

// The octets that the signature value covers: SignedInfo in exclusive canonical form.
Result<std::string> canonical_signed_info(const SignatureParts& parts);

// SignatureValue over SignedInfo with the key. Errors: signature_failed, algorithm_unsupported
// (algorithm and key type disagree).
Result<Ok> verify_signed_info(std::string_view canonical_signed_info, const SignatureParts& parts,
                              const crypto::PublicKey& key);

// Whether one reference's digest is that of its element. Errors: signature_failed.
Result<Ok> verify_digest(const SignedReference& reference);

// The whole signature by xmlsec1 in a strict context: SignedInfo and every digest.
// Errors: signature_failed.
Result<Ok> verify_by_xmlsec(const SignatureParts& parts, const crypto::PublicKey& key);

}  // namespace district::xml
