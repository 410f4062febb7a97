// What the archive holds of one envelope, read back and checked: the raw octets against their
// digest, the leaf against the tree.
// Threads: one reader per thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/envelope.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"

namespace district::audit {

// The raw envelope as the receiving stage made it, as a whole: its octets, once their digest and
// size are found to be the recorded ones, with media type, charset and SOAP version.
// Errors: archive_corrupt, archive_unavailable, and those of receive::make_raw_envelope.
Result<RawEnvelope> raw_envelope(store::ArchiveReader& archive, const StoredEnvelope& envelope);

// The proof that an envelope's leaf is in the tree whose size and root its receipt states.
struct InclusionProof {
  std::uint64_t leaf_index = 0;
  Sha256Digest leaf_hash{};
  std::string entry;  // canonical JSON that the leaf is the hash of
  std::uint64_t tree_size = 0;
  Sha256Digest root_hash{};        // as recorded for that size
  std::vector<Sha256Digest> path;  // from the leaf up; RFC 9162 section 2.1.3.1
};

// Reads every leaf of that tree. Errors: archive_corrupt when the leaves do not give the root.
Result<InclusionProof> prove_inclusion(store::LogReader& log, const StoredEnvelope& envelope);

}  // namespace district::audit
