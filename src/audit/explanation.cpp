#include "audit/explanation.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "audit/signature_hints.h"
#include "audit/tree_verifier.h"
#include "base/diagnosis.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "receive/receive.h"
#include "verify/header_facts.h"
#include "verify/key_reference.h"
#include "verify/near_miss.h"
#include "verify/security_header.h"
#include "verify/stream_verifier.h"
#include "xml/document.h"
#include "xml/dsig.h"
#include "xml/envelope_reader.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

namespace ns = xml::ns;
using xml::Element;

// Judges nothing: gives the Body to a reader, so that its content can be explained whatever is
// wrong with its signature. What comes of it never leaves this file.
class AssumedVerifier final : public verify::Verifier {
 public:
  AssumedVerifier(Element body, verify::Sender sender, verify::TrustPtr trust)
      : body_(body), sender_(std::move(sender)), trust_(std::move(trust)) {}

  Result<verify::VerifiedEnvelope> verify(const RawEnvelope&, Instant now,
                                          verify::BodyReader& reader) const override {
    reader.begin(sender_, trust_, now);
    xml::walk(body_, reader);
    Parts parts;
    parts.sender = sender_;
    parts.verified_at = now;
    parts.trust = trust_;
    parts.reader = &reader;
    return make(std::move(parts));
  }

 private:
  Element body_;
  verify::Sender sender_;
  verify::TrustPtr trust_;
};

std::string short_name(std::string_view uri) {
  const auto at = uri.find_last_of("#/");
  return std::string(at == std::string_view::npos || at + 1 == uri.size() ? uri
                                                                          : uri.substr(at + 1));
}

std::string key_text(const crypto::PublicKey& key) {
  if (key.family() == KeyFamily::rsa) return "RSA " + std::to_string(key.bits());
  return "ECDSA " + key.curve();
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kBytesMax = 120;
  return text.size() <= kBytesMax ? std::string(text)
                                  : std::string(text.substr(0, kBytesMax)) + "...";
}

std::string encoding_of(ByteView octets) {
  const auto text = as_text(octets);
  if (text.starts_with("\xEF\xBB\xBF")) return "UTF-8 with a byte order mark";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return "UTF-16";
  const auto declaration = text.substr(0, text.starts_with("<?xml") ? text.find("?>") : 0);
  const auto at = declaration.find("encoding=");
  if (at == std::string_view::npos || at + 10 >= declaration.size()) return "UTF-8";
  const auto value = declaration.substr(at + 10);
  return std::string(value.substr(0, value.find(declaration[at + 9]))) + ", as declared";
}

bool is_gzip(ByteView octets) { return as_text(octets).starts_with("\x1F\x8B"); }

using ParsedDocument = Result<std::shared_ptr<const xml::Document>>;

// By the Envelope; where it cannot be read, by the namespace that is named first.
bool is_soap12(const RawEnvelope& raw, const ParsedDocument& document) {
  if (document) return (*document)->root().namespace_uri() == ns::kSoap12;
  const auto text = as_text(raw.octets);
  return text.find(ns::kSoap12) < text.find(ns::kSoap11);
}

// As if it were enrolled.
Enrolment enrolment_of(const crypto::Certificate& certificate, const std::string& tenant) {
  Enrolment enrolment;
  enrolment.tenant = tenant;
  enrolment.certificate_sha256 = certificate.sha256();
  enrolment.certificate_der = certificate.der();
  enrolment.subject = certificate.subject();
  enrolment.allow_sha1_until = Instant::max();
  return enrolment;
}

class Explainer {
 public:
  Explainer(const Question& question, const validate::Validator& validator)
      : asked_(question), validator_(validator) {}

  Explanation run();

 private:
  Step& add(const char* name, const char* title, Finding finding, std::string text);
  Step& add_error(const char* name, const char* title, const Error& error);
  void not_checked(const char* name, const char* title, const char* why);

