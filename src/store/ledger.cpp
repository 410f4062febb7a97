#include "store/ledger.h"

#include <algorithm>
#include <map>

#include "crypto/merkle.h"
#include "store/log_writer.h"
#include "store/rows.h"

namespace district::store {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;
constexpr std::uint64_t kChunksDiscardedAtOnce = 8;

// What an envelope's verification is held against. One read for a group.
struct Standing {
  std::uint64_t trust_epoch = 0;
  Instant pruned_until{};  // replay keys that end before it may be forgotten
  Duration life{};         // the longest time from the creation of such a key to its end

  // Whether the key of an earlier copy of the envelope may be forgotten. Its own end is by the
  // window of now, which may be wider than it was then.
  bool may_have_forgotten(Instant created, Instant replay_until) const {
    return std::min(replay_until, created + life) < pruned_until;
  }
};

Result<Standing> read_standing(ArchiveDatabase& database) {
  DISTRICT_TRY(auto statement, database.prepare("SELECT epoch, pruned_until, life FROM trust_epoch "
                                                "JOIN replay_horizon USING (id) WHERE id = 1"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) {
    return fail(ErrorCode::archive_corrupt, database.name() + ": no trust epoch or replay horizon",
                "restore the database from a backup; keep the damaged file");
  }
  return Standing{statement.count(0), statement.instant(1), Duration(statement.integer(2))};
}

Result<Ok> insert_envelope(ArchiveDatabase& database, const NewEnvelope& envelope,
                           std::uint64_t leaf_index, std::uint64_t tree_size) {
  DISTRICT_TRY(
      auto row,
      database.prepare(
          "INSERT INTO envelope (leaf_index, receipt_id, received_at, tenant, certificate_sha256, "
          "signature_method, trust_epoch, message_count, source, content_type, content_encoding, "
          "soap_action, raw_size, stored_size, payload_digest, tree_size, raw_id) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"));
  row.bind(1, leaf_index).bind(2, envelope.receipt_id).bind(3, envelope.received_at);
  row.bind(4, envelope.tenant).bind(5, envelope.certificate_sha256);
  row.bind(6, envelope.signature_method).bind(7, envelope.trust_epoch);
  row.bind(8, envelope.message_count).bind(9, envelope.source).bind(10, envelope.content_type);
  row.bind(11, envelope.content_encoding).bind(12, envelope.soap_action);
  const auto& staged = envelope.staged;
  row.bind(13, envelope.raw_size);
  row.bind(14, staged ? staged->stored_size : envelope.raw_zstd.size());
  row.bind(15, envelope.payload_digest).bind(16, tree_size);
  if (staged) row.bind(17, staged->raw_id);
  return row.run();
}

// What was staged is the envelope's from now on.
Result<Ok> take_over(ArchiveDatabase& database, const StagedRaw& staged) {
  {
    DISTRICT_TRY(auto row, database.prepare("SELECT chunk_count FROM staging WHERE raw_id = ?1"));
    DISTRICT_TRY(const bool there, row.bind(1, staged.raw_id).step());
    if (!there || row.count(0) != staged.chunk_count) {
      return fail(ErrorCode::internal, "the staged octets of a large envelope are gone",
                  "is another server at work on the same database?");
    }
  }
  DISTRICT_TRY(auto row, database.prepare("DELETE FROM staging WHERE raw_id = ?1"));
  return row.bind(1, staged.raw_id).run();
}

Result<Ok> insert_chunks(ArchiveDatabase& database, ByteView octets, std::uint64_t leaf_index) {
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
Result<Ok> insert_rows(ArchiveDatabase& database, const NewEnvelope& envelope,
                       std::uint64_t leaf_index, std::uint64_t tree_size) {
  DISTRICT_CHECK(insert_envelope(database, envelope, leaf_index, tree_size));
  if (envelope.staged) {
    DISTRICT_CHECK(take_over(database, *envelope.staged));
  } else {
    DISTRICT_CHECK(insert_chunks(database, envelope.raw_zstd, leaf_index));
  }
  DISTRICT_TRY(
      auto replay,
      database.prepare("INSERT INTO replay (created, replay_key, replay_until, leaf_index) "
                       "VALUES (?1, ?2, ?3, ?4)"));
  replay.bind(1, envelope.created).bind(2, envelope.replay_key);
  DISTRICT_CHECK(replay.bind(3, envelope.replay_until).bind(4, leaf_index).run());
  DISTRICT_TRY(auto work, database.prepare("INSERT INTO work_item (leaf_index) VALUES (?1)"));
  return work.bind(1, leaf_index).run();
}

// Of the keys that are about to be forgotten.
struct Forgotten {
  Instant last_end{};
  Duration longest_life{};
};

// nullopt: there are none.
Result<std::optional<Forgotten>> to_forget(ArchiveDatabase& database, Instant last_created,
                                           const Bytes& last_key, Instant before) {
  DISTRICT_TRY(auto ends, database.prepare("SELECT max(replay_until), "
                                           "max(iif(created > 0, replay_until - created, 0)) "
                                           "FROM replay "
                                           "WHERE (created, replay_key) <= (?1, ?2) "
                                           "AND replay_until < ?3"));
  DISTRICT_TRY(const bool there,
               ends.bind(1, last_created).bind(2, last_key).bind(3, before).step());
  if (!there || ends.is_null(0)) return std::nullopt;
  return Forgotten{ends.instant(0), Duration(ends.integer(1))};
}

// Forgets replay keys whose time is over, of the `limit` oldest ones. What was forgotten sets the
// horizon, not the clock: when that is set back again after a jump ahead, the messages of now are
// refused until the keys that were forgotten too early would have ended, and no longer.
Result<Ok> prune_replay(ArchiveDatabase& database, const Standing& standing, Instant before,
                        std::size_t limit) {
  if (before <= standing.pruned_until) before = standing.pruned_until;
  Bytes last_key;
  Instant last_created{};
  {
    DISTRICT_TRY(auto oldest, database.prepare("SELECT replay_until FROM replay "
                                               "ORDER BY created, replay_key LIMIT 1"));
    DISTRICT_TRY(const bool any, oldest.step());
    if (!any || oldest.instant(0) >= before) return Ok{};
    DISTRICT_TRY(auto last,
                 database.prepare("SELECT created, replay_key FROM (SELECT created, replay_key "
                                  "FROM replay ORDER BY created, replay_key LIMIT ?1) "
                                  "ORDER BY created DESC, replay_key DESC LIMIT 1"));
    DISTRICT_TRY(const bool there, last.bind(1, limit).step());
    if (!there) return Ok{};
    last_created = last.instant(0);
    last_key = to_bytes(last.blob(1));
  }
  DISTRICT_TRY(const auto forgotten, to_forget(database, last_created, last_key, before));
  if (!forgotten) return Ok{};
  DISTRICT_TRY(auto forget,
               database.prepare("DELETE FROM replay WHERE (created, replay_key) <= (?1, ?2) "
                                "AND replay_until < ?3"));
  DISTRICT_CHECK(forget.bind(1, last_created).bind(2, last_key).bind(3, before).run());
  const auto life = forgotten->longest_life;
  if (forgotten->last_end < standing.pruned_until && life <= standing.life) return Ok{};
  DISTRICT_TRY(auto horizon,
               database.prepare("UPDATE replay_horizon SET pruned_until = max(pruned_until, ?1), "
                                "life = max(life, ?2) WHERE id = 1"));
  return horizon.bind(1, forgotten->last_end + Duration(1)).bind(2, life.count()).run();
}

Result<std::uint64_t> take_raw_id(ArchiveDatabase& database) {
  std::uint64_t raw_id = 0;
  {
    DISTRICT_TRY(auto row, database.prepare("SELECT next_id FROM raw_counter WHERE id = 1"));
    DISTRICT_TRY(const bool there, row.step());
    if (!there) {
      return fail(ErrorCode::archive_corrupt, database.name() + ": no counter of large envelopes",
                  "restore the database from a backup; keep the damaged file");
    }
    raw_id = row.count(0);
  }
  DISTRICT_TRY(auto row, database.prepare("UPDATE raw_counter SET next_id = ?1 WHERE id = 1"));
  DISTRICT_CHECK(row.bind(1, raw_id + 1).run());
  return raw_id;
}

// What becomes of each envelope of the group: decided before anything is written, since receipts
// need the size of the tree after the whole group.
Result<std::vector<std::optional<AppendOutcome>>> decide(ArchiveDatabase& database,
                                                         const Standing& standing,
                                                         std::span<const NewEnvelope> group) {
  Ledger ledger(database);
  std::vector<std::optional<AppendOutcome>> outcomes(group.size());
  std::map<Sha256Digest, const NewEnvelope*> accepted;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& envelope = group[i];
    // First, since a replay is refused with a signed fault, which a revoked signer must not get.
    if (envelope.trust_epoch != standing.trust_epoch) {
      outcomes[i] = TrustChanged{};
      continue;
    }
    DISTRICT_TRY(auto stored, ledger.resolve(envelope.replay_key, envelope.created));
    if (stored) {
      outcomes[i] = Replayed{{stored->receipt_id, stored->received_at, stored->payload_digest}};
      continue;
    }
    if (standing.may_have_forgotten(envelope.created, envelope.replay_until)) {
      outcomes[i] = TrustChanged{standing.pruned_until};
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

}  // namespace

Result<std::vector<AppendOutcome>> Ledger::append(std::span<const NewEnvelope> group, Instant now) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  DISTRICT_TRY(const auto standing, read_standing(db_));
  DISTRICT_TRY(auto decided, decide(db_, standing, group));
  const auto additions =
      std::ranges::count_if(decided, [](const auto& outcome) { return !outcome; });
  std::vector<AppendOutcome> outcomes;
  if (additions == 0) {
    for (auto& outcome : decided) outcomes.push_back(*std::move(outcome));
    return outcomes;
  }

  // The leaves and their head first: an envelope whose head is not there yet would make SQLite look
  // through all envelopes when the head comes.
  DISTRICT_TRY(auto log, LogWriter::begin(transaction));
  auto leaf_index = log.size();
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (!decided[i]) DISTRICT_CHECK(log.append(group[i].log_entry));
  }
  DISTRICT_TRY(const auto head, log.finish(now));
  auto prune_before = now;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto& envelope = group[i];
    prune_before = std::min(prune_before, envelope.received_at);
    if (decided[i]) {
      outcomes.push_back(*std::move(decided[i]));
      continue;
    }
    DISTRICT_CHECK(insert_rows(db_, envelope, leaf_index, head.tree_size));
    outcomes.push_back(Receipt{envelope.receipt_id, envelope.received_at, envelope.message_count,
                               envelope.payload_digest, leaf_index++, head.tree_size,
                               head.root_hash});
  }
  // More than a group can add, so that the table shrinks again after a burst.
  DISTRICT_CHECK(prune_replay(db_, standing, prune_before, 2 * group.size() + 64));
  DISTRICT_CHECK(transaction.commit());
  return outcomes;
}

Result<Instant> Ledger::replay_horizon() {
  DISTRICT_TRY(const auto standing, read_standing(db_));
  return standing.pruned_until;
}

Result<std::vector<KeptKey>> Ledger::kept_keys() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT created, replay_key, leaf_index FROM replay"));
  return all_rows(row, [](const Statement& found) {
    return KeptKey{found.instant(0), digest_or_zero(found.blob(1)), found.count(2)};
  });
}

