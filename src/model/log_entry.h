// Leaves and heads of the transparency log, as they are stored.
// Source: RFC 9162 section 2.1.
// Threads: values, any.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace district {

struct LogEntry {
  std::uint64_t leaf_index = 0;
  Sha256Digest leaf_hash{};
  std::string entry;
};

struct LogHead {
  std::uint64_t tree_size = 0;
  Sha256Digest root_hash{};
};

}  // namespace district
