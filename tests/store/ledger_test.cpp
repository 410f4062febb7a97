#include <boost/test/unit_test.hpp>

#include "../support/append_outcome.h"
#include "../support/engine.h"
#include "../support/sample_envelopes.h"
#include "../support/temporary_folder.h"
#include "crypto/merkle.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/log_writer.h"
#include "store/transaction.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::store;
using district::test::kLease;
using district::test::kNow;
using district::test::receipt;
using district::test::sample_envelope;

namespace {

struct Scratch {
  test::TemporaryFolder folder;
  Location location = test::new_location(folder);
  std::unique_ptr<ArchiveDatabase> database = test::open_archive(location);
  Ledger ledger{*database};
  ArchiveReader store{*database};
  LogReader log{*database};

  std::vector<AppendOutcome> append(const std::vector<NewEnvelope>& group, Instant now = kNow) {
    auto outcomes = ledger.append(group, now);
    BOOST_REQUIRE_MESSAGE(outcomes, (outcomes ? "" : outcomes.error().detail));
    return *std::move(outcomes);
  }
  bool remembers(const NewEnvelope& envelope) {
    return ledger.resolve(envelope.replay_key, envelope.created).value().has_value();
  }
  Bytes octets(const std::string& receipt_id) {
    const auto envelope = store.find(receipt_id).value();
    Bytes all;
    for (std::uint64_t i = 0;; ++i) {
      const auto chunk = store.raw_chunk(envelope, i).value();
      if (chunk.empty()) return all;
      BOOST_TEST(chunk.size() <= 256U * 1024);
      all.insert(all.end(), chunk.begin(), chunk.end());
    }
  }
  std::int64_t count(const std::string& table) {
    auto statement = database->prepare("SELECT count(*) FROM " + table);
    BOOST_REQUIRE(statement->step().value());
    return statement->integer(0);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ledger)

BOOST_AUTO_TEST_CASE(a_group_gets_consecutive_leaves_and_one_head) {
  Scratch scratch;
  std::vector<Sha256Digest> leaves;
  unsigned next = 0;
  for (const unsigned size : {1U, 3U, 2U}) {
    std::vector<NewEnvelope> group;
    for (unsigned i = 0; i < size; ++i) {
      group.push_back(sample_envelope(next + i));
      leaves.push_back(crypto::merkle_leaf_hash(as_bytes(group.back().log_entry)));
    }
    const auto outcomes = scratch.append(group);
    for (unsigned i = 0; i < size; ++i) {
      const auto given = receipt(outcomes[i]);
      BOOST_TEST(given.receipt_id == group[i].receipt_id);
      BOOST_TEST((given.received_at == group[i].received_at));
      BOOST_TEST(given.message_count == group[i].message_count);
      BOOST_TEST(given.leaf_index == next + i);
      BOOST_TEST(given.tree_size == next + size);
      BOOST_TEST((given.root_hash == crypto::merkle_root(leaves)));
    }
    next += size;
  }
  const auto heads = scratch.log.heads(0, 10).value();
  BOOST_REQUIRE(heads.size() == 3U);
  BOOST_TEST(heads[1].tree_size == 4U);
  BOOST_TEST(scratch.log.heads(1, 10).value().size() == 2U);
  BOOST_TEST((scratch.log.head().value().root_hash == crypto::merkle_root(leaves)));
  BOOST_TEST((scratch.log.frontier().value().root() == crypto::merkle_root(leaves)));
  BOOST_TEST(scratch.log.entries(2, 2).value().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_second_of_a_replay_key_gets_the_first_copy_and_adds_nothing) {
  Scratch scratch;
  auto again = sample_envelope(1);
  again.replay_key = sample_envelope(0).replay_key;
  again.created = sample_envelope(0).created;
  const auto outcomes = scratch.append({sample_envelope(0), again, sample_envelope(2)});
  const auto first = receipt(outcomes[0]);
  BOOST_REQUIRE(std::holds_alternative<Replayed>(outcomes[1]));
  BOOST_TEST(std::get<Replayed>(outcomes[1]).first.receipt_id == first.receipt_id);
  BOOST_TEST(receipt(outcomes[2]).leaf_index == 1U);
  BOOST_TEST(receipt(outcomes[2]).tree_size == 2U);

  const auto later = scratch.append({again});
  BOOST_REQUIRE(std::holds_alternative<Replayed>(later[0]));
  const auto& copy = std::get<Replayed>(later[0]).first;
  BOOST_TEST(copy.receipt_id == first.receipt_id);
  BOOST_TEST((copy.received_at == first.received_at));
  BOOST_TEST((copy.payload_digest == first.payload_digest));
  BOOST_TEST(scratch.count("envelope") == 2);
  BOOST_TEST(scratch.count("log_head") == 1);
}

BOOST_AUTO_TEST_CASE(replay_keys_are_forgotten_only_after_their_time) {
  Scratch scratch;
  scratch.append({sample_envelope(0)});
  const auto end = sample_envelope(0).replay_until;
  auto next = sample_envelope(1);
  next.received_at = end;
  next.replay_until = end + std::chrono::minutes(6);
  scratch.append({next}, end);
  BOOST_TEST(scratch.remembers(sample_envelope(0)));

  // The clock alone does not make it forget; that an envelope was received then does.
  auto early = sample_envelope(2);
  scratch.append({early}, end + std::chrono::hours(24));
  BOOST_TEST(scratch.remembers(sample_envelope(0)));
  auto last = sample_envelope(3);
  last.received_at = end + Duration(1);
  last.replay_until = last.received_at + std::chrono::minutes(6);
  scratch.append({last}, last.received_at);
  BOOST_TEST(!scratch.remembers(sample_envelope(0)));
  BOOST_TEST(scratch.remembers(next));

  // A late second copy, whose first may be forgotten, is not taken either.
  auto late = sample_envelope(4);
  late.replay_until = end;
  BOOST_TEST(std::holds_alternative<TrustChanged>(scratch.append({late})[0]));
}

BOOST_AUTO_TEST_CASE(what_may_be_forgotten_is_known_after_a_restart_with_the_clock_set_back) {
  const test::TemporaryFolder folder;
  const auto location = test::new_location(folder);
  const auto first = sample_envelope(0);
  auto later = sample_envelope(1);
  later.received_at = kNow + std::chrono::hours(1);
  later.created = later.received_at;
  later.replay_until = later.received_at + std::chrono::minutes(6);
  {
    auto database = test::open_archive(location);
    Ledger ledger(*database);
    BOOST_REQUIRE(ledger.append(std::vector{first}, kNow));
    BOOST_REQUIRE(ledger.append(std::vector{later}, later.received_at));
    BOOST_TEST(!ledger.resolve(first.replay_key, first.created).value());
  }
  auto database = test::open_archive(location);
  const auto again = Ledger(*database).append(std::vector{first}, kNow);
  BOOST_REQUIRE(again);
  BOOST_TEST(std::holds_alternative<TrustChanged>((*again)[0]));
}

BOOST_AUTO_TEST_CASE(after_a_jump_ahead_only_what_was_forgotten_is_refused_and_not_for_longer) {
  // The clocks of the server and of one sender were a year ahead for a while.
  Scratch scratch;
  scratch.append({sample_envelope(0)});
  const auto year_ahead = kNow + std::chrono::hours(24 * 365);
  auto ahead = sample_envelope(1);
  ahead.received_at = ahead.created = year_ahead;
  ahead.replay_until = year_ahead + std::chrono::minutes(6);
  scratch.append({ahead}, year_ahead);
  BOOST_TEST(!scratch.remembers(sample_envelope(0)));

  // Then they were set right.
  BOOST_TEST(std::holds_alternative<TrustChanged>(scratch.append({sample_envelope(0)})[0]));
  BOOST_TEST((scratch.ledger.replay_horizon().value() > sample_envelope(0).replay_until));
  BOOST_TEST((scratch.ledger.replay_horizon().value() < kNow + std::chrono::minutes(7)));
  static_cast<void>(receipt(scratch.append({sample_envelope(2)})[0]));
  BOOST_TEST(std::holds_alternative<Replayed>(scratch.append({ahead})[0]));
}

BOOST_AUTO_TEST_CASE(a_window_that_is_widened_lets_nothing_in_twice) {
  Scratch scratch;
  const auto first = sample_envelope(0);
  scratch.append({first});
  auto later = sample_envelope(1);
  later.received_at = later.created = first.replay_until + std::chrono::seconds(10);
  later.replay_until = later.received_at + std::chrono::minutes(6);
  scratch.append({later}, later.received_at);
  BOOST_TEST(!scratch.remembers(first));

  // An hour instead of five minutes: by its own end the key of the first would still be there.
  auto again = first;
  again.replay_until = first.created + std::chrono::hours(1);
  const auto refused = scratch.append({again}, later.received_at);
  BOOST_REQUIRE(std::holds_alternative<TrustChanged>(refused[0]));
  BOOST_TEST(std::get<TrustChanged>(refused[0]).forgotten_until.has_value());

  auto fresh = sample_envelope(2);
  fresh.received_at = fresh.created = later.received_at;
  fresh.replay_until = fresh.created + std::chrono::hours(1);
  static_cast<void>(receipt(scratch.append({fresh}, later.received_at)[0]));
}

BOOST_AUTO_TEST_CASE(pruning_is_bounded_but_catches_up) {
  Scratch scratch;
  std::vector<NewEnvelope> burst;
  for (unsigned i = 0; i < 300; ++i) burst.push_back(sample_envelope(i));
  scratch.append(burst);
  BOOST_TEST(scratch.count("replay") == 300);
  for (unsigned i = 0; i < 6; ++i) {
    auto one = sample_envelope(1000 + i);
    one.received_at = kNow + std::chrono::hours(1);
    one.replay_until = one.received_at + std::chrono::minutes(6);
    scratch.append({one}, one.received_at);
    if (i == 0) BOOST_TEST(scratch.count("replay") > 200);
  }
  BOOST_TEST(scratch.count("replay") == 6);
}

BOOST_AUTO_TEST_CASE(an_envelope_judged_by_past_trust_adds_nothing) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.database->execute("UPDATE trust_epoch SET epoch = 3"));
  auto current = sample_envelope(1);
  current.trust_epoch = 3;
  const auto outcomes = scratch.append({sample_envelope(0), current});
  BOOST_TEST(std::holds_alternative<TrustChanged>(outcomes[0]));
  BOOST_TEST(receipt(outcomes[1]).leaf_index == 0U);
}

// Its refusal would be signed, and nobody has yet looked whether its signer is still enrolled.
BOOST_AUTO_TEST_CASE(a_replay_judged_by_past_trust_is_judged_again_first) {
  Scratch scratch;
  static_cast<void>(receipt(scratch.append({sample_envelope(0)})[0]));
  BOOST_REQUIRE(scratch.database->execute("UPDATE trust_epoch SET epoch = 3"));
  auto replay = sample_envelope(0);
  BOOST_TEST(std::holds_alternative<TrustChanged>(scratch.append({replay})[0]));
  replay.trust_epoch = 3;
  BOOST_TEST(std::holds_alternative<Replayed>(scratch.append({replay})[0]));
}

BOOST_AUTO_TEST_CASE(raw_is_kept_in_chunks) {
  Scratch scratch;
  auto large = sample_envelope(0);
  large.raw_zstd.resize(600 * 1024 + 1);
  for (std::size_t i = 0; i < large.raw_zstd.size(); ++i) {
    large.raw_zstd[i] = static_cast<std::byte>(i * i >> 8U);
  }
  auto empty = sample_envelope(1);
  empty.raw_zstd.clear();
  scratch.append({large, empty});
  BOOST_TEST(scratch.count("raw_chunk") == 3);
  BOOST_TEST((scratch.octets(large.receipt_id) == large.raw_zstd));
  BOOST_TEST(scratch.octets(empty.receipt_id).empty());
}

BOOST_AUTO_TEST_CASE(a_large_envelope_takes_over_what_was_staged) {
  Scratch scratch;
  const auto octets = [](std::size_t size, int fill) { return Bytes(size, std::byte(fill)); };
  StagedRaw staged;
  BOOST_REQUIRE(scratch.ledger.stage(
      staged, std::vector<Bytes>{octets(256 * 1024, 1), octets(9, 2)}, kLease));
  BOOST_REQUIRE(scratch.ledger.stage(staged, std::vector<Bytes>{octets(7, 3)}, kLease));
  BOOST_REQUIRE(scratch.ledger.stage(staged, {}, kLease));
  BOOST_TEST(staged.chunk_count == 3U);
  BOOST_TEST(staged.stored_size == 256U * 1024 + 16);
  BOOST_TEST(scratch.ledger.staged().value().size() == 1U);

  auto large = sample_envelope(0);
  large.staged = staged;
  scratch.append({large, sample_envelope(1)});
  BOOST_TEST(scratch.ledger.staged().value().empty());
  const auto stored = scratch.store.find(large.receipt_id).value();
  BOOST_TEST((stored.raw_id == staged.raw_id));
  BOOST_TEST(stored.stored_size == staged.stored_size);
  BOOST_TEST((scratch.store.raw_chunk(stored, 2).value() == octets(7, 3)));
  BOOST_TEST(scratch.octets(large.receipt_id).size() == staged.stored_size);
  // It belongs to the envelope: nobody discards it, nor takes it over a second time.
  BOOST_TEST(!scratch.ledger.discard(staged.raw_id).value());
  BOOST_TEST(scratch.count("large_chunk") == 3);
  auto second = sample_envelope(2);
  second.staged = staged;
  const auto refused = scratch.ledger.append(std::vector{second}, kNow);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::internal));
}

