// What is written of envelopes: the append that a receipt rests on, replay keys, and the octets of
// large envelopes that are staged ahead of it. Each operation is a transaction of its own that
// holds the lock of the log, so that another engine can do it in its own way. Threads: one Ledger
// per thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/receipt.h"
#include "model/stored_envelope.h"
#include "store/database.h"
#include "store/transaction.h"

namespace district::store {

// The octets of a large envelope that are stored ahead of the rest of it.
struct StagedRaw {
  std::uint64_t raw_id = 0;  // 0: nothing yet
  std::uint64_t chunk_count = 0;
  std::uint64_t stored_size = 0;
};

// Who stages, and until when nobody else may remove it.
struct StagingLease {
  std::string node;
  Instant until{};
};

struct NewEnvelope {
  std::string receipt_id;
  Instant received_at{};
  std::string tenant;
  Sha256Digest certificate_sha256{};
  std::string signature_method;  // its URI
  Sha256Digest replay_key{};
  Instant created{};              // as signed: part of the replay key
  Instant replay_until{};         // after this the window refuses it anyway
  std::uint64_t trust_epoch = 0;  // that verify judged by
  std::uint64_t message_count = 0;
  std::string source;  // messageSourceElement of the first message, for listings
  std::string content_type, content_encoding, soap_action;
  std::uint64_t raw_size = 0;
  Sha256Digest payload_digest{};  // of the raw envelope
  Bytes raw_zstd;                 // the raw envelope, compressed; or else it is
  std::optional<StagedRaw> staged;
  std::string log_entry;  // canonical JSON of its leaf
};

struct Replayed {
  FirstCopy first;
};
// Verify must judge again: trust has changed since it did, or it was so long ago that the replay
// key of an earlier copy may be forgotten.
struct TrustChanged {
  std::optional<Instant> forgotten_until{};  // in the latter case: keys that end before it
};
using AppendOutcome = std::variant<Receipt, Replayed, TrustChanged>;

// A replay key that is not forgotten.
struct KeptKey {
  Instant created{};  // the epoch: an earlier version has not recorded it
  Sha256Digest replay_key{};
  std::uint64_t leaf_index = 0;  // of its envelope
};

class Ledger {
 public:
  explicit Ledger(ArchiveDatabase& archive) : db_(archive) {}

  // All of the group in one transaction: for each envelope the replay key, raw, leaf, root and work
  // item; tree size and root of a receipt are those after the group. An envelope that is a replay
  // (of an earlier one or of one of this group) adds nothing, nor does one whose trust_epoch is
  // past: no envelope has a leaf after its signer's revocation. Some of the replay keys that have
  // expired, both by `now` and by every received_at of the group, are pruned: a clock that jumps
  // ahead by itself makes nothing be forgotten. Where it is set back afterwards, what may have been
  // forgotten is refused (TrustChanged), also by later processes and under a window that was
  // widened. Errors, for the whole group: archive_unavailable, archive_corrupt (the log's frontier
  // and head disagree), internal (one that cannot be stored, e.g. what it staged is gone). Nothing
  // is stored then, unless the commit itself failed: what became of it resolve() tells.
  Result<std::vector<AppendOutcome>> append(std::span<const NewEnvelope> group, Instant now);

  // The receipt of what is stored under a replay key, for the time that it is kept.
  Result<std::optional<Receipt>> resolve(const Sha256Digest& replay_key, Instant created);
  // Replay keys that end before it may be forgotten: later than now when the clock was set back.
  Result<Instant> replay_horizon();
  // Whether a key that was made then and kept until then may have been forgotten.
  Result<bool> may_have_forgotten(Instant created, Instant replay_until);
  Result<std::vector<KeptKey>> kept_keys();
  // Stores chunks of a large envelope, in order, in one transaction; `staged` counts them. Until it
  // is appended it is the node's, which says so anew with each call: until lease_until.
  // Errors: archive_unavailable; then these chunks are not stored.
  Result<Ok> stage(StagedRaw& staged, std::span<const Bytes> chunks, const StagingLease& lease);
  // Removes some of what was staged and never appended, in one short transaction; false: nothing is
  // left of it. What was appended stays. Errors: archive_unavailable.
  Result<bool> discard(std::uint64_t raw_id);
  // What is staged and not appended: under way, or left over by a crash.
  Result<std::vector<std::uint64_t>> staged();
  // Of that, what a node that starts may discard: its own, and what a node that is gone has left.
  Result<std::vector<std::uint64_t>> orphans(std::string_view node, Instant now);

 private:
  ArchiveDatabase& db_;
};

// Keeps what an administrator stated, whose leaf has been appended (store/log_writer.h).
Result<Ok> put_site_import(LogTransaction& transaction, const SiteImport& import);

}  // namespace district::store
