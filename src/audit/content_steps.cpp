#include "audit/content_steps.h"

#include <utility>

#include "verify/verifier.h"
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

}  // namespace

std::string body_tenant(const ExaminedMessage& message) {
  const Element request =
      message.body ? message.body.child(ns::kUrb, "AggregateMessageRequest") : Element{};
  const Element code = request ? request.child(ns::kUrb, "tenantCode") : Element{};
  return code ? code.trimmed_text() : std::string();
}

std::shared_ptr<const trust::TrustSnapshot> trust_for_content(const ExaminedMessage& message,
                                                              const validate::Validator& validator,
                                                              const std::string& tenant) {
  store::TrustRecords records;
  if (message.asked.trust) records = message.asked.trust->records();
  if (!message.asked.trust || message.asked.trust->tenant(tenant) == nullptr) {
    Tenant assumed;
    assumed.code = tenant;
    assumed.zone = "UTC";
    for (const auto& type : validator.content_types())
      assumed.content_types.push_back(type.type + "/" + type.version);
    records.tenants.push_back(std::move(assumed));
  }
  return std::make_shared<const trust::TrustSnapshot>(std::move(records));
}

void explain_content(ExaminedMessage& message, const validate::Validator& validator) {
  if (!message.body) {
    message.steps.not_checked("content", "Content", "there is no Body");
    return;
  }
  const auto named = body_tenant(message);
  const auto tenant = message.asked.tenant.value_or(named);
  if (message.asked.tenant && *message.asked.tenant != named) {
    message.steps.add(
        "tenant", "Tenant", Finding::bad,
        "the Body names tenantCode '" + excerpt(named) + "', not '" + *message.asked.tenant + "'");
  } else {
    message.steps.add(
        "tenant", "Tenant", named.empty() ? Finding::bad : Finding::good,
        named.empty() ? "the Body has no urb:tenantCode" : "tenantCode " + excerpt(named));
  }
  const auto trust = trust_for_content(message, validator, named);
  verify::Sender sender;
  sender.subject = message.certificate ? message.certificate->subject() : "the sender";
  Enrolment enrolment;
  enrolment.tenant = named;
  sender.enrolments.push_back(std::move(enrolment));
  auto reading = validator.read_along();
  const AssumedVerifier verifier(message.body, std::move(sender), trust);
  const auto read = verifier.verify(message.raw, message.asked.at, reading);
  const auto content = read ? reading.conclude(*read) : Result<Content>(fail(read.error()));
  const bool rules = message.asked.trust && message.asked.trust->tenant(named) != nullptr;
  if (content) {
    auto& step = message.steps.add(
        "content", "Content", Finding::good,
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
  auto& step = message.steps.add(
      "content", "Content", Finding::bad,
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

}  // namespace district::audit
