#include "verify/security_header.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/diagnosis.h"
#include "base/text.h"
#include "verify/header_facts.h"
#include "verify/key_reference.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

namespace ns = xml::ns;
using xml::Element;

tl::unexpected<Error> invalid(std::string detail, std::string rule = {}) {
  return fail_by(std::move(rule), ErrorCode::security_invalid, std::move(detail));
}

constexpr const char* kBestPractices = "XML Signature Best Practices 2013, \"see what is signed\"";
constexpr const char* kContract = "docs/reference/contract.md section 5";

struct Envelope {
  std::string_view soap;  // its namespace
  Element header;         // null when there is none
  Element body;
  Element behind;  // what follows the Body, which a stream does not know yet; or null
};

// SOAP 1.1 section 4, SOAP 1.2 Part 1 section 5: an optional Header first, then one Body.
Result<Envelope> read_envelope(Element root, SoapVersion version) {
  if (root.name() != "Envelope") return fail(ErrorCode::not_soap, "the document is no Envelope");
  const auto uri = root.namespace_uri();
  if (uri != ns::kSoap11 && uri != ns::kSoap12) {
    return fail(ErrorCode::soap_version_mismatch, "Envelope in the namespace " + std::string(uri));
  }
  if (uri != (version == SoapVersion::v11 ? ns::kSoap11 : ns::kSoap12)) {
    return fail(ErrorCode::not_soap, "Envelope and Content-Type are of different versions of SOAP");
  }
  const auto parts = root.children();
  const Element header = !parts.empty() && parts[0].is(uri, "Header") ? parts[0] : Element{};
  const std::size_t body_at = header ? 1 : 0;
  if (parts.size() <= body_at || !parts[body_at].is(uri, "Body") ||
      root.has_text_beside_elements()) {
    return fail(ErrorCode::not_soap, "Envelope is not an optional Header and one Body");
  }
  if (header && header.has_text_beside_elements())
    return fail(ErrorCode::not_soap, "Header with text beside its elements");
  const bool last = parts.size() == body_at + 1;
  return Envelope{uri, header, parts[body_at], last ? Element{} : parts[body_at + 1]};
}

// Whether a header block is aimed at us: the ultimate receiver, or the next node.
bool for_us(Element block, std::string_view soap) {
  const auto actor = block.attribute(soap, soap == ns::kSoap11 ? "actor" : "role").value_or("");
  return actor.empty() || actor == "http://schemas.xmlsoap.org/soap/actor/next" ||
         actor == "http://www.w3.org/2003/05/soap-envelope/role/next" ||
         actor == "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver";
}

bool is_known_addressing(Element block) {
  if (block.namespace_uri() != ns::kWsa && block.namespace_uri() != ns::kWsa2004) return false;
  if (block.name() == "Action" || block.name() == "MessageID" || block.name() == "To") return true;
  if (block.name() != "ReplyTo") return false;
  const Element address = block.child(block.namespace_uri(), "Address");
  const std::string to = address ? address.trimmed_text() : "";
  return to == "http://www.w3.org/2005/08/addressing/anonymous" ||
         to == "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous";
}

tl::unexpected<Error> encrypted(Element part) {
  return fail_by(kContract, ErrorCode::algorithm_unsupported,
                 "encrypted parts: " + std::string(part.name()));
}

// The one Security header for us; every other mandatory header must be one that we know.
Result<Element> find_security(const Envelope& envelope) {
  Element security;
  if (envelope.header) {
    for (const Element block : envelope.header.children()) {
      if (!for_us(block, envelope.soap)) continue;
      if (is_encryption(block.namespace_uri()) || block.is(ns::kWsse11, "EncryptedHeader"))
        return encrypted(block);
      if (block.is(ns::kWsse, "Security")) {
        if (security) return invalid("more than one Security header");
        security = block;
        continue;
      }
      const auto mandatory =
          collapse_xml_space(block.attribute(envelope.soap, "mustUnderstand").value_or("0"));
      if (mandatory == "0" || mandatory == "false" || is_known_addressing(block)) continue;
      return fail(ErrorCode::must_understand,
                  "mandatory header " + std::string(block.name()) + " of " +
                      std::string(block.namespace_uri()).substr(0, 128));
    }
  }
  if (!security) return invalid("no Security header");
  return security;
}

struct SecurityParts {
  Element timestamp;
  Element signature;
};

// Text between elements, anywhere in the Signature, where nothing is of mixed content. What should
// have text only is judged by who reads it.
bool has_mixed_text(Element signature) {
  for (Element element = signature; element; element = element.next_below(signature)) {
    if (!element.has_child_elements() || !element.has_text_beside_elements()) continue;
    if (!element.is(ns::kWsse, "KeyIdentifier") && !element.is(ns::kDs, "X509Certificate"))
      return true;
  }
  return false;
}

