#include "store/archive_store.h"

#include <algorithm>
#include <map>

#include "crypto/merkle.h"
#include "store/log_writer.h"

namespace district::store {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

// Columns of StoredEnvelope, in the order in which read_envelope takes them.
constexpr std::string_view kSelectEnvelope =
    "SELECT leaf_index, receipt_id, received_at, tenant, certificate_sha256, signature_method, "
    "message_count, source, content_type, content_encoding, soap_action, raw_size, stored_size, "
    "payload_digest, tree_size, "
    "NOT EXISTS (SELECT 1 FROM work_item WHERE work_item.leaf_index = envelope.leaf_index) "
    "FROM envelope WHERE ";

Result<StoredEnvelope> read_envelope(const Statement& row) {
  StoredEnvelope envelope;
  envelope.leaf_index = row.count(0);
  envelope.receipt_id = row.text(1);
  envelope.received_at = row.instant(2);
  envelope.tenant = row.text(3);
  DISTRICT_TRY(envelope.certificate_sha256, row.digest(4));
  envelope.signature_method = row.text(5);
  envelope.message_count = row.count(6);
  envelope.source = row.text(7);
  envelope.content_type = row.text(8);
  envelope.content_encoding = row.text(9);
  envelope.soap_action = row.text(10);
  envelope.raw_size = row.count(11);
  envelope.stored_size = row.count(12);
  DISTRICT_TRY(envelope.payload_digest, row.digest(13));
  envelope.tree_size = row.count(14);
  envelope.quantified = row.integer(15) != 0;
  return envelope;
}

// For the check of the log, which names what does not agree by its leaf.
Sha256Digest digest_or_zero(ByteView stored) { return to_digest(stored).value_or(Sha256Digest{}); }

Result<std::uint64_t> read_trust_epoch(Database& database) {
  DISTRICT_TRY(auto statement, database.prepare("SELECT epoch FROM trust_epoch WHERE id = 1"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) return fail(ErrorCode::archive_corrupt, database.path() + ": no trust epoch");
  return statement.count(0);
}

// Whether the signer was revoked after the instant by which verify judged. The epoch alone does not
// tell: verify may have taken its instant just before the revocation and its epoch just after.
Result<bool> revoked_since(Database& database, const NewEnvelope& envelope) {
  DISTRICT_TRY(auto statement,
               database.prepare("SELECT 1 FROM enrolment WHERE certificate_sha256 = ?1 "
                                "AND tenant = ?2 AND revoked_at > ?3"));
  return statement.bind(1, envelope.certificate_sha256)
      .bind(2, envelope.tenant)
      .bind(3, envelope.received_at)
      .step();
}

Result<Ok> insert_envelope(Database& database, const NewEnvelope& envelope,
                           std::uint64_t leaf_index, std::uint64_t tree_size) {
  DISTRICT_TRY(
      auto row,
      database.prepare(
          "INSERT INTO envelope (leaf_index, receipt_id, received_at, tenant, certificate_sha256, "
          "signature_method, trust_epoch, message_count, source, content_type, content_encoding, "
          "soap_action, raw_size, stored_size, payload_digest, tree_size) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"));
  row.bind(1, leaf_index).bind(2, envelope.receipt_id).bind(3, envelope.received_at);
  row.bind(4, envelope.tenant).bind(5, envelope.certificate_sha256);
  row.bind(6, envelope.signature_method).bind(7, envelope.trust_epoch);
  row.bind(8, envelope.message_count).bind(9, envelope.source).bind(10, envelope.content_type);
  row.bind(11, envelope.content_encoding).bind(12, envelope.soap_action);
  row.bind(13, envelope.raw_size).bind(14, envelope.raw_zstd.size());
  row.bind(15, envelope.payload_digest).bind(16, tree_size);
  return row.run();
}

Result<Ok> insert_chunks(Database& database, ByteView octets, std::uint64_t leaf_index) {
  DISTRICT_TRY(auto chunk,
               database.prepare("INSERT INTO raw_chunk (leaf_index, chunk_index, octets) "
                                "VALUES (?1, ?2, ?3)"));
  for (std::size_t i = 0; i * kChunkBytes < octets.size(); ++i) {
    const auto rest = octets.subspan(i * kChunkBytes);
    DISTRICT_CHECK(chunk.bind(1, leaf_index)
                       .bind(2, i)
                       .bind(3, rest.first(std::min(kChunkBytes, rest.size())))
                       .run());
  }
  return Ok{};
}

// Everything of one envelope but its leaf.
Result<Ok> insert_rows(Database& database, const NewEnvelope& envelope, std::uint64_t leaf_index,
                       std::uint64_t tree_size) {
  DISTRICT_CHECK(insert_envelope(database, envelope, leaf_index, tree_size));
  DISTRICT_CHECK(insert_chunks(database, envelope.raw_zstd, leaf_index));
  DISTRICT_TRY(auto replay,
               database.prepare("INSERT INTO replay (replay_key, replay_until, leaf_index) "
                                "VALUES (?1, ?2, ?3)"));
  DISTRICT_CHECK(
      replay.bind(1, envelope.replay_key).bind(2, envelope.replay_until).bind(3, leaf_index).run());
  DISTRICT_TRY(auto work, database.prepare("INSERT INTO work_item (leaf_index, lease_until) "
                                           "VALUES (?1, 0)"));
  return work.bind(1, leaf_index).run();
}

// Forgets replay keys whose time is over, at most `limit` of them.
Result<Ok> prune_replay(Database& database, Instant before, std::size_t limit) {
  DISTRICT_TRY(auto statement,
               database.prepare("DELETE FROM replay WHERE replay_key IN (SELECT replay_key FROM "
                                "replay WHERE replay_until < ?1 ORDER BY replay_until LIMIT ?2)"));
  return statement.bind(1, before).bind(2, limit).run();
}

}  // namespace

// What becomes of each envelope of the group: decided before anything is written, since receipts
// need the size of the tree after the whole group.
Result<std::vector<std::optional<AppendOutcome>>> ArchiveStore::decide(
    std::span<const NewEnvelope> group) {
  DISTRICT_TRY(const auto epoch, read_trust_epoch(db_));
  std::vector<std::optional<AppendOutcome>> outcomes(group.size());
  std::map<Sha256Digest, const NewEnvelope*> accepted;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& envelope = group[i];
    DISTRICT_TRY(auto stored, find_replay(envelope.replay_key));
    if (stored) {
      outcomes[i] = Replayed{*std::move(stored)};
      continue;
    }
    DISTRICT_TRY(const bool revoked, revoked_since(db_, envelope));
    if (envelope.trust_epoch != epoch || revoked || envelope.replay_until < pruned_until_) {
      outcomes[i] = TrustChanged{};
      continue;
    }
    const auto [first, is_new] = accepted.try_emplace(envelope.replay_key, &envelope);
    if (!is_new) {
      outcomes[i] = Replayed{
          {first->second->receipt_id, first->second->received_at, first->second->payload_digest}};
    }
  }
  return outcomes;
}

