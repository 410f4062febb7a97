// Checks WS-Security on a tree by xmlsec1, locked down. It is the auditor's verifier, and the
// oracle of the tests. It takes about 12 times the envelope's size in memory, since it parses all
// of it first.
#pragma once

#include "base/error.h"
#include "trust/snapshot.h"
#include "verify/security_policy.h"
#include "verify/verifier.h"

namespace district::audit {

class TreeVerifier final : public verify::Verifier {
 public:
  // Reads the whole envelope into memory, and judges by this trust.
  TreeVerifier(verify::TrustPtr trust, verify::Window window)
      : trust_(std::move(trust)), window_(window) {}

  Result<verify::VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                          verify::BodyReader& reader) const override;

 private:
  const verify::TrustPtr trust_;
  verify::Window window_;
};

}  // namespace district::audit
