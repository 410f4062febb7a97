#include "verify/verifier.h"

#include <utility>

namespace district::verify {

VerifiedEnvelope Verifier::make(Parts parts) {
  VerifiedEnvelope envelope;
  envelope.sender_ = std::move(parts.sender);
  envelope.document_ = std::move(parts.document);
  envelope.body_ = parts.body;
  envelope.payload_digest_ = parts.payload_digest;
  envelope.replay_key_ = parts.replay_key;
  envelope.created_ = parts.created;
  envelope.acceptable_until_ = parts.acceptable_until;
  envelope.verified_at_ = parts.verified_at;
  envelope.trust_epoch_ = parts.trust_epoch;
  return envelope;
}

}  // namespace district::verify
