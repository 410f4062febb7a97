// Adds leaves to the log and one head for all of them, inside a transaction.
// The tree is never an authority in memory: a writer lives as long as its transaction.
// Threads: as its Database.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "crypto/merkle.h"
#include "model/log_entry.h"
#include "store/database.h"
#include "store/transaction.h"

namespace district::store {

// The stored frontier. Errors: archive_corrupt, archive_unavailable.
Result<crypto::MerkleFrontier> read_frontier(ArchiveDatabase& database);

class LogWriter {
 public:
  // Reads where the log stands and checks that frontier and last head agree.
  // Errors: archive_corrupt, archive_unavailable.
  static Result<LogWriter> begin(LogTransaction& transaction);

  std::uint64_t size() const { return frontier_.size; }
  Result<std::uint64_t> append(std::string_view entry);  // gives its leaf index
  // Writes frontier and head; once, before the commit, when there was at least one append.
  Result<LogHead> finish(Instant now);

 private:
  LogWriter(ArchiveDatabase& database, crypto::MerkleFrontier frontier)
      : database_(&database), frontier_(std::move(frontier)) {}
  ArchiveDatabase* database_;
  crypto::MerkleFrontier frontier_;
};

// Writes one leaf and its head; gives its index.
Result<std::uint64_t> append_log_leaf(LogTransaction& transaction, std::string_view entry,
                                      Instant now);

}  // namespace district::store
