#include "audit/explanation.h"

#include <algorithm>
#include <utility>

#include "audit/content_steps.h"
#include "audit/envelope_steps.h"
#include "audit/signature_steps.h"
#include "audit/signer_steps.h"
#include "audit/steps.h"
#include "audit/tree_verifier.h"
#include "trust/trust.h"
#include "verify/stream_verifier.h"

namespace district::audit {
namespace {

// The given trust. Without any, the certificate is taken to be enrolled for the tenant.
std::shared_ptr<const trust::TrustSnapshot> trust_for_judgement(
    const ExaminedMessage& message, const validate::Validator& validator) {
  if (message.asked.trust) return message.asked.trust;
  const auto tenant = message.asked.tenant.value_or(body_tenant(message));
  auto records = trust_for_content(message, validator, tenant)->records();
  if (message.certificate)
    records.enrolments.push_back(assumed_enrolment(*message.certificate, tenant));
  return std::make_shared<const trust::TrustSnapshot>(std::move(records));
}

Judgement judgement_of(const ExaminedMessage& message, const validate::Validator& validator,
                       const verify::Verifier& verifier) {
  auto reading = validator.read_along();
  const auto verified = verifier.verify(message.raw, message.asked.at, reading);
  if (!verified) return {verified.error()};
  const auto content = reading.conclude(*verified);
  if (!content) return {content.error()};
  return {};
}

void judge(const ExaminedMessage& message, const validate::Validator& validator,
           Explanation& result) {
  const auto trust = trust::Trust::fixed(trust_for_judgement(message, validator));
  result.server =
      judgement_of(message, validator, verify::StreamVerifier(*trust, message.asked.window));
  result.auditor =
      judgement_of(message, validator, TreeVerifier(trust->snapshot(), message.asked.window));
}

// The octets cannot be parsed, so the auditor's verifier has no tree to judge. The server's
// verifier reads the header before it comes to the fault in the Body, so it names a fault of the
// header first.
void judge_unreadable(const ExaminedMessage& message, const validate::Validator& validator,
                      const Error& error, Explanation& result) {
  result.server.error = result.auditor.error = error;
  const auto trust = trust::Trust::fixed(trust_for_judgement(message, validator));
  Judgement server =
      judgement_of(message, validator, verify::StreamVerifier(*trust, message.asked.window));
  // Without trust every certificate passes for enrolled, so errors of trust do not count.
  const bool of_trust = server.error && (server.error->code == ErrorCode::authentication_failed ||
                                         server.error->code == ErrorCode::token_unavailable);
  if (message.asked.trust || !of_trust) result.server = std::move(server);
}

// Takes the steps in their order, and judges.
void examine(ExaminedMessage& message, const validate::Validator& validator, Explanation& result) {
  if (const auto read = explain_transport(message); !read) {
    result.server.error = result.auditor.error = read.error();
    return;
  }
  if (const auto read = explain_xml(message); !read)
    return judge_unreadable(message, validator, read.error(), result);
  explain_header(message);
  if (message.security) {
    explain_profile(message);
    explain_signer(message);
    explain_signature_value(message);
    explain_references(message);
  }
  explain_content(message, validator);
  message.steps.not_checked(
      "replay", "Replay", "whether this signature was accepted before; the server accepts it once");
  judge(message, validator, result);
}

}  // namespace

bool Explanation::agree() const { return server.error.has_value() == auditor.error.has_value(); }

bool Explanation::accepted() const {
  return !server.error && !auditor.error &&
         std::ranges::none_of(steps, [](const Step& s) { return s.finding == Finding::bad; });
}

Explanation explain(const RequestToExplain& request, const validate::Validator& validator) {
  ExaminedMessage message{request, {}, {}, {}, {}, {}, {}, {}, {}, {}};
  Explanation result;
  examine(message, validator, result);
  result.soap_version = message.raw.soap_version;
  result.steps = message.steps.take();
  return result;
}

}  // namespace district::audit
