#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <set>

#include "../support/sample_envelopes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "log/log.h"
#include "log/receipt_check.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "store/log_writer.h"
#include "store/series_reader.h"
#include "store/transaction.h"
#include "store/trust_store.h"

using namespace district;
using namespace district::store;
using district::test::kNow;

namespace {

NewEnvelope logged_envelope(unsigned n) {
  auto envelope = test::sample_envelope(n);
  envelope.log_entry = log::envelope_entry(envelope);
  return envelope;
}

// As a version before wrote it.
std::string earlier_entry(const NewEnvelope& envelope) {
  return R"({"certificate":")" + to_base64(envelope.certificate_sha256) +
         R"(","kind":"envelope","payloadDigest":")" + to_base64(envelope.payload_digest) +
         R"(","receiptId":")" + envelope.receipt_id + R"(","size":)" +
         std::to_string(envelope.raw_size) + R"(,"tenant":")" + envelope.tenant + R"(","time":")" +
         format_instant(envelope.received_at) + R"("})";
}

// Leaves 0 tenant, 1 enrolment, 2 to 4 envelopes in two commits, 5 revocation, 6 envelope.
struct Scratch {
  std::unique_ptr<ArchiveDatabase> database =
      ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  std::vector<Receipt> receipts;

  Scratch() {
    BOOST_REQUIRE(
        database->execute("PRAGMA foreign_keys = OFF"));  // for what the tests tamper with
    change([](Instant at) {
      TrustChange change;
      change.kind = TrustChange::Kind::tenant;
      change.tenant = {"10", "Kalundborg", "Europe/Copenhagen", {"001/002"}, {}, at};
      change.log_entry = log::tenant_entry(change.tenant);
      return change;
    });
    change([](Instant at) {
      TrustChange change;
      change.kind = TrustChange::Kind::enrol;
      change.enrolment = enrolment(at);
      change.log_entry = log::enrol_entry(change.enrolment);
      return change;
    });
    append({0, 1}, 2);
    append({2}, 2);
    change([](Instant at) {
      TrustChange change;
      change.kind = TrustChange::Kind::revoke;
      change.enrolment = enrolment(at);
      change.enrolment.leaf_index = 1;
      change.enrolment.revoked_at = at;
      change.enrolment.revocation_reason = "key lost";
      change.log_entry = log::revoke_entry(change.enrolment);
      return change;
    });
    append({3}, 3);
  }

  static Enrolment enrolment(Instant at) {
    Enrolment enrolment;
    enrolment.tenant = "10";
    enrolment.certificate_der = to_bytes(as_bytes("certificate"));
    enrolment.certificate_sha256 = crypto::sha256(enrolment.certificate_der);
    enrolment.subject = "CN=Kalundborg";
    enrolment.enrolled_at = at;
    enrolment.valid_from = at;
    enrolment.allow_sha1_until = at + std::chrono::hours(24);
    return enrolment;
  }

  template <typename Make>
  void change(Make make) {
    const auto changed = TrustStore(*database).change(
        kNow, [&](const TrustRecords&, Instant at) -> Result<std::vector<TrustChange>> {
          return std::vector{make(at)};
        });
    BOOST_REQUIRE_MESSAGE(changed, (changed ? "" : changed.error().detail));
  }

  void append(const std::vector<unsigned>& numbers, std::uint64_t epoch) {
    std::vector<NewEnvelope> group;
    for (const auto n : numbers) {
      group.push_back(logged_envelope(n));
      group.back().trust_epoch = epoch;
    }
    const auto outcomes = Ledger(*database).append(group, kNow);
    BOOST_REQUIRE(outcomes);
    for (const auto& outcome : *outcomes) receipts.push_back(std::get<Receipt>(outcome));
  }

  void tamper(const std::string& sql) {
    const auto done = database->execute(sql.c_str());
    BOOST_REQUIRE_MESSAGE(done, (done ? "" : done.error().detail));
  }

  std::vector<std::string> problems() { return log::verify(*database).value().problems; }
};