Result<bool> Ledger::may_have_forgotten(Instant created, Instant replay_until) {
  DISTRICT_TRY(const auto standing, read_standing(db_));
  return standing.may_have_forgotten(created, replay_until);
}

Result<std::optional<Receipt>> Ledger::resolve(const Sha256Digest& replay_key, Instant created) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT receipt_id, received_at, message_count, "
                                     "payload_digest, leaf_index, tree_size, root_hash FROM replay "
                                     "JOIN envelope USING (leaf_index) "
                                     "JOIN log_head USING (tree_size) "
                                     "WHERE created IN (?1, 0) AND replay_key = ?2"));
  DISTRICT_TRY(const bool found, row.bind(1, created).bind(2, replay_key).step());
  if (!found) return std::nullopt;
  Receipt receipt;
  receipt.receipt_id = row.text(0);
  receipt.received_at = row.instant(1);
  receipt.message_count = row.count(2);
  DISTRICT_TRY(receipt.payload_digest, row.digest(3));
  receipt.leaf_index = row.count(4);
  receipt.tree_size = row.count(5);
  DISTRICT_TRY(receipt.root_hash, row.digest(6));
  return receipt;
}

Result<Ok> Ledger::stage(StagedRaw& staged, std::span<const Bytes> chunks,
                         const StagingLease& lease) {
  if (chunks.empty()) return Ok{};
  auto next = staged;
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  if (next.raw_id == 0) {
    DISTRICT_TRY(next.raw_id, take_raw_id(db_));
  }
  {
    DISTRICT_TRY(auto chunk, db_.prepare("INSERT INTO large_chunk (raw_id, chunk_index, octets) "
                                         "VALUES (?1, ?2, ?3)"));
    for (const auto& octets : chunks) {
      DISTRICT_CHECK(
          chunk.bind(1, next.raw_id).bind(2, next.chunk_count).bind(3, ByteView(octets)).run());
      ++next.chunk_count;
      next.stored_size += octets.size();
    }
  }
  {
    DISTRICT_TRY(auto row,
                 db_.prepare(staged.raw_id == 0 ? "INSERT INTO staging (chunk_count, raw_id, node, "
                                                  "lease_until) VALUES (?1, ?2, ?3, ?4)"
                                                : "UPDATE staging SET chunk_count = ?1, node = ?3, "
                                                  "lease_until = ?4 WHERE raw_id = ?2"));
    row.bind(1, next.chunk_count).bind(2, next.raw_id).bind(3, lease.node).bind(4, lease.until);
    DISTRICT_CHECK(row.run());
  }
  DISTRICT_CHECK(transaction.commit());
  staged = next;
  return Ok{};
}

