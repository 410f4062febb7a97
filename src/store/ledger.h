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

// Octets of a large envelope that are stored while it arrives, before it is appended.
struct StagedRaw {
  std::uint64_t raw_id = 0;  // 0: nothing yet
  std::uint64_t chunk_count = 0;
  std::uint64_t stored_size = 0;
};

// Who stages, and until when no other node may remove what is staged.
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
  Instant replay_until{};         // from then on its timestamp has expired
  std::uint64_t trust_epoch = 0;  // of the trust by which it was verified
  std::uint64_t message_count = 0;
  std::string source;  // messageSourceElement of the first message, for listings
  std::string content_type, content_encoding, soap_action;
  std::uint64_t raw_size = 0;
  Sha256Digest payload_digest{};  // of the raw envelope
  Bytes raw_zstd;                 // the raw envelope, compressed; empty if it is
  std::optional<StagedRaw> staged;
  std::string log_entry;  // canonical JSON of its leaf
};

struct Replayed {
  FirstCopy first;
};
// The envelope must be verified again: trust has changed since it was, or that was so long ago that
// the replay key of an earlier copy may be forgotten.
struct TrustChanged {
  std::optional<Instant> forgotten_until{};  // the latter: keys may be gone that end before it
};
using AppendOutcome = std::variant<Receipt, Replayed, TrustChanged>;

// A replay key that is not forgotten.
struct KeptKey {
  Instant created{};  // 1970 where an earlier version has not recorded it
  Sha256Digest replay_key{};
  std::uint64_t leaf_index = 0;  // of its envelope
};

class Ledger {
 public:
  explicit Ledger(ArchiveDatabase& archive) : db_(archive) {}

  // Stores the group in one transaction: for each envelope its replay key, octets, leaf and work
  // item, and one head of the log. All receipts of the group name the tree size and root after it.
  // Nothing is stored of an envelope that is a replay, of an earlier one or of one in this group.
  // Nor of one that was verified by an earlier trust_epoch, so no envelope has a leaf after its
  // signer's revocation. The append also removes some expired replay keys. They must have expired
  // by `now` and by every received_at of the group, so a clock that jumps ahead alone removes none.
  // If the clock is set back later, an envelope whose key may be gone gets TrustChanged; that holds
  // after a restart and with a longer window too. Errors, for the whole group: archive_unavailable,
  // archive_corrupt (the log's frontier and head disagree), internal (e.g. staged octets are gone).
  // Nothing is stored then. After a failed commit resolve() tells whether the group is stored.
  Result<std::vector<AppendOutcome>> append(std::span<const NewEnvelope> group, Instant now);

  // The receipt of the envelope with that replay key, for as long as the key is kept.
  Result<std::optional<Receipt>> resolve(const Sha256Digest& replay_key, Instant created);
  // Replay keys that end before this may be gone. It is after now if the clock was set back.
  Result<Instant> replay_horizon();
  // Whether the replay key of an envelope with these times may have been removed already.
  Result<bool> may_have_forgotten(Instant created, Instant replay_until);
  Result<std::vector<KeptKey>> kept_keys();
  // Stores the next chunks of a large envelope in one transaction; `staged` counts them. They are
  // leased to the node until the envelope is appended, and each call renews the lease.
  // Errors: archive_unavailable; then these chunks are not stored.
  Result<Ok> stage(StagedRaw& staged, std::span<const Bytes> chunks, const StagingLease& lease);
  // Removes some of the chunks that were staged but never appended, in one short transaction. False
  // when none is left. Chunks of an appended envelope stay. Errors: archive_unavailable.
  Result<bool> discard(std::uint64_t raw_id);
  // Each raw_id that is staged and not appended: under way, or left over from a crash.
  Result<std::vector<std::uint64_t>> staged();
  // Those of them that a starting node may discard: its own, and those whose lease has ended.
  Result<std::vector<std::uint64_t>> orphans(std::string_view node, Instant now);

 private:
  ArchiveDatabase& db_;
};

// Stores an import of master data whose leaf has been appended (store/log_writer.h).
Result<Ok> put_site_import(LogTransaction& transaction, const SiteImport& import);

}  // namespace district::store