// The one problem, and that it says all of `parts`.
void check_named(Scratch& scratch, std::initializer_list<const char*> parts) {
  const auto problems = scratch.problems();
  BOOST_REQUIRE(problems.size() == 1U);
  for (const char* part : parts) {
    BOOST_TEST_CONTEXT(problems[0]) { BOOST_TEST(problems[0].find(part) != std::string::npos); }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_entries)

BOOST_AUTO_TEST_CASE(entries_are_canonical_json) {
  const std::string zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  StoredEnvelope envelope;
  envelope.receipt_id = "01ARYZ6S41ZZZZZZZZZZZZZZZZ";
  envelope.received_at = from_micros(1469918176385042);
  envelope.tenant = "1\"\u00e9\n\x7f";
  envelope.raw_size = 2200;
  envelope.content_type = "text/xml; charset=\"utf-8\"";
  envelope.content_encoding = "gzip";
  const std::string rest = R"("kind":"envelope","payloadDigest":")" + zeros +
                           R"(","receiptId":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","size":2200,)";
  const std::string sender = R"("tenant":"1\"é\n)"
                             "\x7f"
                             R"(","time":"2016-07-30T22:36:16.385042Z"})";
  BOOST_TEST(log::envelope_entry(envelope) ==
             R"({"certificate":")" + zeros +
                 R"(","contentEncoding":"gzip","contentType":"text/xml; charset=\"utf-8\"",)" +
                 rest + R"("soapAction":"",)" + sender);
  BOOST_TEST(log::earlier_envelope_entry(envelope) ==
             R"({"certificate":")" + zeros + "\"," + rest + sender);
  const Tenant tenant{"10", "Kalundborg", "Europe/Copenhagen", {"001/002"}, {}, from_micros(0)};
  BOOST_TEST(log::tenant_entry(tenant) ==
             R"({"contentTypes":["001/002"],"kind":"tenant","name":"Kalundborg","sources":[],)"
             R"("tenant":"10","time":"1970-01-01T00:00:00.000000Z","zone":"Europe/Copenhagen"})");
  auto enrolment = Scratch::enrolment(from_micros(0));
  enrolment.certificate_sha256 = {};
  enrolment.enrolled_at = from_micros(1);
  BOOST_TEST(
      log::enrol_entry(enrolment) ==
      R"({"allowSha1Until":"1970-01-02T00:00:00.000000Z","certificate":")" + zeros +
          R"(","kind":"enrol","subject":"CN=Kalundborg","tenant":"10",)"
          R"("time":"1970-01-01T00:00:00.000001Z","validFrom":"1970-01-01T00:00:00.000000Z"})");
  enrolment.revoked_at = from_micros(2);
  enrolment.revocation_reason = "lost";
  BOOST_TEST(
      log::revoke_entry(enrolment) ==
      R"({"certificate":")" + zeros +
          R"(","kind":"revoke","reason":"lost","tenant":"10","time":"1970-01-01T00:00:00.000002Z"})");
}

// A header field may have octets that are no UTF-8: two that differ have leaves that differ.
BOOST_AUTO_TEST_CASE(what_the_transport_said_is_in_the_entry_octet_for_octet) {
  std::set<std::string> entries;
  for (const std::string text : {"\xe9", "\xe8", "\xc3\xa9", "6Q==", "", "\xef\xbf\xbd"}) {
    StoredEnvelope envelope;
    envelope.content_type = text;
    entries.insert(log::envelope_entry(envelope));
  }
  BOOST_TEST(entries.size() == 6U);
}

