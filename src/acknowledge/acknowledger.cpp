#include "acknowledge/acknowledger.h"

#include <utility>

#include "xml/signed_envelope.h"

namespace district::acknowledge {

Acknowledger::Acknowledger(SigningIdentities identities, const BodyWriter& writer,
                           const Clock& clock)
    : identities_(std::make_shared<const SigningIdentities>(std::move(identities))),
      writer_(writer),
      clock_(clock) {}

void Acknowledger::renew(SigningIdentities identities) {
  auto renewed = std::make_shared<const SigningIdentities>(std::move(identities));
  const std::lock_guard lock(mutex_);
  identities_ = std::move(renewed);
}

std::shared_ptr<const SigningIdentities> Acknowledger::identities() const {
  const std::lock_guard lock(mutex_);
  return identities_;
}

Result<std::string> Acknowledger::sign_body(std::string_view body, const verify::Sender& sender,
                                            SoapVersion version) const {
  const auto identities = this->identities();
  const SigningIdentity& identity =
      sender.family == KeyFamily::ecdsa ? identities->ecdsa : identities->rsa;
  xml::EnvelopeToSign envelope;
  envelope.version = version;
  envelope.body_content = body;
  envelope.inclusive_prefixes = BodyWriter::inclusive_prefixes();
  envelope.created = clock_.now();
  envelope.confirmations = {sender.signature_value};
  DISTRICT_TRY(auto text, xml::write_signed_envelope(envelope, identity.certificate, identity.key));
  return std::move(text.envelope);
}

Result<std::string> Acknowledger::sign(const Receipt& receipt, const verify::Sender& sender,
                                       SoapVersion version) const {
  DISTRICT_TRY(const std::string body, writer_.receipt(receipt));
  return sign_body(body, sender, version);
}

std::string Acknowledger::fault(const Error& error, std::string_view rejection_id,
                                SoapVersion version, const verify::Sender* sender) const {
  auto body = writer_.fault(version, error, rejection_id, sender != nullptr);
  // A fault must always go out: without its body, as an empty answer with the HTTP status.
  if (!body) return {};
  if (sender != nullptr) {
    if (auto text = sign_body(*body, *sender, version)) return std::move(*text);
  }
  return xml::write_plain_envelope(version, *body);
}

}  // namespace district::acknowledge