Result<bool> Ledger::discard(std::uint64_t raw_id) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  {
    DISTRICT_TRY(auto row, db_.prepare("SELECT 1 FROM staging WHERE raw_id = ?1"));
    DISTRICT_TRY(const bool staged, row.bind(1, raw_id).step());
    if (!staged) return false;
  }
  std::optional<std::uint64_t> last;
  {
    DISTRICT_TRY(auto row,
                 db_.prepare("SELECT max(chunk_index) FROM large_chunk WHERE raw_id = ?1"));
    DISTRICT_TRY(const bool there, row.bind(1, raw_id).step());
    if (there && !row.is_null(0)) last = row.count(0);
  }
  // From the end: what is left is the beginning, whatever happens.
  const auto from =
      last && *last >= kChunksDiscardedAtOnce ? *last - kChunksDiscardedAtOnce + 1 : 0;
  {
    DISTRICT_TRY(auto chunks, db_.prepare("DELETE FROM large_chunk WHERE raw_id = ?1 "
                                          "AND chunk_index >= ?2"));
    DISTRICT_CHECK(chunks.bind(1, raw_id).bind(2, from).run());
  }
  if (from == 0) {
    DISTRICT_TRY(auto row, db_.prepare("DELETE FROM staging WHERE raw_id = ?1"));
    DISTRICT_CHECK(row.bind(1, raw_id).run());
  }
  DISTRICT_CHECK(transaction.commit());
  return from != 0;
}

Result<std::vector<std::uint64_t>> Ledger::staged() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT raw_id FROM staging ORDER BY raw_id"));
  return all_rows(row, [](const Statement& found) { return found.count(0); });
}

Result<std::vector<std::uint64_t>> Ledger::orphans(std::string_view node, Instant now) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT raw_id FROM staging WHERE node = ?1 "
                                     "OR lease_until <= ?2 ORDER BY raw_id"));
  row.bind(1, node).bind(2, now);
  return all_rows(row, [](const Statement& found) { return found.count(0); });
}

Result<Ok> put_site_import(LogTransaction& transaction, const SiteImport& import) {
  DISTRICT_TRY(auto row, transaction.database().prepare(
                             "INSERT INTO site_import (leaf_index, tenant, statements) "
                             "VALUES (?1, ?2, ?3)"));
  return row.bind(1, import.leaf_index).bind(2, import.tenant).bind(3, import.statements).run();
}

}  // namespace district::store
