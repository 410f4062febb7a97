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
  // `node` takes, renews and finishes. All times are by the caller's clock.
  WorkQueue(ArchiveDatabase& archive, std::string node) : db_(archive), node_(std::move(node)) {}

  // Leaf indexes, oldest first. No other node gets them until the lease ends. Items that this node
  // holds already are given again, so it takes only when it has nothing in hand. A lease that ends
  // later than `now + lease` is from before the clock was set back, and counts as ended.
  Result<std::vector<std::uint64_t>> take(std::size_t limit, Instant now, Duration lease);
  // Renews the lease, for work that takes long. false: another node has got some of it meanwhile.
  Result<bool> extend(std::span<const std::uint64_t> leaf_indexes, Instant now, Duration lease);
  // The series has the values of all of them, and this mark.
  Result<Ok> finish(std::span<const std::uint64_t> leaf_indexes, const SeriesMark& mark);

  // Adds an import, in the caller's transaction. It is leased to this node until `lease_until`.
  Result<Ok> add(LogTransaction& transaction, std::uint64_t leaf_index, Instant lease_until);

  Result<std::uint64_t> waiting();
  Result<bool> is_waiting(std::uint64_t leaf_index);
  // Items of leaves that are neither an envelope's nor an import's; a line each, at most 100.
  Result<std::vector<std::string>> strays();
  // The mark of the series that has all finished work; an empty identity if none is finished.
  Result<SeriesMark> finished_into();
  // All work is to be done again, into the series with this mark. Gives the number of items.
  Result<std::uint64_t> begin_anew(const SeriesMark& mark);

 private:
  ArchiveDatabase& db_;
  std::string node_;
};

// Checks that the series belongs to the archive and has all work that the archive calls finished,
// and no more. For a new, empty series all work is queued again. Gives the number of items queued
// again, usually 0. Errors: archive_foreign (the series is another archive's, older than this
// archive's state, or ahead of it), and those above.
Result<std::uint64_t> match_series(ArchiveDatabase& archive, SeriesDatabase& series);

}  // namespace district::store