Result<std::vector<AppendOutcome>> ArchiveStore::append(std::span<const NewEnvelope> group,
                                                        Instant now) {
  DISTRICT_TRY(auto transaction, Transaction::begin(db_));
  DISTRICT_TRY(auto decided, decide(group));
  const auto additions =
      std::ranges::count_if(decided, [](const auto& outcome) { return !outcome; });
  std::vector<AppendOutcome> outcomes;
  if (additions == 0) {
    for (auto& outcome : decided) outcomes.push_back(*std::move(outcome));
    return outcomes;
  }

  DISTRICT_TRY(auto log, LogWriter::begin(db_));
  const auto tree_size = log.size() + static_cast<std::uint64_t>(additions);
  auto prune_before = now;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& envelope = group[i];
    prune_before = std::min(prune_before, envelope.received_at);
    if (decided[i]) {
      outcomes.push_back(*std::move(decided[i]));
      continue;
    }
    DISTRICT_TRY(const auto leaf_index, log.append(envelope.log_entry));
    DISTRICT_CHECK(insert_rows(db_, envelope, leaf_index, tree_size));
    outcomes.push_back(Receipt{envelope.receipt_id,
                               envelope.received_at,
                               envelope.message_count,
                               envelope.payload_digest,
                               leaf_index,
                               tree_size,
                               {}});
  }
  DISTRICT_TRY(const auto head, log.finish(now));
  for (auto& outcome : outcomes) {
    if (auto* receipt = std::get_if<Receipt>(&outcome)) receipt->root_hash = head.root_hash;
  }
  // More than a group can add, so that the table shrinks again after a burst.
  DISTRICT_CHECK(prune_replay(db_, prune_before, 2 * group.size() + 64));
  DISTRICT_CHECK(transaction.commit());
  pruned_until_ = std::max(pruned_until_, prune_before);
  return outcomes;
}