  Result<RawEnvelope> received_as(const std::string& content_type) const;
  bool read_envelope();
  void read_header();
  void read_timestamp(Element timestamp);
  void read_profile();
  void find_key();
  void hold_against_given(Element key_info, const std::string& form);
  void describe_certificate();
  void describe_enrolment();
  void check_references();
  void check_reference(Element reference, std::size_t number);
  void check_signature();
  void check_content();
  void judge();
  void judge_unreadable(const Error& error);

  std::string body_tenant() const;
  std::shared_ptr<const trust::TrustSnapshot> trust_for_judgement() const;
  std::shared_ptr<const trust::TrustSnapshot> trust_for_content(const std::string& tenant) const;
  std::vector<crypto::Certificate> other_certificates() const;
  Judgement judgement_of(const verify::Verifier& verifier) const;

  const Question& asked_;
  const validate::Validator& validator_;
  Explanation result_;
  RawEnvelope raw_;
  std::shared_ptr<const xml::Document> document_;
  Element security_, signature_, body_;
  xml::Ids ids_;
  std::optional<xml::SignatureParts> parts_;  // where the signature has the profile's form
  std::optional<crypto::Certificate> certificate_;
};

Step& Explainer::add(const char* name, const char* title, Finding finding, std::string text) {
  result_.steps.push_back({name, title, finding, std::move(text), {}, {}});
  return result_.steps.back();
}

Step& Explainer::add_error(const char* name, const char* title, const Error& error) {
  auto& step = add(name, title, Finding::bad, error.detail);
  if (const auto rule = rule_of(error); !rule.empty()) step.more.push_back("rule: " + rule);
  if (!error.hint.empty()) step.hints.push_back(error.hint);
  return step;
}

void Explainer::not_checked(const char* name, const char* title, const char* why) {
  add(name, title, Finding::not_checked, std::string("not checked: ") + why);
}

Result<RawEnvelope> Explainer::received_as(const std::string& content_type) const {
  receive::HttpRequest request;
  request.content_type = content_type;
  request.content_encoding = is_gzip(asked_.octets) ? "gzip" : "";
  request.soap_action = asked_.soap_action;
  request.body = asked_.octets;
  constexpr std::size_t kOctetsMax = std::size_t{2} << 30U;
  DISTRICT_TRY(auto raw, receive::make_raw_envelope(std::move(request), kOctetsMax));
  DISTRICT_CHECK(receive::collect_rest(raw));
  return raw;
}

// Transport, encoding, XML. false: there is nothing to explain further.
bool Explainer::read_envelope() {
  auto content_type = asked_.content_type.empty() ? "text/xml" : asked_.content_type;
  auto raw = received_as(content_type);
  ParsedDocument document;
  if (raw) document = xml::Document::parse(raw->octets, raw->charset);
  if (raw && asked_.content_type.empty() && is_soap12(*raw, document)) {
    content_type = "application/soap+xml";
    raw = received_as(content_type);
  }
  if (!raw) {
    add_error("transport", "Transport", raw.error());
    result_.server.error = result_.auditor.error = raw.error();
    return false;
  }
  raw_ = *std::move(raw);
  result_.soap_version = raw_.soap_version;
  add("transport", "Transport", Finding::good,
      "as Content-Type " + content_type + (asked_.content_type.empty() ? " (assumed)" : "") +
          (is_gzip(asked_.octets) ? ", gzip" : "") + ": SOAP " +
          (raw_.soap_version == SoapVersion::v11 ? "1.1" : "1.2"));

  if (!document) {
    add_error("xml", "Encoding and XML", document.error());
    judge_unreadable(document.error());
    return false;
  }
  document_ = *std::move(document);
  auto& step = add("xml", "Encoding and XML", Finding::good,
                   encoding_of(raw_.octets) + ", " + std::to_string(raw_.octets.size()) +
                       " octets, well-formed, within the limits, no document type");
  if (as_text(raw_.octets).find("\r\n") != std::string_view::npos) {
    step.more.emplace_back(
        "line ends are CRLF: XML parsers turn them into LF, and the signer must have digested LF");
  }
  return true;
}

