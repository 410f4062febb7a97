// What the archive has of an envelope, without its octets, and what an administrator stated.
// Threads: values, any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace district {

// What is stored of an envelope, without its octets.
struct StoredEnvelope {
  std::uint64_t leaf_index = 0;
  std::string receipt_id;
  Instant received_at{};
  std::string tenant;
  Sha256Digest certificate_sha256{};
  std::string signature_method;
  std::uint64_t message_count = 0;
  std::string source;
  std::string content_type, content_encoding, soap_action;
  std::uint64_t raw_size = 0, stored_size = 0;
  Sha256Digest payload_digest{};
  std::uint64_t tree_size = 0;            // as in its receipt
  bool quantified = false;                // its work item is done
  std::optional<std::uint64_t> raw_id{};  // of a large envelope, whose octets were staged
};

// What an administrator stated by 'site import'; the statements as JSON.
struct SiteImport {
  std::uint64_t leaf_index = 0;
  std::string tenant;
  std::string statements;
};

}  // namespace district
