// Stage 5: the signed answer. Receipts to those whose envelope is durable, signed faults to those
// who have authenticated, plain faults to all others.
// Source: docs/reference/contract.md sections 7 and 8; WSS 1.1 section 8.5.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "model/envelope.h"
#include "model/receipt.h"
#include "verify/verifier.h"

namespace district::acknowledge {

// Writes Body contents as canonical text; soap/ implements it with gSOAP.
// Threads: any.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  virtual Result<std::string> receipt(const Receipt& receipt) const = 0;
  // `with_detail`: violations and the first copy too, for authenticated senders only.
  virtual Result<std::string> fault(SoapVersion version, const Error& error,
                                    std::string_view rejection_id, bool with_detail) const = 0;
  // Prefixes that a fault uses in the text of its code only: exclusive C14N keeps their
  // declarations if the Body is signed with this PrefixList.
  static std::vector<std::string> inclusive_prefixes() { return {"urb", "wsse", "wsu"}; }
};

struct SigningIdentity {
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

// One for each family of keys that clients sign with.
struct SigningIdentities {
  SigningIdentity rsa, ecdsa;
};

class Acknowledger {
 public:
  Acknowledger(SigningIdentities identities, const BodyWriter& writer, const Clock& clock);

  // Signs with others from now on. Threads: any, as of all of it.
  void renew(SigningIdentities identities);

  // The whole response envelope, signed in the family of the request's signature.
  // Errors: signing_failed.
  Result<std::string> sign(const Receipt& receipt, const verify::Sender& sender,
                           SoapVersion version) const;
  // `sender`: null unless authenticated; then signed and with detail.
  std::string fault(const Error& error, std::string_view rejection_id, SoapVersion version,
                    const verify::Sender* sender) const;

 private:
  Result<std::string> sign_body(std::string_view body, const verify::Sender& sender,
                                SoapVersion version) const;
  std::shared_ptr<const SigningIdentities> identities() const;
  mutable std::mutex mutex_;
  std::shared_ptr<const SigningIdentities> identities_;
  const BodyWriter& writer_;
  const Clock& clock_;
};

}  // namespace district::acknowledge