void Explainer::read_header() {
  const Element root = document_->root();
  const auto uri = root.namespace_uri();
  const Element header = root.child(uri, "Header");
  body_ = root.child(uri, "Body");
  const bool soap = root.name() == "Envelope" && (uri == ns::kSoap11 || uri == ns::kSoap12);
  const bool same = uri == (raw_.soap_version == SoapVersion::v11 ? ns::kSoap11 : ns::kSoap12);
  std::string blocks;
  for (const Element block : header ? header.children() : std::vector<Element>{})
    blocks += (blocks.empty() ? "" : ", ") + excerpt(block.name());
  auto& step =
      add("envelope", "SOAP envelope", soap && same && body_ ? Finding::good : Finding::bad,
          !soap ? "the document is a " + excerpt(root.name()) + " of the namespace '" +
                      excerpt(uri) + "', no SOAP envelope"
          : !body_ ? std::string("the envelope has no Body")
          : !same  ? std::string("the envelope is of another version of SOAP than the "
                                  "Content-Type")
                   : "header blocks: " + (blocks.empty() ? "none" : blocks));
  if (soap && !same) step.hints.emplace_back("SOAP 1.1 is text/xml, 1.2 application/soap+xml");

  std::size_t count = 0;
  for (const Element block : header ? header.children() : std::vector<Element>{}) {
    if (!block.is(ns::kWsse, "Security")) continue;
    if (count++ == 0) security_ = block;
  }
  if (!security_) {
    auto& missing = add("security", "Security header", Finding::bad,
                        "there is no wsse:Security header: the message is not signed");
    missing.hints.emplace_back(
        "configure WS-Security in the client (X.509 signature with a Timestamp); the page of your "
        "client is in docs/how-to");
    return;
  }
  std::string content;
  for (const Element child : security_.children())
    content += (content.empty() ? "" : ", ") + excerpt(child.name());
  add("security", "Security header", count == 1 ? Finding::good : Finding::note,
      (count == 1 ? "one, with " : std::to_string(count) + " of them; the first has ") + content);
  signature_ = security_.child(ns::kDs, "Signature");
  read_timestamp(security_.child(ns::kWsu, "Timestamp"));
}

void Explainer::read_timestamp(Element timestamp) {
  const Element created = timestamp ? timestamp.child(ns::kWsu, "Created") : Element{};
  const Element expires = timestamp ? timestamp.child(ns::kWsu, "Expires") : Element{};
  if (!created || !expires) {
    auto& step =
        add("timestamp", "Timestamp", Finding::bad,
            !timestamp ? "there is no wsu:Timestamp in the Security header"
                       : std::string("the Timestamp has no ") + (created ? "Expires" : "Created"));
    step.more.emplace_back("rule: BSP 1.1 R3203, R3224; WSS 1.1 section 10");
    not_checked("window", "Time window", "there is no time to check");
    return;
  }
  const auto times = verify::read_times(created.text(), expires.text());
  if (!times) {
    add_error("timestamp", "Timestamp", times.error());
    not_checked("window", "Time window", "the Timestamp cannot be read");
    return;
  }
  add("timestamp", "Timestamp", Finding::good,
      "Created " + excerpt(created.trimmed_text()) + ", Expires " +
          excerpt(expires.trimmed_text()));
  const auto window = verify::check_window(*times, asked_.at, asked_.window);
  if (!window) {
    auto& step = add_error("window", "Time window", window.error());
    const auto from = times->created - asked_.window.created_ahead_max;
    const auto until = std::min(times->expires, times->created + asked_.window.created_age_max);
    step.hints.push_back("it is acceptable from " + format_instant(from, 3) + " to " +
                         format_instant(until, 3) +
                         "; the steps below are examined all the same, "
                         "--at judges by another clock");
    return;
  }
  add("window", "Time window", Finding::good,
      "acceptable at " + format_instant(asked_.at, 3) + ", and until " +
          format_instant(*window, 3));
}

