// XML Signature by xmlsec1, locked down to one profile: same-document references by #NCName,
// exclusive C14N, an explicit key. KeyInfo is never read here; the caller has found the key.
// Source: XMLDSig 1.1; W3C XML Signature Best Practices.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
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

// Whether an attribute is an ID of its element to anybody who may read the message: wsu:Id also of
// the drafts' namespaces, Id, ID, id, xml:id; SAML's AssertionID, RequestID, ResponseID.
bool is_id(std::string_view uri, std::string_view local);

struct Ids {
  std::unordered_map<std::string, Element> signable;  // by wsu:Id, the only kind to sign by
  std::unordered_set<std::string> all;  // as xs:ID has them, without white space around
  // Errors: security_invalid where it is there already; limit_exceeded.
  Result<Ok> note(std::string_view value);
};
// `end`: where to stop, an element below `root`. Errors: security_invalid where any two ids below
// `root` are the same; limit_exceeded.
Result<Ids> collect_ids(Element root, Element end = {});

// Reads a ds:Signature and holds it to the profile: child order, one text in each value, bounded
// references, allowed transforms and algorithms (SHA-1 is let pass here, policy decides later).
// Errors: security_invalid, algorithm_unsupported.
Result<SignatureParts> read_signature(Element signature, const Ids& ids);

// The octets that the signature value covers: SignedInfo in exclusive canonical form.
Result<std::string> canonical_signed_info(const SignatureParts& parts);

// SignatureValue over SignedInfo with the key. Errors: signature_failed, algorithm_unsupported
// (algorithm and key type disagree).
Result<Ok> verify_signed_info(std::string_view canonical_signed_info, const SignatureParts& parts,
                              const crypto::PublicKey& key);

// Whether one reference's digest is that of its element. `certificate`: the signer's in DER, which
// STR-Transform may need; empty where it is not known. Errors: signature_failed, security_invalid
// (STR-Transform without a token).
Result<Ok> verify_digest(const SignedReference& reference, ByteView certificate = {});

// The same for an element whose canonical octets come in pieces.
class ReferenceDigest {
 public:
  // Keeps a reference. Errors: internal.
  static Result<ReferenceDigest> create(const SignedReference& reference);
  ReferenceDigest(ReferenceDigest&&) noexcept;
  ~ReferenceDigest();
  void update(std::string_view canonical);
  Result<Ok> verify();  // once, at the end; errors: signature_failed

 private:
  struct State;
  explicit ReferenceDigest(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether xmlsec1 reads each PrefixList as the standards have it. It knows U+0020 alone as white
// space (BSP 1.1 R5415 has any) and refuses an InclusiveNamespaces without a PrefixList.
bool xmlsec_reads_prefix_lists(const SignatureParts& parts);

// The whole signature by xmlsec1 in a strict context: SignedInfo and every digest.
// `certificate`: as of verify_digest(). Errors: signature_failed.
Result<Ok> verify_by_xmlsec(const SignatureParts& parts, const crypto::PublicKey& key,
                            ByteView certificate = {});

}  // namespace district::xml
