// The trust that requests are judged by, and when it is read again.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "store/database.h"
#include "trust/snapshot.h"

namespace district::trust {

// Trust is kept in memory, so that no verification waits for
// the database. What it allows may be out of date: an append finds that out and says trust_changed.
// What it forbids must not be: whoever is about to refuse asks refresh() first. So a change by
// districtctl, or by another node, acts on the next request.
// Threads: any.
class Trust {
 public:
  // Keeps its own connection to the database, and reads all. Errors: as of
  // store::ArchiveDatabase::open, and of refresh().
  static Result<std::unique_ptr<Trust>> open(const store::Location& location, store::OpenMode mode);
  // This snapshot and no other, without a database.
  static std::unique_ptr<Trust> fixed(std::shared_ptr<const TrustSnapshot> snapshot);

  // As it was read last. Never waits for the database.
  std::shared_ptr<const TrustSnapshot> snapshot() const;
  // As it is in the database, read again where its epoch has moved. Callers that wait for each
  // other share one look at the database. Errors: archive_unavailable, archive_corrupt.
  Result<std::shared_ptr<const TrustSnapshot>> refresh();

 private:
  explicit Trust(std::unique_ptr<store::ArchiveDatabase> database)
      : database_(std::move(database)) {}
  // Looks at the database are numbered, as they begin.
  std::atomic<std::uint64_t> looks_begun_{0};
  std::mutex database_mutex_;                         // of the next two; taken before the other one
  std::unique_ptr<store::ArchiveDatabase> database_;  // null: current_ is fixed
  std::uint64_t last_good_look_ = 0;
  mutable std::mutex current_mutex_;
  std::shared_ptr<const TrustSnapshot> current_;
};

}  // namespace district::trust
