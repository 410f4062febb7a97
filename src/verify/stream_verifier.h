// The server's verifier: reads the envelope once, as a stream, whatever its size. The sender is
// known before the Body is read; the Body's canonical octets are digested while the reader is told
// its elements, from the same events of the same parser.
#pragma once

#include "base/error.h"
#include "trust/trust.h"
#include "verify/security_policy.h"
#include "verify/unverified.h"
#include "verify/verifier.h"

namespace district::verify {

class StreamVerifier final : public Verifier {
 public:
  // Keeps a reference: the trust must outlive the verifier.
  StreamVerifier(trust::Trust& trust, Window window) : trust_(trust), window_(window) {}

  Result<VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                  BodyReader& reader) const override;

 private:
  trust::Trust& trust_;
  const Window window_;
  mutable UnverifiedBodies unverified_;
  mutable OctetsUnderWay under_way_;
};

}  // namespace district::verify