BOOST_AUTO_TEST_CASE(what_was_staged_is_discarded_in_short_transactions) {
  Scratch scratch;
  StagedRaw staged, other;
  BOOST_REQUIRE(scratch.ledger.stage(staged, std::vector(20, Bytes(10)), kLease));
  BOOST_REQUIRE(scratch.ledger.stage(other, std::vector(2, Bytes(10)), kLease));
  BOOST_TEST(staged.raw_id != other.raw_id);
  BOOST_TEST(scratch.ledger.discard(staged.raw_id).value());
  BOOST_TEST(scratch.count("large_chunk") == 14);
  BOOST_TEST(scratch.ledger.discard(staged.raw_id).value());
  BOOST_TEST(!scratch.ledger.discard(staged.raw_id).value());
  BOOST_TEST(scratch.count("large_chunk") == 2);
  BOOST_TEST((scratch.ledger.staged().value() == std::vector{other.raw_id}));
  BOOST_TEST(!scratch.ledger.discard(staged.raw_id).value());
  // An id that was discarded is not given again.
  BOOST_TEST(!scratch.ledger.discard(other.raw_id).value());
  StagedRaw next;
  BOOST_REQUIRE(scratch.ledger.stage(next, std::vector(1, Bytes(10)), kLease));
  BOOST_TEST(next.raw_id > other.raw_id);
}

