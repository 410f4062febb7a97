#include "verify/header_facts.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/utf8.h"
#include "verify/key_reference.h"
#include "verify/near_miss.h"
#include "xml/namespaces.h"

namespace district::verify {
namespace {

namespace ns = xml::ns;
using xml::Element;

constexpr std::size_t kTextBytesMax = 200;

std::string bounded(std::string_view text) { return std::string(cut(text, kTextBytesMax)); }

// What follows the last '#' of a URI of the token profiles, which is what people call it.
std::string short_type(Element element) {
  const auto type = element.attribute("", "ValueType").value_or("without ValueType");
  return bounded(type.substr(type.rfind('#') + 1));
}

Element security_of(Element root) {
  const Element header = root.child(root.namespace_uri(), "Header");
  return header ? header.child(ns::kWsse, "Security") : Element{};
}

// The token of this header that a wsse:Reference means; null where there is none.
Element referenced_token(Element reference, Element security) {
  const auto uri = reference.attribute("", "URI").value_or("");
  return uri.size() < 2 ? Element{} : find_token(security, uri.substr(1));
}

// Base64 of what presents or names a certificate; empty: nothing of the kind.
std::string presented(Element element) {
  const auto text = element ? element.only_text() : std::nullopt;
  return text && text->size() <= limits::kTokenBytesMax ? *text : std::string();
}

void add_certificate(Diagnosis& facts, const trust::EnrolledCertificate& known,
                     const trust::TrustSnapshot& trust) {
  facts.certificate_sha256 = to_hex(known.certificate.sha256());
  facts.subject = known.certificate.subject();
  for (const auto& enrolment : trust.enrolments_of(known)) {
    facts.tenant += (facts.tenant.empty() ? "" : ", ") + enrolment.tenant;
  }
}

void add_known(Diagnosis& facts, const std::vector<const trust::EnrolledCertificate*>& found,
               const trust::TrustSnapshot& trust) {
  if (!found.empty()) add_certificate(facts, *found.front(), trust);
}

void add_presented(Diagnosis& facts, std::string_view base64, const trust::TrustSnapshot* trust) {
  const auto der = from_base64(base64);
  if (!der || der->empty()) return;
  const auto fingerprint = crypto::Certificate::fingerprint(*der);
  facts.certificate_sha256 = to_hex(fingerprint);
  const auto* known = trust == nullptr ? nullptr : trust->find_by_sha256(fingerprint);
  if (known != nullptr) add_certificate(facts, *known, *trust);
}

void add_key(Diagnosis& facts, Element security, Element key_info,
             const trust::TrustSnapshot* trust) {
  facts.key_reference = describe_key_reference(key_info, security);
  const Element str = key_info.child(ns::kWsse, "SecurityTokenReference");
  if (!str) return;
  if (const Element reference = str.child(ns::kWsse, "Reference")) {
    const Element token = referenced_token(reference, security);
    if (!token) return;
    add_presented(facts, presented(token), trust);
    return;
  }
  if (const Element data = str.child(ns::kDs, "X509Data")) {
    if (const Element certificate = data.child(ns::kDs, "X509Certificate")) {
      add_presented(facts, presented(certificate), trust);
      return;
    }
    const Element issuer_serial = data.child(ns::kDs, "X509IssuerSerial");
    const Element issuer =
        issuer_serial ? issuer_serial.child(ns::kDs, "X509IssuerName") : Element{};
    const Element serial =
        issuer_serial ? issuer_serial.child(ns::kDs, "X509SerialNumber") : Element{};
    if (issuer && serial && trust != nullptr)
      add_known(facts, trust->find_by_issuer_serial(issuer.text(), serial.trimmed_text()), *trust);
    return;
  }
  const Element identifier = str.child(ns::kWsse, "KeyIdentifier");
  if (!identifier) return;
  const auto type = identifier.attribute("", "ValueType");
  if (type == xml::wss::kX509v3) {
    add_presented(facts, presented(identifier), trust);
  } else if (const auto octets = from_base64(presented(identifier)); octets && trust != nullptr) {
    add_known(facts,
              type == xml::wss::kThumbprintSha1 ? trust->find_by_sha1(*octets)
                                                : trust->find_by_subject_key_identifier(*octets),
              *trust);
  }
}

}  // namespace

std::string describe_key_reference(Element key_info, Element security) {
  const auto children = key_info.children();
  if (children.empty()) return "an empty KeyInfo";
  const Element str = key_info.child(ns::kWsse, "SecurityTokenReference");
  if (!str) return bounded("a ds:" + std::string(children[0].name()) + " in KeyInfo");
  const auto references = str.children();
  if (references.empty()) return "an empty SecurityTokenReference";
  const Element reference = references[0];
  if (reference.is(ns::kWsse, "Reference")) {
    if (const Element token = referenced_token(reference, security))
      return bounded(std::string(token.name())) + " " + short_type(token);
    return bounded("Reference to " + reference.attribute("", "URI").value_or("nothing"));
  }
  std::string text;
  if (reference.is(ns::kWsse, "KeyIdentifier")) {
    text = "KeyIdentifier " + short_type(reference);
  } else {
    text = bounded(std::string(reference.name()));
    for (const Element part : reference.children()) text += " " + bounded(std::string(part.name()));
    text = bounded(std::move(text));
  }
  const auto name = named_key(key_info);
  return name ? text + ": " + shown(*name) : text;
}

Error with_header_facts(Error error, const xml::Document& head, const trust::TrustSnapshot* trust,
                        Instant now) {
  Diagnosis facts = diagnosis_of(error);
  facts.judged_at = now;
  const Element security = security_of(head.root());
  if (security) {
    if (const Element timestamp = security.child(ns::kWsu, "Timestamp")) {
      const Element created = timestamp.child(ns::kWsu, "Created");
      const Element expires = timestamp.child(ns::kWsu, "Expires");
      if (created) facts.created = parse_date_time(created.text());
      if (expires) facts.expires = parse_date_time(expires.text());
    }
    const Element signature = security.child(ns::kDs, "Signature");
    const Element key_info = signature ? signature.child(ns::kDs, "KeyInfo") : Element{};
    if (key_info) add_key(facts, security, key_info, trust);
    const Element info = signature ? signature.child(ns::kDs, "SignedInfo") : Element{};
    const Element method = info ? info.child(ns::kDs, "SignatureMethod") : Element{};
    if (method) facts.signature_method = bounded(method.attribute("", "Algorithm").value_or(""));
  }
  error.diagnosis = std::make_shared<const Diagnosis>(std::move(facts));
  return error;
}

}  // namespace district::verify
