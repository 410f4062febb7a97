#include "acknowledge/acknowledger.h"

#include <utility>

#include "xml/signed_envelope.h"

namespace district::acknowledge {

Acknowledger::Acknowledger(SigningIdentity rsa, SigningIdentity ecdsa, const BodyWriter& writer,
                           const Clock& clock)
    : rsa_(std::move(rsa)), ecdsa_(std::move(ecdsa)), writer_(writer), clock_(clock) {}

const SigningIdentity& Acknowledger::identity_for(const verify::Sender& sender) const {
  return sender.family == KeyFamily::ecdsa ? ecdsa_ : rsa_;
}

Result<std::string> Acknowledger::sign_body(std::string_view body, const verify::Sender& sender,
                                            SoapVersion version) const {
  const SigningIdentity& identity = identity_for(sender);
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
