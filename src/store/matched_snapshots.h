// Archive and series as they are at one moment of the quantifier's work: what the archive says is
// quantified is in the series, and the series has nothing else.
// Threads: as their Databases.
#pragma once

#include "base/error.h"
#include "store/read_snapshot.h"

namespace district::store {

class MatchedSnapshots {
 public:
  // Waits a little while the archive has not been told yet of what the series has.
  // Errors: archive_unavailable (also: they do not match, or not for long enough), archive_corrupt.
  static Result<MatchedSnapshots> take(ArchiveDatabase& archive, SeriesDatabase& series);

 private:
  MatchedSnapshots(ReadSnapshot archive, ReadSnapshot series)
      : archive_(std::move(archive)), series_(std::move(series)) {}
  ReadSnapshot archive_, series_;
};

}  // namespace district::store
