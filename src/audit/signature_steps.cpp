#include "audit/signature_steps.h"

#include <string>
#include <vector>

#include "audit/signature_hints.h"
#include "base/diagnosis.h"
#include "base/limits.h"
#include "trust/snapshot.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

namespace ns = xml::ns;
using xml::Element;

void check_reference(ExaminedMessage& message, Element element, std::size_t number) {
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
  if (!message.parts || message.parts->references.size() < number) {
    message.steps.not_checked("reference", "Reference",
                              of + ": its digest is not computed, the signature's form is wrong");
    return;
  }
  const auto& reference = message.parts->references[number - 1];
  const std::string what = reference.element == message.body ? "the Body"
                           : reference.element == message.security.child(ns::kWsu, "Timestamp")
                               ? "the Timestamp"
                               : "a " + excerpt(reference.element.name());
  const auto verified = xml::verify_digest(
      reference, message.certificate ? ByteView(message.certificate->der()) : ByteView());
  if (verified) {
    message.steps.add(
        "reference", "Reference", Finding::good,
        what + ", " + of + ": the " + short_name(reference.digest_algorithm) + " digest matches");
    return;
  }
  const auto facts = diagnosis_of(verified.error());
  auto& step =
      message.steps.add("reference", "Reference", Finding::bad,
                        what + ", " + of + ": the " + short_name(reference.digest_algorithm) +
                            " digest does not match");
  step.more.push_back("in the signature  " + facts.expected_digest);
  step.more.push_back("of what is here   " + facts.computed_digest);
  step.more.push_back("rule: " + facts.rule);
  step.hints = explain_digest(reference, message.ids);
}

std::vector<crypto::Certificate> other_certificates(const ExaminedMessage& message) {
  std::vector<crypto::Certificate> others;
  if (message.asked.certificate) others.push_back(*message.asked.certificate);
  if (!message.asked.trust) return others;
  for (const auto& enrolment : message.asked.trust->records().enrolments) {
    const auto* known = message.asked.trust->find_by_sha256(enrolment.certificate_sha256);
    if (known != nullptr) others.push_back(known->certificate);
  }
  return others;
}

}  // namespace

void explain_signature_value(ExaminedMessage& message) {
  if (!message.parts || !message.certificate) {
    message.steps.not_checked(
        "signature", "Signature",
        message.parts ? "no certificate was found" : "the signature's form is wrong");
    return;
  }
  const auto info = xml::canonical_signed_info(*message.parts);
  const auto verified =
      info ? xml::verify_signed_info(*info, *message.parts, message.certificate->public_key())
           : Result<Ok>(fail(info.error()));
  if (verified) {
    message.steps.add("signature", "Signature", Finding::good,
                      "the signature over SignedInfo verifies with the certificate's key");
    return;
  }
  auto& step = message.steps.add_error("signature", "Signature", verified.error());
  const auto hints =
      explain_signature(*message.parts, *message.certificate, other_certificates(message));
  step.hints.insert(step.hints.end(), hints.begin(), hints.end());
}

void explain_references(ExaminedMessage& message) {
  const Element info =
      message.signature ? message.signature.child(ns::kDs, "SignedInfo") : Element{};
  if (!info) {
    message.steps.not_checked("reference", "Reference", "there is no ds:SignedInfo");
    return;
  }
  std::size_t number = 0;
  for (const Element child : info.children()) {
    if (child.is(ns::kDs, "Reference") && number < limits::kSignedReferencesMax)
      check_reference(message, child, ++number);
  }
  if (number == 0)
    message.steps.add("reference", "Reference", Finding::bad, "SignedInfo has no ds:Reference");
}

}  // namespace district::audit