// A token that is not of X.509, whether the signature refers to it or not.
bool is_other_token(Element child) {
  if (!child.is(ns::kWsse, "BinarySecurityToken")) {
    return child.name().ends_with("Token") || child.name() == "Assertion" ||
           child.name() == "license";
  }
  const auto type = child.attribute("", "ValueType");
  return type != xml::wss::kX509v3 && type != xml::wss::kX509PkiPathv1;
}

Result<SecurityParts> read_security(Element security) {
  SecurityParts parts;
  for (Element element = security; element; element = element.next_below(security)) {
    if (is_encryption(element.namespace_uri())) return encrypted(element);
  }
  for (const Element child : security.children()) {
    if (child.is(ns::kWsu, "Timestamp")) {
      if (parts.timestamp) return invalid("more than one Timestamp", "BSP 1.1 R3227");
      parts.timestamp = child;
    } else if (child.is(ns::kDs, "Signature")) {
      if (parts.signature) return invalid("more than one Signature", kContract);
      parts.signature = child;
    } else if (is_other_token(child)) {
      return fail_by("BSP 1.1 R3031, R3032", ErrorCode::token_unsupported,
                     "token " + std::string(child.name()) + " of ValueType " +
                         child.attribute("", "ValueType").value_or("(none)").substr(0, 128));
    } else if (!child.is(ns::kWsse, "BinarySecurityToken")) {
      return invalid("Security with a " + std::string(child.name()));
    }
  }
  if (security.has_text_beside_elements()) return invalid("Security with text");
  if (parts.signature && has_mixed_text(parts.signature))
    return invalid("Signature with text beside elements", "XMLDSig 1.1 section 4.2");
  if (!parts.timestamp) return invalid("no Timestamp", kContract);
  if (!parts.signature) return invalid("no Signature", "WSS 1.1 section 8");
  return parts;
}

Result<Times> read_timestamp(Element timestamp) {
  const auto children = timestamp.children();
  if (children.size() != 2 || !children[0].is(ns::kWsu, "Created") ||
      !children[1].is(ns::kWsu, "Expires") || timestamp.has_text_beside_elements()) {
    return invalid("Timestamp is not Created, Expires", "BSP 1.1 R3203, R3221, R3222, R3224");
  }
  // Nothing may say that they are of another type than xs:dateTime.
  for (const Element time : children) {
    if (!time.attributes().empty() && time.attribute("", "ValueType"))
      return invalid(std::string(time.name()) + " with a ValueType", "BSP 1.1 R3225, R3226");
  }
  const auto created = children[0].only_text();
  const auto expires = children[1].only_text();
  if (!created || !expires) return invalid("Created or Expires with child nodes");
  return read_times(*created, *expires);
}

// Sets which references are those of Timestamp and Body. Tokens, header blocks and a signed
// SecurityTokenReference may be covered as well, and nothing else.
Result<Ok> check_coverage(SecurityHeader& header, const Envelope& envelope, Element timestamp) {
  const auto& references = header.signature.references;
  bool timestamp_signed = false;
  bool body_signed = false;
  for (std::size_t i = 0; i < references.size(); ++i) {
    const auto& reference = references[i];
    const Element element = reference.element;
    // Each once, so that what is digested is bounded by the size of the message.
    if (std::ranges::count(references, element, &xml::SignedReference::element) > 1)
      return invalid("two References to #" + reference.id, kBestPractices);
    const bool signed_str = reference.str_transform &&
                            element.parent() == header.signature.key_info &&
                            element.is(ns::kWsse, "SecurityTokenReference");
    if (reference.str_transform != signed_str)
      return invalid("STR-Transform on #" + reference.id, "WSS 1.1 section 8.3");
    if (element == timestamp) {
      header.timestamp_reference = i;
      timestamp_signed = true;
      continue;
    }
    if (element == envelope.body) {
      header.body_reference = i;
      body_signed = true;
      continue;
    }
    const bool token =
        element.parent() == header.security && element.is(ns::kWsse, "BinarySecurityToken");
    const bool block = element.parent() == envelope.header && element != header.security;
    if (!token && !block && !signed_str) {
      return invalid(
          "a Reference is to a " + std::string(element.name()) + " that is not processed",
          kBestPractices);
    }
  }
  if (!body_signed) return invalid("the Body is not signed", kContract);
  if (!timestamp_signed) return invalid("the Timestamp is not signed", kContract);
  return Ok{};
}

