// A receipt as a gateway keeps it, one JSON object a line: docs/reference/district-gateway.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::log {

// Members that the gateway does not have are not set: the server confirms an envelope that it had
// before without its place in the log.
struct HeldReceipt {
  std::string receipt_id;
  Instant received_at{};
  Sha256Digest payload_digest{};
  std::optional<std::uint64_t> message_count, leaf_index, tree_size;
  std::optional<Sha256Digest> root_hash;
};

// Errors: admin_invalid, saying what cannot be read.
Result<HeldReceipt> read_held_receipt(std::string_view line);

// A line that was cut when it was written, by a full disk or a lost supply of power, and with it
// whatever was written behind it on the same line.
struct TornLine {
  std::string receipt_id;             // of the torn receipt, as far as it is there; may be empty
  std::optional<HeldReceipt> behind;  // a whole receipt that the next run wrote behind it
};
TornLine read_torn_line(std::string_view line);

}  // namespace district::log
