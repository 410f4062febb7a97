// What the quantifier has still to do: a row of the archive for each envelope, and each import of
// master data, until its work is done. Work is leased, so that several nodes may take from one
// queue. Each function is a transaction of its own, and a short one: receipts wait for it.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one WorkQueue per thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/database.h"
#include "store/series_reader.h"
#include "store/transaction.h"

namespace district::store {

class WorkQueue {
 public:
  // `node`: who takes, renews and finishes. Times are of the caller's clock.
  WorkQueue(ArchiveDatabase& archive, std::string node) : db_(archive), node_(std::move(node)) {}

  // Leaf indexes, oldest first. Others are kept off them until the lease ends. What this node still
  // holds from before comes again: it takes only when it has nothing in hand. A lease that ends
  // later than one from now is from before the clock was set back, and keeps nobody off.
  Result<std::vector<std::uint64_t>> take(std::size_t limit, Instant now, Duration lease);
  // For work that takes long. false: another node holds some of it by now.
  Result<bool> extend(std::span<const std::uint64_t> leaf_indexes, Instant now, Duration lease);
  // All of it is in the series, which had this mark then.
  Result<Ok> finish(std::span<const std::uint64_t> leaf_indexes, const SeriesMark& mark);

  // Part of the caller's transaction, for what comes in no envelope; it is this node's until then.
  Result<Ok> add(LogTransaction& transaction, std::uint64_t leaf_index, Instant lease_until);

  Result<std::uint64_t> waiting();
  Result<bool> is_waiting(std::uint64_t leaf_index);
  // Items of leaves that are neither an envelope's nor an import's; a line each, at most 100.
  Result<std::vector<std::string>> strays();
  // The mark of the series that finished work has gone into; an empty identity: none is finished.
  Result<SeriesMark> finished_into();
  // Everything is to be done again, into the series of this mark. Gives the number of items.
  Result<std::uint64_t> begin_anew(const SeriesMark& mark);

 private:
  ArchiveDatabase& db_;
  std::string node_;
};

// Whether the series holds what the archive has told it to be done with, and nothing else. A new,
// empty series is made to: then everything is work again. Gives the number of items that are to be
// done again, most often 0. Errors: archive_foreign (it is another archive's, older than the
// archive, or goes beyond it), and those above.
Result<std::uint64_t> match_series(ArchiveDatabase& archive, SeriesDatabase& series);

}  // namespace district::store
