#include "audit/signer_steps.h"

#include <algorithm>
#include <string>
#include <utility>

#include "trust/snapshot.h"
#include "verify/header_facts.h"
#include "verify/key_reference.h"
#include "verify/near_miss.h"
#include "verify/security_policy.h"
#include "xml/namespaces.h"

namespace district::audit {
namespace {

namespace ns = xml::ns;
using xml::Element;

std::string key_text(const crypto::PublicKey& key) {
  if (key.family() == KeyFamily::rsa) return "RSA " + std::to_string(key.bits());
  return "ECDSA " + key.curve();
}

// Whether the reference, to a certificate that is not in the message, names the one that was given.
void hold_against_given(ExaminedMessage& message, Element key_info, const std::string& form) {
  const auto name = verify::named_key(key_info);
  if (!name) return;
  store::TrustRecords records;
  records.enrolments.push_back(assumed_enrolment(*message.certificate, {}));
  const trust::TrustSnapshot alone(std::move(records));
  if (verify::read_key_reference(key_info, message.security, alone)) {
    message.steps.add("key", "Key reference", Finding::good, form + ". It names --certificate");
    return;
  }
  auto near = verify::near_miss(*name, {*message.certificate});
  auto& step = message.steps.add("key", "Key reference", Finding::bad,
                                 form + ". It does not name --certificate" +
                                     (near.explanation.empty() ? "" : ": " + near.explanation));
  if (!near.hint.empty()) step.hints.push_back(std::move(near.hint));
}

// Several certificates have the same key when one was renewed with it. The server takes the first
// one that may sign now and fits the digests, so this one is explained.
const crypto::Certificate& signer_among(const std::vector<crypto::Certificate>& candidates,
                                        const ExaminedMessage& message) {
  const crypto::Certificate* trusted = nullptr;
  const crypto::Certificate* known = nullptr;
  for (const auto& candidate : candidates) {
    if (!message.asked.trust) break;
    const auto* enrolled = message.asked.trust->find_by_sha256(candidate.sha256());
    if (enrolled == nullptr) continue;
    if (known == nullptr) known = &candidate;
    if (message.asked.trust->active(*enrolled, message.asked.at).empty()) continue;
    if (trusted == nullptr) trusted = &candidate;
    const auto fits = [&](const xml::SignedReference& reference) {
      return xml::verify_digest(reference, candidate.der()).has_value();
    };
    if (message.parts && std::ranges::all_of(message.parts->references, fits)) return candidate;
  }
  return trusted != nullptr ? *trusted : known != nullptr ? *known : candidates.front();
}

void find_key(ExaminedMessage& message) {
  const Element key_info =
      message.signature ? message.signature.child(ns::kDs, "KeyInfo") : Element{};
  if (!key_info) {
    message.steps.not_checked("key", "Key reference", "there is no ds:Signature with a ds:KeyInfo");
    return;
  }
  const trust::TrustSnapshot nobody{store::TrustRecords{}};
  const auto form = verify::describe_key_reference(key_info, message.security);
  const auto found = verify::find_certificates(key_info, message.security,
                                               message.asked.trust ? *message.asked.trust : nobody);
  if (found) {
    message.certificate = signer_among(found->candidates, message);
    if (const auto path = verify::check_issuers(*found); path) {
      message.steps.add("key", "Key reference", Finding::good, form);
    } else {
      message.steps.add_error("key", "Key reference", path.error());
    }
    if (message.asked.certificate &&
        message.asked.certificate->sha256() != message.certificate->sha256()) {
      message.steps.add("key", "Key reference", Finding::note,
                        "the message refers to another certificate than --certificate, " +
                            to_hex(message.asked.certificate->sha256()).substr(0, 16));
    }
    return;
  }
  message.certificate = message.asked.certificate;
  if (found.error().code == ErrorCode::token_unavailable && !message.asked.trust &&
      !message.certificate) {
    message.steps
        .add(
            "key", "Key reference", Finding::not_checked,
            form +
                ". The message has no certificate in it, and there is no trust store to find it in")
        .hints.emplace_back("give --data or --config, or the signer's --certificate");
    return;
  }
  if (message.asked.trust || found.error().code != ErrorCode::token_unavailable)
    message.steps.add_error("key", "Key reference", found.error());
  if (message.certificate) hold_against_given(message, key_info, form);
}

void describe_certificate(ExaminedMessage& message) {
  if (!message.certificate) {
    message.steps.not_checked("certificate", "Certificate", "none was found");
    return;
  }
  const auto& it = *message.certificate;
  const bool in_time = it.not_before() <= message.asked.at && message.asked.at <= it.not_after();
  const auto strength = crypto::check_strength(it.public_key());
  auto& step = message.steps.add(
      "certificate", "Certificate",
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

void describe_enrolment(ExaminedMessage& message) {
  if (!message.asked.trust) {
    message.steps.not_checked("enrolment", "Enrolment",
                              "no trust store; use --data or --config on the server's machine");
    return;
  }
  if (!message.certificate) {
    message.steps.not_checked("enrolment", "Enrolment", "no certificate was found");
    return;
  }
  const bool sha1 = message.parts && message.parts->signature_algorithm == xml::alg::kRsaSha1;
  const auto active =
      verify::check_trust(*message.asked.trust, *message.certificate, sha1, message.asked.at);
  if (!active) {
    message.steps.add_error("enrolment", "Enrolment", active.error());
    return;
  }
  std::string tenants;
  bool meant = !message.asked.tenant;
  for (const auto& enrolment : *active) {
    tenants += (tenants.empty() ? "" : ", ") + enrolment.tenant;
    meant = meant || enrolment.tenant == *message.asked.tenant;
  }
  auto& step = message.steps.add("enrolment", "Enrolment", meant ? Finding::good : Finding::bad,
                                 "enrolled for tenant " + tenants);
  if (!meant) {
    step.text += ", not for tenant " + *message.asked.tenant;
    step.hints.push_back("districtctl enrol --tenant " + *message.asked.tenant + " CERT.pem");
  }
}

}  // namespace

void explain_signer(ExaminedMessage& message) {
  find_key(message);
  describe_certificate(message);
  describe_enrolment(message);
}

}  // namespace district::audit
