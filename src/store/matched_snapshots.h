// Snapshots of archive and series that agree: the series has the values of each envelope that the
// archive calls quantified, and of no other.
// Threads: as their Databases.
#pragma once

#include "base/error.h"
#include "store/read_snapshot.h"

namespace district::store {

class MatchedSnapshots {
 public:
  // Waits up to 5 s if the series is ahead of what the archive has been told.
  // Errors: archive_unavailable (also: they do not match, or not for long enough), archive_corrupt.
  static Result<MatchedSnapshots> take(ArchiveDatabase& archive, SeriesDatabase& series);

 private:
  MatchedSnapshots(ReadSnapshot archive, ReadSnapshot series)
      : archive_(std::move(archive)), series_(std::move(series)) {}
  ReadSnapshot archive_, series_;
};

}  // namespace district::store