// Everything the profile asks of the header, by the server's own function: the first rule broken.
void Explainer::read_profile() {
  const auto ids = xml::collect_ids(document_->root());
  if (ids) ids_ = *ids;
  const auto header = verify::read_security_header(*document_, raw_.soap_version);
  if (signature_) {
    if (auto parts = xml::read_signature(signature_, ids_)) parts_ = *std::move(parts);
  }
  if (!header) {
    add_error("profile", "Profile", header.error());
    return;
  }
  const auto& signature = header->signature;
  add("profile", "Profile", Finding::good,
      "the header has the form that is wanted; the signature covers the Timestamp, the Body" +
          std::string(signature.references.size() > 2
                          ? " and " + std::to_string(signature.references.size() - 2) + " more"
                          : ""));
  std::string digests;
  for (const auto& reference : signature.references) {
    const auto name = short_name(reference.digest_algorithm);
    if (digests.find(name) == std::string::npos) digests += (digests.empty() ? "" : ", ") + name;
  }
  const bool sha1 = signature.signature_algorithm == xml::alg::kRsaSha1;
  auto& step = add("algorithms", "Algorithms", sha1 ? Finding::note : Finding::good,
                   "signature " + short_name(signature.signature_algorithm) + ", digests " +
                       digests + ", exclusive C14N");
  if (sha1) {
    step.more.emplace_back(
        "rsa-sha1 is accepted only where the certificate's enrolment allows it, until a date");
  }
}

void Explainer::find_key() {
  const Element key_info = signature_ ? signature_.child(ns::kDs, "KeyInfo") : Element{};
  if (!key_info) {
    not_checked("key", "Key reference", "there is no ds:Signature with a ds:KeyInfo");
    return;
  }
  const trust::TrustSnapshot nobody{store::TrustRecords{}};
  const auto form = verify::describe_key_reference(key_info, security_);
  const auto found =
      verify::find_certificates(key_info, security_, asked_.trust ? *asked_.trust : nobody);
  if (found) {
    // Several have the same key, where one was renewed with it: the one enrolled counts.
    certificate_ = found->candidates.front();
    for (const auto& candidate : found->candidates) {
      if (asked_.trust && asked_.trust->find_by_sha256(candidate.sha256()) != nullptr)
        certificate_ = candidate;
    }
    if (const auto path = verify::check_issuers(*found); path) {
      add("key", "Key reference", Finding::good, form);
    } else {
      add_error("key", "Key reference", path.error());
    }
    if (asked_.certificate && asked_.certificate->sha256() != certificate_->sha256()) {
      add("key", "Key reference", Finding::note,
          "the message refers to another certificate than --certificate, " +
              to_hex(asked_.certificate->sha256()).substr(0, 16));
    }
    return;
  }
  certificate_ = asked_.certificate;
  if (found.error().code == ErrorCode::token_unavailable && !asked_.trust && !certificate_) {
    add("key", "Key reference", Finding::not_checked,
        form + ". The message has no certificate in it, and there is no trust store to find it in")
        .hints.emplace_back("give --data or --config, or the signer's --certificate");
    return;
  }
  if (asked_.trust || found.error().code != ErrorCode::token_unavailable)
    add_error("key", "Key reference", found.error());
  if (certificate_) hold_against_given(key_info, form);
}

// Whether a reference to a certificate that is not in the message names the one that was given.
void Explainer::hold_against_given(Element key_info, const std::string& form) {
  const auto name = verify::named_key(key_info);
  if (!name) return;
  store::TrustRecords records;
  records.enrolments.push_back(enrolment_of(*certificate_, {}));
  const trust::TrustSnapshot alone(std::move(records));
  if (verify::read_key_reference(key_info, security_, alone)) {
    add("key", "Key reference", Finding::good, form + ". It names --certificate");
    return;
  }
  auto near = verify::near_miss(*name, {*certificate_});
  auto& step = add("key", "Key reference", Finding::bad,
                   form + ". It does not name --certificate" +
                       (near.explanation.empty() ? "" : ": " + near.explanation));
  if (!near.hint.empty()) step.hints.push_back(std::move(near.hint));
}

