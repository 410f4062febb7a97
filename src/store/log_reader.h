// Reads the transparency log: its leaves, and its head after each commit.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one LogReader per thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "crypto/merkle.h"
#include "model/log_entry.h"
#include "store/database.h"

namespace district::store {

class LogReader {
 public:
  explicit LogReader(ArchiveDatabase& archive) : db_(archive) {}

  Result<LogHead> head();  // of the whole log
  Result<std::vector<LogHead>> heads(std::uint64_t after_size,
                                     std::size_t limit);  // one a commit
  Result<std::optional<LogHead>> head_of_size(std::uint64_t tree_size);
  Result<crypto::MerkleFrontier> frontier();
  Result<std::vector<LogEntry>> entries(std::uint64_t from, std::size_t limit);

 private:
  ArchiveDatabase& db_;
};

}  // namespace district::store
