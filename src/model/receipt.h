// What the archive gives back for an envelope, and the gateway keeps as proof.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace district {

struct Receipt {
  std::string receipt_id;  // ULID
  Instant received_at{};
  std::uint64_t message_count = 0;
  Sha256Digest payload_digest{};  // of the raw envelope
  std::uint64_t leaf_index = 0;   // in the transparency log, from 0
  std::uint64_t tree_size = 0;    // of the log after the commit
  Sha256Digest root_hash{};       // of the log after the commit, RFC 9162 section 2.1
};

}  // namespace district