Result<std::optional<FirstCopy>> ArchiveStore::find_replay(const Sha256Digest& replay_key) {
  DISTRICT_TRY(auto statement,
               db_.prepare("SELECT receipt_id, received_at, payload_digest FROM replay "
                           "JOIN envelope USING (leaf_index) WHERE replay_key = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, replay_key).step());
  if (!row) return std::nullopt;
  DISTRICT_TRY(const auto digest, statement.digest(2));
  return FirstCopy{statement.text(0), statement.instant(1), digest};
}

Result<std::vector<StoredEnvelope>> ArchiveStore::list(const EnvelopeFilter& filter) {
  // By time or tenant the wanted leaves come from an index alone; only their rows are then read.
  const bool by_time = filter.from || filter.to;
  std::string_view which = "leaf_index >= ?1 ORDER BY leaf_index LIMIT ?2";
  if (filter.tenant) {
    which =
        "leaf_index IN (SELECT leaf_index FROM envelope INDEXED BY envelope_by_tenant "
        "WHERE tenant = ?5 AND received_at >= ?3 AND received_at < ?4 AND leaf_index >= ?1 "
        "ORDER BY leaf_index LIMIT ?2) ORDER BY leaf_index";
  } else if (by_time) {
    which =
        "leaf_index IN (SELECT leaf_index FROM envelope INDEXED BY envelope_by_time "
        "WHERE received_at >= ?3 AND received_at < ?4 AND leaf_index >= ?1 "
        "ORDER BY leaf_index LIMIT ?2) ORDER BY leaf_index";
  }
  DISTRICT_TRY(auto statement, db_.prepare(std::string(kSelectEnvelope).append(which)));
  statement.bind(1, filter.after_leaf ? *filter.after_leaf + 1 : 0).bind(2, filter.limit);
  if (filter.tenant || by_time) {
    statement.bind(3, filter.from.value_or(Instant::min()))
        .bind(4, filter.to.value_or(Instant::max()));
  }
  if (filter.tenant) statement.bind(5, *filter.tenant);
  std::vector<StoredEnvelope> envelopes;
  while (true) {
    DISTRICT_TRY(const bool row, statement.step());
    if (!row) return envelopes;
    DISTRICT_TRY(auto envelope, read_envelope(statement));
    envelopes.push_back(std::move(envelope));
  }
}

Result<StoredEnvelope> ArchiveStore::find(std::string_view receipt_id) {
  DISTRICT_TRY(auto statement, db_.prepare(std::string(kSelectEnvelope) + "receipt_id = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, receipt_id).step());
  if (!row) {
    return fail(ErrorCode::not_found, "no envelope " + std::string(receipt_id),
                "districtctl envelope list shows what there is");
  }
  return read_envelope(statement);
}

Result<Bytes> ArchiveStore::raw_zstd(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto envelope,
               db_.prepare("SELECT stored_size FROM envelope WHERE leaf_index = ?1"));
  DISTRICT_TRY(const bool there, envelope.bind(1, leaf_index).step());
  if (!there) {
    return fail(ErrorCode::not_found, "leaf " + std::to_string(leaf_index) + " is not an envelope");
  }
  const auto size = envelope.count(0);
  DISTRICT_TRY(auto chunk,
               db_.prepare("SELECT chunk_index, octets FROM raw_chunk WHERE leaf_index = ?1 "
                           "ORDER BY chunk_index"));
  chunk.bind(1, leaf_index);
  Bytes octets;
  std::uint64_t expected = 0;
  bool whole = true;
  while (true) {
    DISTRICT_TRY(const bool row, chunk.step());
    if (!row) break;
    whole = whole && chunk.count(0) == expected++;
    const auto piece = chunk.blob(1);
    octets.insert(octets.end(), piece.begin(), piece.end());
  }
  if (!whole || octets.size() != size) {
    return fail(
        ErrorCode::archive_corrupt,
        "the octets of the envelope at leaf " + std::to_string(leaf_index) + " are not complete",
        "restore the database from a backup; keep the damaged file");
  }
  return octets;
}

Result<LogHead> ArchiveStore::log_head() {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT tree_size, root_hash FROM log_head "
                                           "ORDER BY tree_size DESC LIMIT 1"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) return LogHead{0, crypto::merkle_root({})};
  DISTRICT_TRY(const auto root, statement.digest(1));
  return LogHead{statement.count(0), root};
}

Result<std::vector<LogHead>> ArchiveStore::log_heads(std::uint64_t after_size, std::size_t limit) {
  DISTRICT_TRY(auto statement,
               db_.prepare("SELECT tree_size, root_hash FROM log_head WHERE tree_size > ?1 "
                           "ORDER BY tree_size LIMIT ?2"));
  statement.bind(1, after_size).bind(2, limit);
  std::vector<LogHead> heads;
  while (true) {
    DISTRICT_TRY(const bool row, statement.step());
    if (!row) return heads;
    heads.push_back({statement.count(0), digest_or_zero(statement.blob(1))});
  }
}

Result<std::optional<LogHead>> ArchiveStore::log_head_of_size(std::uint64_t tree_size) {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT root_hash FROM log_head WHERE tree_size = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, tree_size).step());
  if (!row) return std::nullopt;
  DISTRICT_TRY(const auto root, statement.digest(0));
  return LogHead{tree_size, root};
}

