// Envelopes, replay keys and the log: operations with their
// transaction, so that another database can take SQLite's place (docs/adr).
// Threads: one ArchiveStore per thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "crypto/merkle.h"
#include "model/receipt.h"
#include "store/database.h"

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

// What is stored of an envelope, without its octets.
struct StoredEnvelope {
  std::uint64_t leaf_index = 0;
  std::string receipt_id;
  Instant received_at{};
  std::string tenant;
  Sha256Digest certificate_sha256{};
  std::string signature_method;
  std::uint64_t message_count = 0;
  std::string source;
  std::string content_type, content_encoding, soap_action;
  std::uint64_t raw_size = 0, stored_size = 0;
  Sha256Digest payload_digest{};
  std::uint64_t tree_size = 0;            // as in its receipt
  bool quantified = false;                // its work item is done
  std::optional<std::uint64_t> raw_id{};  // of a large envelope, whose octets were staged
};

struct EnvelopeFilter {
  std::optional<std::string> tenant{};
  std::optional<Instant> from{}, to{};        // of received_at, half-open
  std::optional<std::uint64_t> after_leaf{};  // for paging
  std::optional<Sha256Digest> signer{};       // its certificate
  bool newest_first = false;                  // else in leaf order
  std::size_t limit = 1000;
};

struct LogEntry {
  std::uint64_t leaf_index = 0;
  Sha256Digest leaf_hash{};
  std::string entry;
};
struct LogHead {
  std::uint64_t tree_size = 0;
  Sha256Digest root_hash{};
};

// A replay key that is not forgotten.
struct KeptKey {
  Instant created{};  // the epoch: an earlier version has not recorded it
  Sha256Digest replay_key{};
  std::uint64_t leaf_index = 0;  // of its envelope
};

// What an administrator stated by 'site import'; the statements as JSON.
struct SiteImport {
  std::uint64_t leaf_index = 0;
  std::string tenant;
  std::string statements;
};

class ArchiveStore {
 public:
  explicit ArchiveStore(ArchiveDatabase& database) : db_(database) {}

  // All of the group in one transaction: for each envelope the replay key, raw, leaf, root and work
  // item; tree size and root of a receipt are those after the group. An envelope that is a replay
  // (of an earlier one or of one of this group) adds nothing, nor does one whose trust_epoch is
  // past or whose signer was revoked after its received_at: no envelope has a leaf after its
  // signer's revocation. Some of the replay keys that have expired, both by `now` and by every
  // received_at of the group, are pruned: a clock that jumps ahead by itself makes nothing be
  // forgotten. Where it is set back afterwards, what may have been forgotten is refused
  // (TrustChanged), also by later processes and under a window that was widened. Errors, for the
  // whole group: archive_unavailable, archive_corrupt (the log's frontier and head disagree),
  // internal (one that cannot be stored, e.g. what it staged is gone). Nothing is stored then,
  // unless the commit itself failed: what became of it resolve() tells.
  Result<std::vector<AppendOutcome>> append(std::span<const NewEnvelope> group, Instant now);

  Result<std::vector<KeptKey>> kept_keys();
  // Whether a key that was made then and kept until then may have been forgotten.
  Result<bool> may_have_forgotten(Instant created, Instant replay_until);
  // Replay keys that end before it may be forgotten: later than now when the clock was set back.
  Result<Instant> replay_horizon();
  // The receipt of what is stored under a replay key, for the time that it is kept.
  Result<std::optional<Receipt>> resolve(const Sha256Digest& replay_key, Instant created);

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

  Result<std::vector<StoredEnvelope>> list(const EnvelopeFilter& filter);
  Result<StoredEnvelope> find(std::string_view receipt_id);  // not_found
  Result<std::optional<StoredEnvelope>> of_leaf(std::uint64_t leaf_index);

  Result<std::vector<SiteImport>> site_imports();  // by leaf_index
  Result<std::optional<SiteImport>> site_import(std::uint64_t leaf_index);
  // The chunk of that number of its compressed octets; what follows the last one is empty.
  Result<Bytes> raw_chunk(const StoredEnvelope& envelope, std::uint64_t chunk_index);
  Result<Bytes> staged_chunk(std::uint64_t raw_id, std::uint64_t chunk_index);
  // What its chunks are, wherever they lie: those of an intact one are stored_size octets in all.
  struct StoredChunks {
    std::uint64_t count = 0, octets = 0;
    bool elsewhere = false;  // a large one has chunks where only small ones belong
  };
  Result<StoredChunks> stored_chunks(const StoredEnvelope& envelope);
  // What is said of the octets of large envelopes and would make them another's, or be removed as a
  // left-over; a line each, at most 100.
  Result<std::vector<std::string>> stray_octets();

  Result<LogHead> log_head();  // of the whole log
  Result<std::vector<LogHead>> log_heads(std::uint64_t after_size,
                                         std::size_t limit);  // one a commit
  Result<std::optional<LogHead>> log_head_of_size(std::uint64_t tree_size);
  Result<crypto::MerkleFrontier> log_frontier();
  Result<std::vector<LogEntry>> log_entries(std::uint64_t from, std::size_t limit);

 private:
  ArchiveDatabase& db_;
};

// Writes one leaf and its head; gives its index.
Result<std::uint64_t> append_log_leaf(LogTransaction& transaction, std::string_view entry,
                                      Instant now);
// Keeps what an administrator stated, whose leaf has been appended.
Result<Ok> put_site_import(LogTransaction& transaction, const SiteImport& import);

}  // namespace district::store
