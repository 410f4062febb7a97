// Stage 2: WS-Security on a raw envelope. The interface: stream_verifier.h is the server's, audit/
// has a second one for auditors.
// Source: WSS SOAP Message Security 1.1.1, X.509 Token Profile 1.1, docs/reference/contract.md
// section 5.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/envelope.h"
#include "model/trust.h"
#include "trust/snapshot.h"
#include "xml/element_handler.h"

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
  // For the diagnosis of what is rejected later.
  Instant created{}, expires{}, judged_at{};
  std::string key_reference;
};

using TrustPtr = std::shared_ptr<const trust::TrustSnapshot>;

// Reads the signed Body along with the verifier, which tells it the Body element and what is in it.
// Nothing is known to be signed before the verifier has given a VerifiedEnvelope: until then a
// reader keeps its results to itself.
class BodyReader : public xml::ElementHandler {
 public:
  // Before the Body: the header is good, and this is who signed it.
  virtual void begin(const Sender& sender, const TrustPtr& trust, Instant now) = 0;
};

// For those who want to know of the signature only.
class NoReader final : public BodyReader {
 public:
  void begin(const Sender&, const TrustPtr&, Instant) override {}
  void start_element(const xml::StartTag&) override {}
  void text(std::string_view) override {}
  void end_element() override {}
};

// That an envelope's signed parts are what its signer signed. Only a Verifier can make one, so a
// function that takes a VerifiedEnvelope cannot be handed unsigned data by mistake.
class VerifiedEnvelope {
 public:
  const Sender& sender() const { return parts_.sender; }
  const Sha256Digest& payload_digest() const { return parts_.payload_digest; }  // of the raw octets
  std::uint64_t payload_size() const { return parts_.payload_size; }            // octets
  // What the signature means, whatever its spelling: SHA-256 over the signed canonical SignedInfo
  // and the signer's public key.
  const Sha256Digest& replay_key() const { return parts_.replay_key; }
  Instant created() const { return parts_.created; }
  Instant acceptable_until() const { return parts_.acceptable_until; }
  Instant verified_at() const { return parts_.verified_at; }
  const trust::TrustSnapshot& trust() const { return *parts_.trust; }  // that it was judged by
  // Whether this reader was told its Body, and none other since.
  bool was_read_by(const BodyReader& reader) const { return parts_.reader == &reader; }

 private:
  friend class Verifier;
  struct Parts {
    Sender sender;
    Sha256Digest payload_digest{}, replay_key{};
    std::uint64_t payload_size = 0;
    Instant created{}, acceptable_until{}, verified_at{};
    TrustPtr trust;
    const BodyReader* reader = nullptr;
  };
  explicit VerifiedEnvelope(Parts parts) : parts_(std::move(parts)) {}
  Parts parts_;
};

class Verifier {
 public:
  virtual ~Verifier() = default;
  // `reader`: one for each call. It has read the whole Body when the result is good.
  // Errors: xml_malformed to must_understand (1001 to 1006), 2001 to 2008, overloaded; those of
  // raw.rest. The error's detail is for the administrator; the sender gets the fixed text of the
  // code. Threads: any number at once.
  virtual Result<VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                          BodyReader& reader) const = 0;

 protected:
  using Parts = VerifiedEnvelope::Parts;
  static VerifiedEnvelope make(Parts parts) { return VerifiedEnvelope(std::move(parts)); }
};

}  // namespace district::verify