void Explainer::describe_certificate() {
  if (!certificate_) {
    not_checked("certificate", "Certificate", "none was found");
    return;
  }
  const auto& it = *certificate_;
  const bool in_time = it.not_before() <= asked_.at && asked_.at <= it.not_after();
  const auto strength = crypto::check_strength(it.public_key());
  auto& step =
      add("certificate", "Certificate",
          in_time && strength && it.may_sign() ? Finding::good : Finding::bad,
          it.subject() + ", " + key_text(it.public_key()) + ", valid from " +
              format_instant(it.not_before(), 0) + " to " + format_instant(it.not_after(), 0));
  step.more.push_back("SHA-256 " + to_hex(it.sha256()));
  if (!in_time) step.more.emplace_back("it is not valid at the time of the check");
  if (!strength) step.more.push_back(strength.error().detail);
  if (it.is_authority())
    step.more.emplace_back("it is an authority's (" + it.authority_mark() +
                           "); districtctl enrol refuses those");
  if (!it.may_sign())
    step.more.emplace_back("its key usage lacks digitalSignature (RFC 5280 section 4.2.1.3)");
}

void Explainer::describe_enrolment() {
  if (!asked_.trust) {
    not_checked("enrolment", "Enrolment",
                "no trust store; use --data or --config on the server's machine");
    return;
  }
  if (!certificate_) {
    not_checked("enrolment", "Enrolment", "no certificate was found");
    return;
  }
  const bool sha1 = parts_ && parts_->signature_algorithm == xml::alg::kRsaSha1;
  const auto active = verify::check_trust(*asked_.trust, *certificate_, sha1, asked_.at);
  if (!active) {
    add_error("enrolment", "Enrolment", active.error());
    return;
  }
  std::string tenants;
  bool meant = !asked_.tenant;
  for (const auto& enrolment : *active) {
    tenants += (tenants.empty() ? "" : ", ") + enrolment.tenant;
    meant = meant || enrolment.tenant == *asked_.tenant;
  }
  auto& step = add("enrolment", "Enrolment", meant ? Finding::good : Finding::bad,
                   "enrolled for tenant " + tenants);
  if (!meant) {
    step.text += ", not for tenant " + *asked_.tenant;
    step.hints.push_back("districtctl enrol --tenant " + *asked_.tenant + " CERT.pem");
  }
}

void Explainer::check_references() {
  const Element info = signature_ ? signature_.child(ns::kDs, "SignedInfo") : Element{};
  if (!info) {
    not_checked("reference", "Reference", "there is no ds:SignedInfo");
    return;
  }
  std::size_t number = 0;
  for (const Element child : info.children()) {
    if (child.is(ns::kDs, "Reference") && number < limits::kSignedReferencesMax)
      check_reference(child, ++number);
  }
  if (number == 0) add("reference", "Reference", Finding::bad, "SignedInfo has no ds:Reference");
}

void Explainer::check_reference(Element element, std::size_t number) {
  const auto uri = element.attribute("", "URI").value_or("(no URI)");
  std::string transforms;
  if (const Element list = element.child(ns::kDs, "Transforms")) {
    for (const Element transform : list.children()) {
      const auto algorithm = transform.attribute("", "Algorithm").value_or("(none)");
      transforms += (transforms.empty() ? "" : ", ") +
                    (algorithm == ns::kExcC14n ? "exclusive C14N" : excerpt(short_name(algorithm)));
      const Element prefixes = transform.child(ns::kExcC14n, "InclusiveNamespaces");
      if (prefixes)
        transforms +=
            " with PrefixList '" + excerpt(prefixes.attribute("", "PrefixList").value_or("")) + "'";
    }
  }
  if (transforms.empty()) transforms = "none";
  const auto of = excerpt(uri) + ", transforms: " + transforms;
  if (!parts_ || parts_->references.size() < number) {
    not_checked("reference", "Reference",
                (of + ": its digest is not computed, the signature's form is wrong").c_str());
    return;
  }
  const auto& reference = parts_->references[number - 1];
  const std::string what = reference.element == body_ ? "the Body"
                           : reference.element == security_.child(ns::kWsu, "Timestamp")
                               ? "the Timestamp"
                               : "a " + excerpt(reference.element.name());
  const auto verified =
      xml::verify_digest(reference, certificate_ ? ByteView(certificate_->der()) : ByteView());
  if (verified) {
    add("reference", "Reference", Finding::good,
        what + ", " + of + ": the " + short_name(reference.digest_algorithm) + " digest matches");
    return;
  }
  const auto facts = diagnosis_of(verified.error());
  auto& step = add("reference", "Reference", Finding::bad,
                   what + ", " + of + ": the " + short_name(reference.digest_algorithm) +
                       " digest does not match");
  step.more.push_back("in the signature  " + facts.expected_digest);
  step.more.push_back("of what is here   " + facts.computed_digest);
  step.more.push_back("rule: " + facts.rule);
  step.hints = explain_digest(reference, ids_);
}

