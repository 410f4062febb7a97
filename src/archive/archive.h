// Stage 4: keeps the raw envelope as evidence, durably, with its leaf of the log and the
// quantifier's work item, in one transaction that is shared with whoever else is waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/envelope.h"
#include "model/receipt.h"
#include "verify/verifier.h"

namespace district::archive {

struct Settings {
  std::string database_path;
  std::size_t group_max = 64;    // envelopes in one commit
  std::size_t queue_max = 1024;  // envelopes waiting; beyond it: overloaded
  int compression_level = 3;     // zstd
};

class Archive {
 public:
  // Opens (or makes) the database and starts the thread that commits.
  // Errors: archive_foreign, archive_unavailable, file_unreadable.
  static Result<std::unique_ptr<Archive>> open(Settings settings, const Clock& clock);
  ~Archive();  // commits what is waiting, then stops

  // Returns when the envelope is durable on disk.
  // Errors: message_replayed (with the first copy), trust_changed (verify again), overloaded,
  // archive_unavailable (nothing of it is stored).
  // Threads: any number at once.
  Result<Receipt> append(const RawEnvelope& raw, const verify::VerifiedEnvelope& verified,
                         const Content& content);

  // Called after each commit, from the committing thread: wakes the quantifier. Returns when no
  // call of the one before is under way, so that what it uses may then end. `wake` must not block.
  void on_commit(std::function<void()> wake);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Stored octets to the raw envelope and back. Errors: archive_corrupt.
Result<Bytes> compress(ByteView raw, int level);
Result<Bytes> decompress(ByteView stored, std::uint64_t raw_size);

}  // namespace district::archive