BOOST_AUTO_TEST_CASE(entries_of_api_keys_are_canonical_json) {
  ApiKey key{"01ARYZ6S41ZZZZZZZZZZZZZZZZ",
             {},
             "dashboard",
             ApiRole::auditor,
             false,
             {"10", "20"},
             from_micros(0),
             from_micros(1),
             from_micros(2),
             "lost"};
  BOOST_TEST(log::api_key_entry(key) ==
             R"({"everyTenant":false,"expiresAt":"1970-01-01T00:00:00.000001Z",)"
             R"("keyId":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","kind":"apikey","name":"dashboard",)"
             R"("role":"auditor","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
             R"("tenants":["10","20"],"time":"1970-01-01T00:00:00.000000Z"})");
  BOOST_TEST(log::api_key_revoke_entry(key) ==
             R"({"keyId":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","kind":"apikey-revoke","reason":"lost",)"
             R"("time":"1970-01-01T00:00:00.000002Z"})");

  // Their leaves say when they were made, not when the key was.
  const auto made = log::earlier_api_key_entry(key, from_micros(7));
  const auto revoked = log::earlier_api_key_revoke_entry(key, from_micros(8));
  BOOST_TEST(made == R"({"createdAt":"1970-01-01T00:00:00.000000Z","everyTenant":false,)"
                     R"("expiresAt":"1970-01-01T00:00:00.000001Z",)"
                     R"("keyId":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","kind":"apikey","name":"dashboard",)"
                     R"("role":"auditor","secret":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",)"
                     R"("tenants":["10","20"],"time":"1970-01-01T00:00:00.000007Z"})");
  BOOST_TEST(revoked ==
             R"({"keyId":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","kind":"apikey-revoke","reason":"lost",)"
             R"("revokedAt":"1970-01-01T00:00:00.000002Z","time":"1970-01-01T00:00:00.000008Z"})");
  BOOST_TEST(log::expected_api_key_entry(key, made) == made);
  BOOST_TEST(log::expected_api_key_revoke_entry(key, revoked) == revoked);
  BOOST_TEST(log::expected_api_key_entry(key, "") == log::api_key_entry(key));
  BOOST_TEST(log::expected_api_key_revoke_entry(key, "") == log::api_key_revoke_entry(key));
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(log_verify)

// An entry keeps its form, and what it has is compared.
BOOST_AUTO_TEST_CASE(an_entry_of_an_earlier_version_stays_valid) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  auto earlier = test::sample_envelope(0);
  earlier.log_entry = earlier_entry(earlier);
  const auto outcomes =
      Ledger(*database).append(std::vector{earlier, logged_envelope(1)}, kNow).value();
  BOOST_TEST(log::verify(*database).value().problems.empty());
  for (const auto& outcome : outcomes)
    BOOST_TEST(log::check_receipt(*database, std::get<Receipt>(outcome)).has_value());
  BOOST_REQUIRE(database->execute("UPDATE envelope SET soap_action = 'x'"));
  const auto problems = log::verify(*database).value().problems;
  BOOST_REQUIRE(problems.size() == 1U);
  BOOST_TEST(problems[0].starts_with("leaf 1: "));
  BOOST_TEST(problems[0].ends_with(": soapAction"));
  BOOST_REQUIRE(database->execute("UPDATE envelope SET tenant = '20' WHERE leaf_index = 0"));
  BOOST_TEST(log::verify(*database).value().problems.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_head_that_is_gone_or_too_many_is_named) {
  const std::pair<const char*, const char*> cases[] = {
      {"DELETE FROM log_head WHERE tree_size = 1", "head of tree size 1 is missing"},
      {"DELETE FROM log_head WHERE tree_size = 2", "head of tree size 2 is missing"},
      {"DELETE FROM log_head WHERE tree_size = 6", "head of tree size 6 is missing"}};
  for (const auto& [sql, what] : cases) {
    Scratch scratch;
    scratch.tamper(sql);
    BOOST_TEST_CONTEXT(sql) { check_named(scratch, {what}); }
  }
}

