#include "audit/archived_envelope.h"

#include <algorithm>
#include <string>

#include "archive/stored_octets.h"
#include "crypto/merkle.h"
#include "receive/receive.h"

namespace district::audit {
namespace {

constexpr std::size_t kLeavesAtOnce = 4096;

tl::unexpected<Error> corrupt(const StoredEnvelope& envelope, const std::string& what) {
  return fail(ErrorCode::archive_corrupt, "envelope " + envelope.receipt_id + ": " + what,
              "restore the database from a backup; 'districtctl log verify' checks all of it");
}

Result<std::vector<LogEntry>> leaves(store::LogReader& log, std::uint64_t count) {
  std::vector<LogEntry> all;
  while (all.size() < count) {
    const auto wanted = std::min<std::uint64_t>(kLeavesAtOnce, count - all.size());
    DISTRICT_TRY(auto some, log.entries(all.size(), wanted));
    if (some.empty()) break;
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace

Result<RawEnvelope> raw_envelope(store::ArchiveReader& archive, const StoredEnvelope& envelope) {
  DISTRICT_TRY(auto octets, archive::read_octets(archive, envelope));
  const auto size = octets.size();
  // The stored octets are decoded already. So the coding is noted afterwards, and not undone a
  // second time.
  DISTRICT_TRY(auto raw, receive::make_raw_envelope({.content_type = envelope.content_type,
                                                     .content_encoding = {},
                                                     .soap_action = envelope.soap_action,
                                                     .peer = {},
                                                     .body = std::move(octets)},
                                                    size));
  DISTRICT_CHECK(receive::collect_rest(raw));  // the auditor's verifier needs the whole
  raw.content_encoding = envelope.content_encoding;
  return raw;
}

Result<InclusionProof> prove_inclusion(store::LogReader& log, const StoredEnvelope& envelope) {
  if (envelope.leaf_index >= envelope.tree_size) {
    return corrupt(envelope, "its leaf lies beyond the tree of its receipt");
  }
  DISTRICT_TRY(const auto heads, log.heads(envelope.tree_size - 1, 1));
  if (heads.empty() || heads.front().tree_size != envelope.tree_size) {
    return corrupt(envelope, "the log has no head for the tree size of its receipt");
  }
  DISTRICT_TRY(auto entries, leaves(log, envelope.tree_size));
  if (entries.size() != envelope.tree_size) {
    return corrupt(envelope, "the log has fewer leaves than the tree of its receipt");
  }
  std::vector<Sha256Digest> hashes;
  hashes.reserve(entries.size());
  for (const auto& entry : entries) hashes.push_back(entry.leaf_hash);
  auto& own = entries[envelope.leaf_index];
  InclusionProof proof{
      envelope.leaf_index,     own.leaf_hash,
      std::move(own.entry),    envelope.tree_size,
      heads.front().root_hash, crypto::inclusion_proof(hashes, envelope.leaf_index)};
  if (crypto::merkle_leaf_hash(as_bytes(proof.entry)) != proof.leaf_hash) {
    return corrupt(envelope, "its log entry does not match its leaf hash");
  }
  if (!crypto::verify_inclusion(proof.leaf_hash, proof.leaf_index, proof.tree_size, proof.path,
                                proof.root_hash)) {
    return corrupt(envelope, "the leaves of the log do not give the root of its receipt");
  }
  return proof;
}

}  // namespace district::audit
