// Stage 4: keeps the raw envelope as evidence, durably, with its leaf of the log and the
// quantifier's work item, in one transaction that is shared with whoever else is waiting.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "archive/evidence.h"
#include "base/error.h"
#include "base/time.h"
#include "base/unique_function.h"
#include "model/batch.h"
#include "model/envelope.h"
#include "model/receipt.h"
#include "store/location.h"
#include "verify/verifier.h"

namespace district::archive {

struct Settings {
  store::Location location = store::Location::scratch();
  std::size_t group_max = 64;    // envelopes in one commit
  std::size_t queue_max = 1024;  // envelopes waiting; beyond it: overloaded
  int compression_level = 1;     // zstd's; more costs time and saves little
};

class Archive {
 public:
  // Opens (or makes) the database and starts the thread that commits. What an earlier run staged
  // and did not append is removed in the background. Errors: archive_foreign, archive_unavailable,
  // file_unreadable.
  static Result<std::unique_ptr<Archive>> open(Settings settings, const Clock& clock);
  ~Archive();  // commits what is waiting, then stops

  // The evidence of an envelope that is to be verified. Threads: any number at once.
  Evidence keep(RawEnvelope raw);

  // What is done when an envelope is durable on disk, or is known not to become so. It gets the
  // evidence back.
  // Errors: message_replayed (with the first copy), trust_changed (rewind, verify again),
  // overloaded, archive_unavailable (nothing of it is stored; or it is not known whether it is,
  // because the disk failed in the middle of the commit: then the same octets are accepted later,
  // or are a replay).
  using Durable = UniqueFunction<void(Evidence, Result<Receipt>)>;

  // Takes the envelope to be committed, and does not wait for the commit. A large one has been read
  // to its end. `durable` is called once. Where the envelope cannot be taken, that is at once. Else
  // it is the committing thread that calls, and all envelopes wait until the call returns, so it
  // must be short. Threads: any number at once.
  void append(Evidence evidence, const verify::VerifiedEnvelope& verified, const Content& content,
              Durable durable);

  // Called after each commit, from the committing thread: wakes the quantifier. Returns when no
  // call of the one before is under way, so that what it uses may then end. `wake` must not block.
  void on_commit(std::function<void()> wake);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::archive