void Explainer::check_signature() {
  if (!parts_ || !certificate_) {
    not_checked("signature", "Signature",
                parts_ ? "no certificate was found" : "the signature's form is wrong");
    return;
  }
  const auto info = xml::canonical_signed_info(*parts_);
  const auto verified = info ? xml::verify_signed_info(*info, *parts_, certificate_->public_key())
                             : Result<Ok>(fail(info.error()));
  if (verified) {
    add("signature", "Signature", Finding::good,
        "the signature over SignedInfo verifies with the certificate's key");
    return;
  }
  auto& step = add_error("signature", "Signature", verified.error());
  const auto hints = explain_signature(*parts_, *certificate_, other_certificates());
  step.hints.insert(step.hints.end(), hints.begin(), hints.end());
}

std::vector<crypto::Certificate> Explainer::other_certificates() const {
  std::vector<crypto::Certificate> others;
  if (asked_.certificate) others.push_back(*asked_.certificate);
  if (!asked_.trust) return others;
  for (const auto& enrolment : asked_.trust->records().enrolments) {
    const auto* known = asked_.trust->find_by_sha256(enrolment.certificate_sha256);
    if (known != nullptr) others.push_back(known->certificate);
  }
  return others;
}

std::string Explainer::body_tenant() const {
  const Element request = body_ ? body_.child(ns::kUrb, "AggregateMessageRequest") : Element{};
  const Element code = request ? request.child(ns::kUrb, "tenantCode") : Element{};
  return code ? code.trimmed_text() : std::string();
}

// What there is, with this tenant added where it is not known: its content is then held to the
// schemas, and to no rule of a tenant.
std::shared_ptr<const trust::TrustSnapshot> Explainer::trust_for_content(
    const std::string& tenant) const {
  store::TrustRecords records;
  if (asked_.trust) records = asked_.trust->records();
  if (!asked_.trust || asked_.trust->tenant(tenant, asked_.at) == nullptr) {
    Tenant assumed;
    assumed.code = tenant;
    assumed.zone = "UTC";
    for (const auto& type : validator_.content_types())
      assumed.content_types.push_back(type.type + "/" + type.version);
    records.tenants.push_back(std::move(assumed));
  }
  return std::make_shared<const trust::TrustSnapshot>(std::move(records));
}

// The trust store's; without one, as if the certificate were enrolled for the tenant.
std::shared_ptr<const trust::TrustSnapshot> Explainer::trust_for_judgement() const {
  if (asked_.trust) return asked_.trust;
  const auto tenant = asked_.tenant.value_or(body_tenant());
  auto records = trust_for_content(tenant)->records();
  if (certificate_) records.enrolments.push_back(enrolment_of(*certificate_, tenant));
  return std::make_shared<const trust::TrustSnapshot>(std::move(records));
}

