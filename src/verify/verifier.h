// Stage 2: WS-Security on a raw envelope. The interface; audit/tree_verifier.h implements it.
// Source: WSS SOAP Message Security 1.1.1, X.509 Token Profile 1.1, contract.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "model/envelope.h"
#include "model/trust.h"
#include "xml/document.h"

namespace district::verify {

// Who signed, and how: what the answer and the archive need to know of it.
struct Sender {
  Sha256Digest certificate_sha256{};
  std::string subject;
  KeyFamily family = KeyFamily::rsa;
  std::string signature_method;       // URI of the SignatureMethod
  std::string signature_value;        // base64 as the request has it, white space removed
  std::vector<Enrolment> enrolments;  // of the certificate, active at the time of verification
  bool used_sha1 = false;
};

// The signed parts of one envelope. Only a Verifier can make one, so a function that takes a
// VerifiedEnvelope cannot be handed unsigned data by mistake.
class VerifiedEnvelope {
 public:
  const Sender& sender() const { return sender_; }
  // The document that was verified, and its signed Body: the very node that the signature covers.
  const xml::Document& document() const { return *document_; }
  xml::Element body() const { return body_; }
  const Sha256Digest& payload_digest() const { return payload_digest_; }  // of the raw octets
  // What the signature means, whatever its spelling: SHA-256 over the signed canonical SignedInfo
  // and the signer's public key.
  const Sha256Digest& replay_key() const { return replay_key_; }
  Instant created() const { return created_; }
  Instant acceptable_until() const { return acceptable_until_; }
  Instant verified_at() const { return verified_at_; }
  std::uint64_t trust_epoch() const { return trust_epoch_; }

 private:
  friend class Verifier;
  VerifiedEnvelope() = default;
  Sender sender_;
  std::shared_ptr<const xml::Document> document_;
  xml::Element body_;
  Sha256Digest payload_digest_{};
  Sha256Digest replay_key_{};
  Instant created_{}, acceptable_until_{}, verified_at_{};
  std::uint64_t trust_epoch_ = 0;
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  // Errors: xml_malformed to must_understand (1001 to 1006), 2001 to 2008. The error's detail is
  // for the administrator; the sender gets the fixed text of the code. Threads: any number at once.
  virtual Result<VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now) const = 0;

 protected:
  struct Parts {
    Sender sender;
    std::shared_ptr<const xml::Document> document;
    xml::Element body;
    Sha256Digest payload_digest{}, replay_key{};
    Instant created{}, acceptable_until{}, verified_at{};
    std::uint64_t trust_epoch = 0;
  };
  static VerifiedEnvelope make(Parts parts);
};

}  // namespace district::verify
