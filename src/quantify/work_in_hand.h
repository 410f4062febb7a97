// The work items that this node has taken: leased while it is at work on them, and finished in the
// archive once the series has what came of them.
// Private to quantify/. Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "store/database.h"
#include "store/series_writer.h"
#include "store/work_queue.h"

namespace district::quantify {

class WorkInHand {
 public:
  // Keeps references to all three.
  WorkInHand(store::ArchiveDatabase& archive, store::SeriesDatabase& series, std::string node,
             const Clock& clock)
      : queue_(archive, std::move(node)), series_(series), clock_(clock) {}

  // What an earlier run noted as done, and the archive was told of: the series may forget it.
  Result<Ok> remember_told();

  // Takes items, oldest first, at most so many. Gives their leaf indexes.
  Result<std::vector<std::uint64_t>> take(std::size_t limit);
  // To be called on the way through what may take longer than the lease. Must not be called while
  // the lock of the series is held. Errors: archive_unavailable also when another node has taken
  // over.
  Result<Ok> keep_lease();
  // Whether the item was done before and the archive was not told; then it is told now.
  Result<bool> was_done(std::uint64_t leaf_index);
  // The series has all of it, under this mark, and has committed that: the archive is told.
  Result<Ok> finish(std::span<const std::uint64_t> leaf_indexes, const store::SeriesMark& mark);
  void let_go(std::uint64_t leaf_index) { std::erase(leased_, leaf_index); }

  // The series forgets what the archive was told of: in the transaction whose commit finish() is
  // called after, or in one of its own.
  Result<Ok> forget_told(store::SeriesWriter& writer);
  Result<Ok> forget_told();

 private:
  store::WorkQueue queue_;
  store::SeriesDatabase& series_;
  const Clock& clock_;
  std::vector<std::uint64_t> leased_, told_;
  std::size_t forgetting_ = 0;  // the first of told_, in the transaction that is under way
  std::chrono::steady_clock::time_point renewed_;
};

}  // namespace district::quantify