BOOST_AUTO_TEST_CASE(what_is_noted_of_trust_is_held_against_the_log) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPDATE trust_epoch SET epoch = 4", "trust epoch"},
      {"UPDATE trust_epoch SET changed_at = changed_at - 1", "last change of trust"},
      {"UPDATE enrolment SET revoked_at = NULL, revocation_leaf_index = NULL", "leaf 5: "}};
  for (const auto& [sql, what] : cases) {
    Scratch scratch;
    scratch.tamper(sql);
    BOOST_TEST_CONTEXT(sql) {
      const auto problems = scratch.problems();
      BOOST_TEST(std::ranges::any_of(problems, [&what = what](const auto& problem) {
        return problem.find(what) != std::string::npos;
      }));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_large_envelope_noted_as_a_left_over_is_named) {
  Scratch scratch;
  scratch.tamper("UPDATE envelope SET raw_id = 7 WHERE leaf_index = 3");
  check_named(scratch, {"counter of large envelopes"});
  scratch.tamper("UPDATE raw_counter SET next_id = 8");
  BOOST_TEST(scratch.problems().empty());
  scratch.tamper("INSERT INTO staging VALUES (7, 1, 'n', 0)");
  check_named(scratch, {"left-over", scratch.receipts[1].receipt_id.c_str()});
}

BOOST_AUTO_TEST_CASE(an_untouched_log_is_intact) {
  Scratch scratch;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  const auto report = log::verify(*scratch.database, [&](std::uint64_t d, std::uint64_t t) {
    done = d;
    total = t;
  });
  BOOST_REQUIRE(report);
  for (const auto& problem : report->problems) BOOST_ERROR(problem);
  BOOST_TEST(report->leaves == 7U);
  BOOST_TEST(report->heads == 6U);
  BOOST_TEST((report->root_hash == scratch.receipts.back().root_hash));
  BOOST_TEST(done == 7U);
  BOOST_TEST(total == 7U);
  for (const auto& receipt : scratch.receipts) {
    BOOST_TEST(log::check_receipt(*scratch.database, receipt).has_value());
  }
}

BOOST_AUTO_TEST_CASE(an_empty_log_is_intact) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  const auto report = log::verify(*database).value();
  BOOST_TEST(report.problems.empty());
  BOOST_TEST(report.leaves == 0U);
  BOOST_TEST((report.root_hash == crypto::sha256(ByteView{})));
}

BOOST_AUTO_TEST_CASE(a_log_of_several_pages_is_intact_and_its_damage_is_named) {
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  Ledger ledger(*database);
  for (unsigned n = 0; n < 2500; n += 50) {
    std::vector<NewEnvelope> group;
    for (unsigned i = 0; i < 50; ++i) group.push_back(logged_envelope(n + i));
    BOOST_REQUIRE(ledger.append(group, kNow));
  }
  BOOST_TEST(log::verify(*database).value().problems.empty());
  BOOST_REQUIRE(database->execute("UPDATE envelope SET raw_size = 5 WHERE leaf_index = 2222"));
  const auto problems = log::verify(*database).value().problems;
  BOOST_REQUIRE(problems.size() == 1U);
  BOOST_TEST(problems[0].starts_with("leaf 2222: "));
}

BOOST_AUTO_TEST_CASE(a_changed_row_of_an_envelope_is_named_with_its_leaf_and_member) {
  const std::pair<const char*, const char*> cases[] = {
      {"tenant = '20'", "tenant"},
      {"payload_digest = zeroblob(32)", "payloadDigest"},
      {"certificate_sha256 = zeroblob(32)", "certificate"},
      {"raw_size = raw_size + 1", "size"},
      {"received_at = received_at + 1", "time"},
      {"receipt_id = '01ARYZ6S41ZZZZZZZZZZZZZZZZ'", "receiptId"},
      {"tree_size = 5", "tree size 5"}};
  for (const auto& [change, member] : cases) {
    Scratch scratch;
    scratch.tamper(std::string("UPDATE envelope SET ") + change + " WHERE leaf_index = 3");
    BOOST_TEST_CONTEXT(change) { check_named(scratch, {"leaf 3: envelope ", member}); }
  }
}

BOOST_AUTO_TEST_CASE(changed_rows_of_trust_are_named_with_their_leaf) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"UPDATE tenant SET zone = 'Europe/Madrid'", "leaf 0: tenant 10", "zone"},
      {"UPDATE tenant SET content_types = '[\"001/001\"]'", "leaf 0: tenant 10", "contentTypes"},
      {"UPDATE enrolment SET allow_sha1_until = NULL", "leaf 1: ", "allowSha1Until"},
      {"UPDATE enrolment SET valid_to = 5", "leaf 1: the enrolment for tenant 10", "validTo"},
      {"UPDATE enrolment SET revoked_at = revoked_at + 1", "leaf 5: the revocation", "time"},
      {"UPDATE enrolment SET revocation_reason = ''", "leaf 5: ", "reason"},
      {"UPDATE enrolment SET revoked_at = NULL", "leaf 5: ", "time"}};
  for (const auto& [sql, leaf, what] : cases) {
    Scratch scratch;
    scratch.tamper(sql);
    BOOST_TEST_CONTEXT(sql) { check_named(scratch, {leaf, what}); }
  }
  Scratch scratch;
  scratch.tamper("UPDATE certificate SET der = x'00'");
  BOOST_REQUIRE(scratch.problems().size() == 2U);  // of the enrolment and of the revocation
  BOOST_TEST(scratch.problems()[0].find("fingerprint") != std::string::npos);
}

