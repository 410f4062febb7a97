// The work items that this node has taken. They are leased while it works on them, and finished in
// the archive when the series has their results.
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

  // Looks up which items an earlier run noted as done and told the archive. The series may forget
  // these.
  Result<Ok> remember_told();

  // Takes at most `limit` items, the oldest first. Gives their leaf indexes.
  Result<std::vector<std::uint64_t>> take(std::size_t limit);
  // To be called now and then during work that may take longer than the lease, but not while the
  // lock of the series is held. Errors: archive_unavailable also when another node has taken over.
  Result<Ok> keep_lease();
  // Whether the item was done before without the archive being told. If so, it is told now.
  Result<bool> was_done(std::uint64_t leaf_index);
  // Tells the archive that the series has committed the results of these items, under this mark.
  Result<Ok> finish(std::span<const std::uint64_t> leaf_indexes, const store::SeriesMark& mark);
  void let_go(std::uint64_t leaf_index) { std::erase(leased_, leaf_index); }

  // Makes the series forget the items that the archive was told of. With a writer, that is part of
  // the transaction whose commit precedes finish(); without, it is a transaction of its own.
  Result<Ok> forget_told(store::SeriesWriter& writer);
  Result<Ok> forget_told();

 private:
  store::WorkQueue queue_;
  store::SeriesDatabase& series_;
  const Clock& clock_;
  std::vector<std::uint64_t> leased_, told_;
  std::size_t forgetting_ = 0;  // how many of told_ the current transaction forgets
  std::chrono::steady_clock::time_point renewed_;
};

}  // namespace district::quantify
