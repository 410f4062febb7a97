// The raw envelope on its way through the pipeline. A large one is compressed and stored ahead, in
// transactions of its own, while the verifier reads it; it is removed again unless it is appended.
// docs/adr/0010-staging-and-dictionary.md.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <vector>

#include "base/error.h"
#include "model/envelope.h"
#include "store/ledger.h"

namespace district::archive {

// Where the chunks of large envelopes go: the archive's committing thread. Threads: any.
class Staging {
 public:
  virtual ~Staging() = default;
  // Adds chunks to what is staged; gives what is staged then. Errors: archive_unavailable.
  virtual std::future<Result<store::StagedRaw>> stage(store::StagedRaw staged,
                                                      std::vector<Bytes> chunks) = 0;
  // Removes what is staged, soon.
  virtual void discard(std::uint64_t raw_id) = 0;
  // A whole envelope is on its way to append(): a commit may wait a little for it. Or no more.
  virtual void announce() = 0;
  virtual void withdraw() = 0;
  // For reading what is staged.
  virtual Result<std::unique_ptr<store::ArchiveDatabase>> open_to_read() = 0;
  virtual int compression_level() const = 0;
};

class StagingSource;

// Made by Archive::keep(); must not outlive the archive. One that was moved from holds nothing, and
// may only be destroyed or assigned to. Threads: one at a time.
class Evidence {
 public:
  Evidence(RawEnvelope raw, Staging& staging);
  Evidence(Evidence&&) noexcept;
  Evidence& operator=(Evidence&& other) noexcept;  // `other` holds what this one held
  ~Evidence();                                     // what was staged and not appended is removed

  // The envelope to be verified. Where it has a `rest`, nothing is stored before the first call of
  // rest->next(); whoever reads a large one on to the end has it stored. Errors of rest->next():
  // those of the rest that it was made with, and archive_unavailable.
  const RawEnvelope& raw() const { return raw_; }

  // raw() can be read once more: from what is staged. Errors: internal (it was not read to its
  // end).
  Result<Ok> rewind();

  // One that has been read to its end, and turned out not to be large, has all of its octets in
  // raw() from here on. Errors: internal (it was not read to its end).
  Result<Ok> settle();

  std::uint64_t size() const;  // octets of the whole; known at the end of its rest

 private:
  friend class Archive;
  // Null for one that is not large. Errors: internal (it was not read to its end).
  Result<const store::StagedRaw*> staged();
  void set_appended();  // what is staged belongs to an envelope of the archive now

  RawEnvelope raw_;
  Staging* staging_;
  bool announced_ = false;
  std::shared_ptr<StagingSource> source_;  // null: whole
};

}  // namespace district::archive
