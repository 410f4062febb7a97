// A receipt as a gateway keeps it, one JSON object per line: docs/reference/district-gateway.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::log {

// A member that the gateway does not have is not set: when it sends an envelope again, the server
// confirms it without its place in the log.
struct HeldReceipt {
  std::string receipt_id;
  Instant received_at{};
  Sha256Digest payload_digest{};
  std::optional<std::uint64_t> message_count, leaf_index, tree_size;
  std::optional<Sha256Digest> root_hash;
};

// Errors: admin_invalid, saying what cannot be read.
Result<HeldReceipt> read_held_receipt(std::string_view line);

// A line that was cut while it was written, by a full disk or a loss of power, together with what
// was written after it on the same line.
struct TornLine {
  std::string receipt_id;             // as much of it as is there; may be empty
  std::optional<HeldReceipt> behind;  // a whole receipt that the next run wrote after it
};
TornLine read_torn_line(std::string_view line);

}  // namespace district::log
