// Writes a signed SOAP envelope straight as canonical text: the client's requests, the server's
// receipts and faults. No tree is built.
// Source: WSS 1.1 sections 7, 8, 10; XMLDSig 1.1. The order is that of docs/reference/contract.md
// section 7.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "model/envelope.h"

namespace district::xml {

struct EnvelopeToSign {
  SoapVersion version = SoapVersion::v11;
  // Content of the Body, in exclusive canonical form as it stands inside a Body that binds no
  // prefix but its own (soap, wsu).
  std::string_view body_content;
  // Prefixes that the content uses in values (the QName of a faultcode): they are signed too.
  std::vector<std::string> inclusive_prefixes;
  Instant created{};
  std::chrono::seconds lifetime{300};
  // Requests' signature values to confirm (WSS 1.1 section 8.5); none in requests.
  std::vector<std::string> confirmations;
};

struct SignedText {
  std::string envelope;         // UTF-8, without an XML declaration
  std::string signature_value;  // base64
};

// Timestamp, BinarySecurityToken, SignatureConfirmation, ds:Signature last; Timestamp, Body and
// confirmations signed with RSA-SHA256 or ECDSA-SHA256 after the key. Errors: signing_failed.
Result<SignedText> write_signed_envelope(const EnvelopeToSign& envelope,
                                         const crypto::Certificate& certificate,
                                         const crypto::PrivateKey& key);

// Envelope without security: for faults to those who have not authenticated.
std::string write_plain_envelope(SoapVersion version, std::string_view body_content);

}  // namespace district::xml