// Earlier versions did not revoke what had ended by the clock of the change.
BOOST_AUTO_TEST_CASE(a_revocation_moved_from_an_open_enrolment_to_one_that_had_ended_is_named) {
  Scratch scratch;
  const auto one = [](Instant at, std::uint64_t leaf_index) {
    auto enrolment = Scratch::enrolment(at);
    enrolment.tenant = "11";
    enrolment.leaf_index = leaf_index;
    return enrolment;
  };
  const auto enrol = [&](std::optional<Duration> life) {
    scratch.change([&](Instant at) {
      TrustChange change;
      change.kind = TrustChange::Kind::enrol;
      change.enrolment = one(at, 0);
      if (life) change.enrolment.valid_to = at + *life;
      change.log_entry = log::enrol_entry(change.enrolment);
      return change;
    });
  };
  enrol(Duration(1));  // leaf 7
  enrol(std::nullopt);
  scratch.change([&](Instant at) {
    TrustChange change;
    change.kind = TrustChange::Kind::revoke;
    change.enrolment = one(at, 8);
    change.enrolment.revoked_at = at;
    change.enrolment.revocation_reason = "key lost";
    change.log_entry = log::revoke_entry(change.enrolment);
    return change;
  });
  BOOST_TEST(scratch.problems().empty());
  scratch.tamper(
      "CREATE TEMP TABLE moved AS SELECT revoked_at, revocation_reason FROM enrolment "
      "WHERE leaf_index = 8;"
      "UPDATE enrolment SET revoked_at = NULL, revocation_reason = NULL, "
      "revocation_leaf_index = NULL WHERE leaf_index = 8;"
      "UPDATE enrolment SET (revoked_at, revocation_reason, revocation_leaf_index) = "
      "(SELECT revoked_at, revocation_reason, 9 FROM moved) WHERE leaf_index = 7;"
      "DROP TABLE moved");
  check_named(scratch, {"leaf 9: the revocation", "does not stand with the enrolment of leaf 8"});
  scratch.tamper(
      "UPDATE enrolment SET revoked_at = NULL, revocation_reason = NULL, "
      "revocation_leaf_index = NULL WHERE leaf_index = 7;"
      "UPDATE enrolment SET revoked_at = 1, revocation_reason = 'key lost', "
      "revocation_leaf_index = 1 WHERE leaf_index = 8");
  const auto problems = scratch.problems();
  BOOST_TEST(std::ranges::any_of(problems, [](const std::string& problem) {
    return problem.find("stands with the enrolment of leaf 8, which came later") !=
           std::string::npos;
  }));
}

BOOST_AUTO_TEST_CASE(a_changed_site_import_is_named_with_its_leaf) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"UPDATE site_import SET statements = '[]'", "leaf 7: the site import for tenant 10",
       "statements"},
      {"UPDATE site_import SET tenant = '20'", "leaf 7: the site import", "tenant"},
      {"DELETE FROM site_import", "leaf 7: ", "missing"},
      {"INSERT INTO site_import VALUES (99, '10', '[]')", "leaf 99: the site import", "beyond"}};
  const std::string statements = R"([{"attribute":"unit","value":"L"}])";
  for (const auto& [sql, leaf, what] : cases) {
    Scratch scratch;
    const auto entry = log::site_entry("10", crypto::sha256(as_bytes(statements)), kNow);
    auto transaction = LogTransaction::begin(*scratch.database).value();
    const auto index = append_log_leaf(transaction, entry, kNow).value();
    BOOST_REQUIRE(put_site_import(transaction, {index, "10", statements}));
    BOOST_REQUIRE(transaction.commit());
    BOOST_TEST(scratch.problems().empty());
    scratch.tamper(sql);
    BOOST_TEST_CONTEXT(sql) { check_named(scratch, {leaf, what}); }
  }
}