void Explainer::check_content() {
  if (!body_) {
    not_checked("content", "Content", "there is no Body");
    return;
  }
  const auto named = body_tenant();
  const auto tenant = asked_.tenant.value_or(named);
  if (asked_.tenant && *asked_.tenant != named) {
    add("tenant", "Tenant", Finding::bad,
        "the Body names tenantCode '" + excerpt(named) + "', not '" + *asked_.tenant + "'");
  } else {
    add("tenant", "Tenant", named.empty() ? Finding::bad : Finding::good,
        named.empty() ? "the Body has no urb:tenantCode" : "tenantCode " + excerpt(named));
  }
  const auto trust = trust_for_content(named);
  verify::Sender sender;
  sender.subject = certificate_ ? certificate_->subject() : "the sender";
  Enrolment enrolment;
  enrolment.tenant = named;
  sender.enrolments.push_back(std::move(enrolment));
  auto reading = validator_.read_along();
  const AssumedVerifier verifier(body_, std::move(sender), trust);
  const auto read = verifier.verify(raw_, asked_.at, reading);
  const auto content = read ? reading.conclude(*read) : Result<Content>(fail(read.error()));
  const bool rules = asked_.trust && asked_.trust->tenant(named, asked_.at) != nullptr;
  if (content) {
    auto& step =
        add("content", "Content", Finding::good,
            std::to_string(content->message_count) +
                (content->message_count == 1 ? " message, valid" : " messages, all valid") +
                " by the schemas and header rules");
    if (!rules) {
      step.more.emplace_back(
          "not checked: which content types and sources the tenant may send; use --data");
    }
    return;
  }
  const auto& error = content.error();
  auto& step =
      add("content", "Content", Finding::bad,
          error.violations.empty() ? error.detail
                                   : std::to_string(error.violations.size()) +
                                         (error.violations.size() == 1 ? " finding" : " findings"));
  for (const auto& each : error.violations) {
    step.more.push_back("message " + std::to_string(each.message_index) + ", line " +
                        std::to_string(each.line) + ", " + each.path + ": " + each.reason);
  }
  if (error.code == ErrorCode::content_type_unknown)
    step.hints.emplace_back("districtctl tenant list shows what each tenant may send");
  if (!error.hint.empty()) step.hints.push_back(error.hint);
}

Judgement Explainer::judgement_of(const verify::Verifier& verifier) const {
  auto reading = validator_.read_along();
  const auto verified = verifier.verify(raw_, asked_.at, reading);
  if (!verified) return {verified.error()};
  const auto content = reading.conclude(*verified);
  if (!content) return {content.error()};
  return {};
}

void Explainer::judge() {
  const auto trust = trust::Trust::fixed(trust_for_judgement());
  result_.server = judgement_of(verify::StreamVerifier(*trust, asked_.window));
  result_.auditor = judgement_of(TreeVerifier(*trust, asked_.window));
}

// The auditor's verifier has no tree to judge. The server's has read the header before it comes to
// what is wrong with the Body, and names what is wrong with the header first.
void Explainer::judge_unreadable(const Error& error) {
  result_.server.error = result_.auditor.error = error;
  const auto trust = trust::Trust::fixed(trust_for_judgement());
  Judgement server = judgement_of(verify::StreamVerifier(*trust, asked_.window));
  // Without a trust store every certificate passes for enrolled, so errors of trust do not count.
  const bool of_trust = server.error && (server.error->code == ErrorCode::authentication_failed ||
                                         server.error->code == ErrorCode::token_unavailable);
  if (asked_.trust || !of_trust) result_.server = std::move(server);
}

Explanation Explainer::run() {
  if (!read_envelope()) return std::move(result_);
  read_header();
  if (security_) {
    read_profile();
    find_key();
    describe_certificate();
    describe_enrolment();
    check_signature();
    check_references();
  }
  check_content();
  not_checked("replay", "Replay",
              "whether this signature was accepted before; the server accepts it once");
  judge();
  return std::move(result_);
}

}  // namespace

bool Explanation::agree() const { return server.error.has_value() == auditor.error.has_value(); }

bool Explanation::accepted() const {
  return !server.error && !auditor.error &&
         std::ranges::none_of(steps, [](const Step& s) { return s.finding == Finding::bad; });
}

Explanation explain(const Question& question, const validate::Validator& validator) {
  return Explainer(question, validator).run();
}

}  // namespace district::audit
