// Verifies and validates a stored envelope again, as of its time of receipt.
// Threads: one Examination per thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "audit/comparison.h"
#include "base/error.h"
#include "model/batch.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "trust/snapshot.h"
#include "validate/validator.h"
#include "verify/security_policy.h"
#include "verify/verifier.h"

namespace district::audit {

class Examination {
 public:
  // Keeps references to database, trust and validator. Judges each envelope by the trust as of its
  // leaf.
  Examination(store::ArchiveDatabase& database, const trust::TrustSnapshot& trust,
              verify::Window window, const validate::Validator& validator)
      : archive_(database),
        log_(database),
        ledger_(database),
        trust_(trust),
        window_(window),
        validator_(validator) {}

  // Checks the octets against their digest, the row against the leaf, the signature, the signer and
  // the replay key. Appends what differs. nullopt: it does not verify.
  // Errors: archive_unavailable.
  Result<std::optional<verify::VerifiedEnvelope>> verify(const StoredEnvelope& envelope,
                                                         verify::BodyReader& reader,
                                                         std::vector<Difference>& differences);
  // Does the same and validates; gives what the envelope says. nullopt: it does not verify or is
  // not valid.
  Result<std::optional<Batch>> validate(const StoredEnvelope& envelope,
                                        std::vector<Difference>& differences);

 private:
  Result<Ok> check_leaf(const StoredEnvelope& envelope, std::vector<Difference>& differences);

  Result<Ok> check_chunks(const StoredEnvelope& envelope, std::vector<Difference>& differences);
  Result<Ok> check_replay_key(const StoredEnvelope& envelope,
                              const verify::VerifiedEnvelope& verified,
                              std::vector<Difference>& differences);

  store::ArchiveReader archive_;
  store::LogReader log_;
  store::Ledger ledger_;  // only asked
  // By leaf. Read when first needed.
  std::optional<std::multimap<std::uint64_t, store::KeptKey>> keys_;
  const trust::TrustSnapshot& trust_;
  const verify::Window window_;
  const validate::Validator& validator_;
};

}  // namespace district::audit