BOOST_AUTO_TEST_CASE(envelopes_are_found_with_all_that_was_stored) {
  Scratch scratch;
  const auto envelope = sample_envelope(7, "30");
  scratch.append({envelope});
  const auto stored = scratch.store.find(envelope.receipt_id).value();
  BOOST_TEST(stored.leaf_index == 0U);
  BOOST_TEST((stored.received_at == envelope.received_at));
  BOOST_TEST(stored.tenant == "30");
  BOOST_TEST((stored.certificate_sha256 == envelope.certificate_sha256));
  BOOST_TEST(stored.signature_method == envelope.signature_method);
  BOOST_TEST(stored.message_count == envelope.message_count);
  BOOST_TEST(stored.source == "SeasNve");
  BOOST_TEST(stored.content_type == envelope.content_type);
  BOOST_TEST(stored.content_encoding == "");
  BOOST_TEST(stored.soap_action == envelope.soap_action);
  BOOST_TEST(stored.raw_size == envelope.raw_size);
  BOOST_TEST(stored.stored_size == envelope.raw_zstd.size());
  BOOST_TEST((stored.payload_digest == envelope.payload_digest));
  BOOST_TEST(stored.tree_size == 1U);
  BOOST_TEST(!stored.quantified);
  const auto missing = scratch.store.find("01ARYZ6S41ZZZZZZZZZZZZZZZZ");
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(lists_are_by_tenant_and_time_in_the_order_of_leaves) {
  Scratch scratch;
  // Received in another order than committed.
  for (const unsigned n : {3U, 1U, 4U, 0U, 5U, 2U}) {
    scratch.append({sample_envelope(n, n % 2 == 0 ? "20" : "10")});
  }
  const auto seconds = [](int n) { return kNow + std::chrono::seconds(n); };
  const auto leaves = [&](const EnvelopeFilter& filter) {
    std::string found;
    const auto listed = scratch.store.list(filter).value();
    for (const auto& envelope : listed) found += std::to_string(envelope.leaf_index);
    return found;
  };
  BOOST_TEST(leaves({}) == "012345");
  BOOST_TEST(leaves({.tenant = "20"}) == "235");
  BOOST_TEST(leaves({.from = seconds(2), .to = seconds(4)}) == "05");
  BOOST_TEST(leaves({.from = seconds(2)}) == "0245");
  BOOST_TEST(leaves({.tenant = "20", .to = seconds(4)}) == "35");
  BOOST_TEST(leaves({.after_leaf = 2}) == "345");
  BOOST_TEST(leaves({.tenant = "10", .after_leaf = 0, .limit = 1}) == "1");
  BOOST_TEST(leaves({.from = seconds(0), .after_leaf = 1, .limit = 2}) == "23");
  BOOST_TEST(leaves({.tenant = "99"}) == "");
}

BOOST_AUTO_TEST_CASE(work_is_leased_and_finished) {
  Scratch scratch;
  scratch.append({sample_envelope(0), sample_envelope(1), sample_envelope(2)});
  const auto lease = std::chrono::minutes(1);
  WorkQueue one(*scratch.database, "one"), two(*scratch.database, "two");
  const std::vector<std::uint64_t> first{0, 1}, third{2}, zero{0};
  BOOST_TEST(one.take(2, kNow, lease).value() == first);
  BOOST_TEST(two.take(2, kNow, lease).value() == third);
  BOOST_TEST(two.take(2, kNow, lease).value() == third);  // it has nothing else in hand
  const SeriesMark mark{Bytes(16), 1};
  BOOST_REQUIRE(one.finish(zero, mark));
  BOOST_TEST(one.waiting().value() == 2U);
  BOOST_TEST(!one.is_waiting(0).value());
  BOOST_TEST(one.finished_into().value().commits == 1U);
  BOOST_TEST(scratch.store.find(sample_envelope(0).receipt_id).value().quantified);
  // Who is at work keeps it; the lease of a node that is gone ends.
  const std::vector<std::uint64_t> of_one{1};
  BOOST_TEST(one.extend(of_one, kNow + std::chrono::seconds(30), lease).value());
  BOOST_TEST(two.take(9, kNow + lease, lease).value() == third);
  BOOST_TEST(two.take(9, kNow + 2 * lease, lease).value().size() == 2U);
  BOOST_TEST(!one.extend(of_one, kNow + 2 * lease, lease).value());
}

BOOST_AUTO_TEST_CASE(a_lease_from_before_the_clock_was_set_back_keeps_nobody_off) {
  Scratch scratch;
  scratch.append({sample_envelope(0)});
  const auto lease = std::chrono::minutes(1);
  WorkQueue one(*scratch.database, "one"), two(*scratch.database, "two");
  BOOST_TEST(one.take(1, kNow + std::chrono::hours(24), lease).value().size() == 1U);
  BOOST_TEST(two.take(1, kNow, lease).value().size() == 1U);
  BOOST_TEST(one.take(1, kNow, lease).value().empty());
}

BOOST_AUTO_TEST_CASE(nothing_is_added_to_a_log_whose_frontier_is_damaged) {
  Scratch scratch;
  scratch.append({sample_envelope(0)});
  {
    auto damage = scratch.database->prepare("UPDATE log_frontier SET subtrees = ?1").value();
    const Bytes zeros(32);
    BOOST_REQUIRE(damage.bind(1, zeros).run());
  }
  const auto refused = scratch.ledger.append(std::vector{sample_envelope(1)}, kNow);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_corrupt));
}

BOOST_AUTO_TEST_CASE(a_leaf_of_another_kind_takes_its_place_in_the_log) {
  Scratch scratch;
  scratch.append({sample_envelope(0)});
  {
    auto transaction = LogTransaction::begin(*scratch.database);
    BOOST_TEST(append_log_leaf(*transaction, R"({"kind":"policy"})", kNow).value() == 1U);
    BOOST_REQUIRE(transaction->commit());
  }
  BOOST_TEST(receipt(scratch.append({sample_envelope(1)})[0]).leaf_index == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
