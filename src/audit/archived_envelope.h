// Reads an envelope back from the archive, and checks it: the raw octets against their digest, the
// leaf against the tree.
// Threads: one reader per thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/envelope.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"

namespace district::audit {

// The whole raw envelope as the receiving stage made it, with media type, charset and SOAP version.
// Its octets have been found to have the recorded digest and size.
// Errors: archive_corrupt, archive_unavailable, and those of receive::make_raw_envelope.
Result<RawEnvelope> raw_envelope(store::ArchiveReader& archive, const StoredEnvelope& envelope);

// The proof that an envelope's leaf is in the tree whose size and root its receipt states.
struct InclusionProof {
  std::uint64_t leaf_index = 0;
  Sha256Digest leaf_hash{};
  std::string entry;  // canonical JSON, whose hash is the leaf
  std::uint64_t tree_size = 0;
  Sha256Digest root_hash{};        // as recorded for that size
  std::vector<Sha256Digest> path;  // from the leaf up; RFC 9162 section 2.1.3.1
};

// Reads every leaf of that tree. Errors: archive_corrupt when the root that follows from them is
// another.
Result<InclusionProof> prove_inclusion(store::LogReader& log, const StoredEnvelope& envelope);

}  // namespace district::audit