Result<crypto::MerkleFrontier> ArchiveStore::log_frontier() { return read_frontier(db_); }

Result<std::vector<LogEntry>> ArchiveStore::log_entries(std::uint64_t from, std::size_t limit) {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT leaf_index, leaf_hash, entry FROM log_leaf "
                                           "WHERE leaf_index >= ?1 ORDER BY leaf_index LIMIT ?2"));
  statement.bind(1, from).bind(2, limit);
  std::vector<LogEntry> entries;
  while (true) {
    DISTRICT_TRY(const bool row, statement.step());
    if (!row) return entries;
    entries.push_back({statement.count(0), digest_or_zero(statement.blob(1)), statement.text(2)});
  }
}

Result<std::vector<WorkItem>> ArchiveStore::take_work(std::size_t limit, Instant now,
                                                      Duration lease) {
  std::vector<WorkItem> items;
  {
    // Asking for work when there is none must not keep the writers off the database.
    DISTRICT_TRY(auto any, db_.prepare("SELECT 1 FROM work_item WHERE lease_until <= ?1 "
                                       "OR lease_until > ?2 LIMIT 1"));
    DISTRICT_TRY(const bool row, any.bind(1, now).bind(2, now + lease).step());
    if (!row) return items;
  }
  DISTRICT_TRY(auto transaction, Transaction::begin(db_));
  {
    DISTRICT_TRY(auto statement,
                 db_.prepare("SELECT leaf_index, receipt_id, tenant, received_at FROM work_item "
                             "JOIN envelope USING (leaf_index) WHERE lease_until <= ?1 "
                             "OR lease_until > ?3 ORDER BY leaf_index LIMIT ?2"));
    statement.bind(1, now).bind(2, limit).bind(3, now + lease);
    while (true) {
      DISTRICT_TRY(const bool row, statement.step());
      if (!row) break;
      items.push_back(
          {statement.count(0), statement.text(1), statement.text(2), statement.instant(3)});
    }
  }
  DISTRICT_TRY(auto update,
               db_.prepare("UPDATE work_item SET lease_until = ?1 WHERE leaf_index = ?2"));
  for (const auto& item : items) {
    DISTRICT_CHECK(update.bind(1, now + lease).bind(2, item.leaf_index).run());
  }
  DISTRICT_CHECK(transaction.commit());
  return items;
}

Result<Ok> ArchiveStore::finish_work(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto statement, db_.prepare("DELETE FROM work_item WHERE leaf_index = ?1"));
  return statement.bind(1, leaf_index).run();
}

Result<std::uint64_t> ArchiveStore::work_waiting() {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT count(*) FROM work_item"));
  DISTRICT_TRY(const bool row, statement.step());
  return row ? statement.count(0) : 0;
}

}  // namespace district::store