BOOST_AUTO_TEST_CASE(a_changed_leaf_is_named) {
  const std::pair<const char*, const char*> cases[] = {
      {"UPDATE log_leaf SET leaf_hash = zeroblob(32) WHERE leaf_index = 4", "leaf 4: "},
      {"DELETE FROM envelope WHERE leaf_index = 4", "leaf 4: the row of its envelope is missing"},
      {"DELETE FROM log_leaf WHERE leaf_index = 4", "leaf 4 is missing"},
      {"INSERT INTO log_leaf VALUES (7, zeroblob(32), '{}')", "leaf 7 is beyond the last head"},
      {"UPDATE log_head SET root_hash = zeroblob(32) WHERE tree_size = 5", "head of tree size 5"},
      {"UPDATE log_frontier SET subtrees = zeroblob(96)", "frontier"},
      {"UPDATE log_frontier SET tree_size = 3, subtrees = zeroblob(64)", "frontier"}};
  for (const auto& [sql, leaf] : cases) {
    Scratch scratch;
    scratch.tamper(sql);
    BOOST_TEST_CONTEXT(sql) { check_named(scratch, {leaf}); }
  }
}

BOOST_AUTO_TEST_CASE(a_changed_entry_is_named_even_with_its_row) {
  Scratch scratch;
  scratch.tamper(
      "UPDATE log_leaf SET entry = replace(entry, '\"10\"', '\"20\"') WHERE leaf_index = 4");
  scratch.tamper("UPDATE envelope SET tenant = '20' WHERE leaf_index = 4");
  check_named(scratch, {"leaf 4: its entry does not have its recorded hash"});
}

BOOST_AUTO_TEST_CASE(a_leaf_rewritten_with_its_hash_and_row_contradicts_the_heads) {
  Scratch scratch;
  const auto entry = LogReader(*scratch.database).entries(4, 1).value()[0].entry;
  auto forged = entry;
  forged.replace(forged.find("\"10\""), 4, "\"20\"");
  scratch.tamper("UPDATE log_leaf SET entry = '" + forged + "', leaf_hash = x'" +
                 to_hex(crypto::merkle_leaf_hash(as_bytes(forged))) + "' WHERE leaf_index = 4");
  scratch.tamper("UPDATE envelope SET tenant = '20' WHERE leaf_index = 4");
  const auto problems = scratch.problems();
  BOOST_REQUIRE(!problems.empty());
  BOOST_TEST(problems[0].find("head of tree size 5") != std::string::npos);
  BOOST_TEST(problems[0].find("leaves 4 to 4") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_receipt_contradicts_a_log_that_was_rewritten_whole) {
  // The operator's forgery is perfect: another tenant from the beginning. Only receipts tell.
  Scratch honest;
  auto database = ArchiveDatabase::open(Location::scratch(), OpenMode::create).value();
  auto forged = logged_envelope(0);
  forged.source = "another";
  BOOST_REQUIRE(Ledger(*database).append(std::vector{forged}, kNow));
  BOOST_TEST(log::verify(*database).value().problems.empty());
  const auto refused = log::check_receipt(*database, honest.receipts[0]);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_corrupt));
}

BOOST_AUTO_TEST_CASE(a_receipt_with_any_other_value_is_refused) {
  Scratch scratch;
  const auto good = scratch.receipts[1];
  const auto refused = [&](auto change) {
    auto receipt = good;
    change(receipt);
    return !log::check_receipt(*scratch.database, receipt);
  };
  BOOST_TEST(!refused([](Receipt&) {}));
  BOOST_TEST(refused([](Receipt& r) { r.receipt_id = "01ARYZ6S41ZZZZZZZZZZZZZZZZ"; }));
  BOOST_TEST(refused([](Receipt& r) { r.received_at += std::chrono::milliseconds(1); }));
  BOOST_TEST(refused([](Receipt& r) { r.message_count += 1; }));
  BOOST_TEST(refused([](Receipt& r) { r.payload_digest[0] ^= std::byte{1}; }));
  BOOST_TEST(refused([](Receipt& r) { r.leaf_index += 1; }));
  BOOST_TEST(refused([](Receipt& r) { r.tree_size += 1; }));
  BOOST_TEST(refused([](Receipt& r) { r.root_hash[31] ^= std::byte{1}; }));
}

BOOST_AUTO_TEST_SUITE_END()