// The certificates whose key made the signature over SignedInfo: several when one was renewed with
// its key, and the message names the key only.
Result<std::vector<crypto::Certificate>> find_signers(
    const std::vector<crypto::Certificate>& candidates, const std::string& signed_info,
    const xml::SignatureParts& signature) {
  std::vector<crypto::Certificate> signers;
  Error last;
  for (const auto& certificate : candidates) {
    auto verified = xml::verify_signed_info(signed_info, signature, certificate.public_key());
    if (verified) {
      signers.push_back(certificate);
      continue;
    }
    last = std::move(verified).error();
    last.detail += " of " + certificate.subject();
  }
  if (signers.empty()) return fail(std::move(last));
  return signers;
}

struct Signer {
  crypto::Certificate certificate;
  std::vector<Enrolment> enrolments;
};

// Those of them that may sign now, at least one.
Result<std::vector<Signer>> trusted_signers(const std::vector<crypto::Certificate>& signers,
                                            const trust::TrustSnapshot& trust, bool uses_sha1,
                                            Instant now) {
  std::vector<Signer> trusted;
  Error last;
  for (const auto& certificate : signers) {
    auto enrolments = check_trust(trust, certificate, uses_sha1, now);
    if (enrolments) {
      trusted.push_back({certificate, *std::move(enrolments)});
    } else {
      last = std::move(enrolments).error();
    }
  }
  if (trusted.empty()) return fail(std::move(last));
  return trusted;
}

// All but the Timestamp's, which is good already, and the Body's, which comes last.
Result<Ok> verify_other_digests(const SecurityHeader& header, const crypto::Certificate& signer) {
  const auto& references = header.signature.references;
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (i == header.timestamp_reference || i == header.body_reference) continue;
    DISTRICT_CHECK(xml::verify_digest(references[i], signer.der()));
  }
  return Ok{};
}

// The first of them with whose certificate the digests are good: an STR-Transform signs it, though
// the message may name only the key.
Result<Signer> signer_of_digests(std::vector<Signer> trusted, const SecurityHeader& header) {
  Error last;
  for (auto& signer : trusted) {
    auto verified = verify_other_digests(header, signer.certificate);
    if (verified) return std::move(signer);
    last = std::move(verified).error();
  }
  return fail(std::move(last));
}

}  // namespace

bool is_encryption(std::string_view namespace_uri) {
  return namespace_uri == ns::kXenc || namespace_uri == ns::kXenc11;
}

Result<SecurityHeader> read_security_header(const xml::Document& head, SoapVersion version) {
  SecurityHeader header;
  DISTRICT_TRY(const Envelope envelope, read_envelope(head.root(), version));
  header.body = envelope.body;
  DISTRICT_TRY(header.security, find_security(envelope));
  DISTRICT_TRY(const SecurityParts parts, read_security(header.security));
  DISTRICT_TRY(header.times, read_timestamp(parts.timestamp));
  DISTRICT_TRY(header.ids, xml::collect_ids(head.root(), envelope.behind));
  DISTRICT_TRY(header.signature, xml::read_signature(parts.signature, header.ids));
  DISTRICT_CHECK(check_coverage(header, envelope, parts.timestamp));
  std::vector<std::string_view> digests;
  for (const auto& reference : header.signature.references)
    digests.push_back(reference.digest_algorithm);
  DISTRICT_CHECK(check_algorithms(header.signature.signature_algorithm, digests));
  return header;
}

Result<Authenticated> authenticate(const SecurityHeader& header, const trust::TrustSnapshot& trust,
                                   const Window& window, Instant now) {
  const auto& signature = header.signature;
  DISTRICT_TRY(const KeySource source,
               find_certificates(signature.key_info, header.security, trust));
  DISTRICT_TRY(const std::string signed_info, xml::canonical_signed_info(signature));
  DISTRICT_TRY(const auto signers, find_signers(source.candidates, signed_info, signature));
  const bool sha1 = signature.signature_algorithm == xml::alg::kRsaSha1;
  DISTRICT_TRY(auto trusted, trusted_signers(signers, trust, sha1, now));
  DISTRICT_CHECK(check_issuers(source));
  DISTRICT_CHECK(xml::verify_digest(signature.references[header.timestamp_reference]));
  DISTRICT_TRY(const Instant acceptable_until, check_window(header.times, now, window));
  DISTRICT_TRY(Signer chosen, signer_of_digests(std::move(trusted), header));
  const crypto::Certificate& signer = chosen.certificate;
  Sender sender{signer.sha256(),
                signer.subject(),
                signer.public_key().family(),
                signature.signature_algorithm,
                signature.signature_value,
                std::move(chosen.enrolments),
                sha1,
                header.times.created,
                header.times.expires,
                now,
                describe_key_reference(signature.key_info, header.security)};
  return Authenticated{std::move(sender), signer, replay_key(signed_info, signer.public_key()),
                       acceptable_until};
}

}  // namespace district::verify
