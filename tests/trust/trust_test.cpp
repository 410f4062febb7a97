#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "../support/demo_certificates.h"
#include "../support/sample_envelopes.h"
#include "../support/temporary_folder.h"
#include "log/log.h"
#include "store/ledger.h"
#include "store/log_reader.h"
#include "trust/changes.h"
#include "trust/trust.h"

using namespace district;
using namespace district::trust;

namespace {

// An hour ahead, so that certificates made during the tests have begun.
const Instant kNow =
    std::chrono::floor<Duration>(std::chrono::system_clock::now()) + std::chrono::hours(1);
constexpr auto kDay = std::chrono::hours(24);
constexpr auto kMinute = std::chrono::minutes(1);

const test::DemoCertificates& pki() {
  static const test::DemoCertificates made;
  return made;
}
const crypto::Certificate& certificate() {
  static const auto made = pki().make("one");
  return made;
}
const crypto::Certificate& another() {
  static const auto made = pki().make("two");
  return made;
}

Tenant barcelona() {
  return {"20", "Barcelona, shops and homes", "Europe/Madrid", {"001/0.0.1", "002/001"}, {}, {}};
}

struct Scratch {
  test::TemporaryFolder folder;
  std::string path = folder.file("archive.db");
  std::unique_ptr<store::ArchiveDatabase> database =
      store::ArchiveDatabase::open(store::Location::of(path), store::OpenMode::create).value();

  Scratch() {
    BOOST_REQUIRE(add_tenant(*database, barcelona(), kNow));
    auto kalundborg = barcelona();
    kalundborg.code = "10";
    BOOST_REQUIRE(add_tenant(*database, kalundborg, kNow));
  }

  Result<Ok> enrol_one(const crypto::Certificate& what, const std::string& tenant = "20",
                       Instant now = kNow) {
    return enrol(*database, std::vector{request(what, tenant)}, now);
  }
  Result<Ok> enrol_until(const crypto::Certificate& what, Instant valid_to) {
    auto ends = request(what);
    ends.valid_to = valid_to;
    return enrol(*database, std::vector{ends}, kNow);
  }
  static EnrolRequest request(const crypto::Certificate& what, const std::string& tenant = "20") {
    return {tenant, what, {}, {}, {}, "pilots.csv line 2"};
  }
  TrustSnapshot snapshot() { return TrustSnapshot(store::TrustStore(*database).load().value()); }
  std::size_t leaves() { return store::LogReader(*database).entries(0, 1000).value().size(); }
  void check_log() {
    const auto report = log::verify(*database).value();
    for (const auto& problem : report.problems) BOOST_ERROR(problem);
  }
};

void check_failed(const Result<Ok>& result, ErrorCode code, const std::string& part) {
  BOOST_REQUIRE(!result);
  BOOST_TEST(static_cast<int>(result.error().code) == static_cast<int>(code));
  BOOST_TEST_CONTEXT(result.error().detail) {
    BOOST_TEST(result.error().detail.find(part) != std::string::npos);
  }
  BOOST_TEST(!result.error().hint.empty());
}

std::string tenants(const std::vector<const Enrolment*>& enrolments) {
  std::string codes;
  for (const auto* enrolment : enrolments) codes += enrolment->tenant + " ";
  return codes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tenants_of_trust)

BOOST_AUTO_TEST_CASE(a_change_of_a_tenant_counts_from_its_leaf_on) {
  Scratch scratch;
  auto changed = barcelona();
  changed.content_types = {"001/0.0.1"};
  changed.sources = {"shop-1"};
  BOOST_REQUIRE(add_tenant(*scratch.database, changed, kNow + kDay));
  const auto snapshot = scratch.snapshot();
  BOOST_REQUIRE(snapshot.tenant("20"));
  BOOST_TEST(snapshot.tenant("20")->sources.size() == 1U);
  BOOST_TEST(snapshot.tenant("99") == nullptr);
  // By their leaves.
  BOOST_TEST(snapshot.as_of_leaf(0).tenant("20") == nullptr);
  BOOST_REQUIRE(snapshot.as_of_leaf(1).tenant("20"));
  BOOST_TEST(snapshot.as_of_leaf(2).tenant("20")->content_types.size() == 2U);
  BOOST_TEST(snapshot.as_of_leaf(2).tenant("20")->sources.empty());
  BOOST_TEST(snapshot.as_of_leaf(3).tenant("20")->sources.size() == 1U);
  // By their times, for who names no leaf.
  BOOST_TEST(snapshot.as_of(kNow - Duration(1)).tenant("20") == nullptr);
  BOOST_TEST(snapshot.as_of(kNow + kDay - Duration(1)).tenant("20")->sources.empty());
  BOOST_TEST(snapshot.as_of(kNow + kDay).tenant("20")->sources.size() == 1U);
  BOOST_TEST(snapshot.epoch() == 3U);
  BOOST_TEST(scratch.leaves() == 3U);
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(a_tenant_that_is_set_up_like_that_already_is_a_conflict) {
  Scratch scratch;
  check_failed(add_tenant(*scratch.database, barcelona(), kNow + kDay), ErrorCode::admin_conflict,
               "20");
  BOOST_TEST(scratch.leaves() == 2U);
}

BOOST_AUTO_TEST_CASE(a_change_holds_at_once_also_after_the_clock_was_ahead) {
  Scratch scratch;
  auto changed = barcelona();
  changed.sources = {"shop-1"};
  BOOST_REQUIRE(add_tenant(*scratch.database, changed, kNow + kDay));
  BOOST_REQUIRE(add_tenant(*scratch.database, barcelona(), kNow));
  BOOST_TEST(scratch.leaves() == 4U);
  const auto snapshot = scratch.snapshot();
  BOOST_TEST(snapshot.tenant("20")->sources.empty());
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  const auto enrolled = scratch.snapshot();
  BOOST_TEST(enrolled.active(*enrolled.find_by_sha256(certificate().sha256()), kNow).size() == 1U);
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_tenant_are_named) {
  Scratch scratch;
  const auto check = [&](auto change, const std::string& part) {
    auto tenant = barcelona();
    change(tenant);
    check_failed(add_tenant(*scratch.database, tenant, kNow), ErrorCode::admin_invalid, part);
  };
  for (const char* code : {"", " 20", "2  0", "2\n0", "\xff", "2\u200b0", "2\u202e0", "2\u00850"}) {
    check([&](Tenant& t) { t.code = code; }, "code");
  }
  for (const char* zone :
       {"", "Europe/Atlantis", "/Europe/Madrid", "../zoneinfo/Europe/Madrid", "Europe",
        "Europe/Madrid\n", "tzdata.zi", "Europe//../Madrid", "localtime", "posixrules", "Factory",
        "right/Europe/Madrid", "posix/Europe/Madrid"}) {
    check([&](Tenant& t) { t.zone = zone; }, "zone");
  }
  for (const char* type : {"001", "/001", "001/", "001/1/1", "001 /1"}) {
    check([&](Tenant& t) { t.content_types = {type}; }, "content type");
  }
  check([](Tenant& t) { t.content_types.clear(); }, "content type");
  check([](Tenant& t) { t.name = std::string(201, 'x'); }, "name");
  check([](Tenant& t) { t.sources = {"shop 1", ""}; }, "source");
  BOOST_TEST(scratch.leaves() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(enrolment)

BOOST_AUTO_TEST_CASE(an_enrolled_certificate_is_found_by_each_of_its_names) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  BOOST_REQUIRE(scratch.enrol_one(another(), "10"));
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "10"));
  const auto snapshot = scratch.snapshot();
  const auto* found = snapshot.find_by_sha256(certificate().sha256());
  BOOST_REQUIRE(found);
  BOOST_TEST(tenants(snapshot.active(*found, kNow + Duration(9))) == "20 10 ");
  const std::vector<const EnrolledCertificate*> only{found};
  BOOST_TEST((snapshot.find_by_sha1(certificate().sha1()) == only));
  BOOST_REQUIRE(certificate().subject_key_identifier());
  BOOST_TEST(
      (snapshot.find_by_subject_key_identifier(*certificate().subject_key_identifier()) == only));
  BOOST_TEST((snapshot.find_by_issuer_serial(certificate().issuer(),
                                             certificate().serial_decimal()) == only));
  BOOST_TEST((snapshot.find_by_issuer_serial(certificate().issuer(),
                                             "00" + certificate().serial_decimal()) == only));
  BOOST_TEST(
      snapshot.find_by_issuer_serial(another().issuer(), certificate().serial_decimal()).empty());
  BOOST_TEST(snapshot.find_by_issuer_serial(certificate().issuer(), "7").empty());
  BOOST_TEST(snapshot.find_by_sha256({}) == nullptr);
  BOOST_TEST(snapshot.find_by_sha1({}).empty());
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(an_enrolment_counts_within_its_period_and_the_certificates) {
  Scratch scratch;
  auto request = Scratch::request(certificate());
  request.valid_from = kNow + kDay;
  request.valid_to = kNow + 2 * kDay;
  request.allow_sha1_until = kNow + 2 * kDay;
  BOOST_REQUIRE(enrol(*scratch.database, std::vector{request}, kNow));
  BOOST_REQUIRE(scratch.enrol_one(another()));
  const auto snapshot = scratch.snapshot();
  const auto& found = *snapshot.find_by_sha256(certificate().sha256());
  BOOST_TEST(snapshot.active(found, kNow + kDay - Duration(1)).empty());
  BOOST_REQUIRE(snapshot.active(found, kNow + kDay).size() == 1U);
  BOOST_TEST(snapshot.active(found, kNow + kDay)[0]->allow_sha1_until.has_value());
  BOOST_TEST(snapshot.active(found, kNow + 2 * kDay).empty());
  const auto& open = *snapshot.find_by_sha256(another().sha256());
  BOOST_TEST(snapshot.active(open, another().not_after()).size() == 1U);
  BOOST_TEST(snapshot.active(open, another().not_after() + Duration(1)).empty());
  scratch.check_log();
}

// The clocks of the administrator's machine and of the nodes need not agree.
BOOST_AUTO_TEST_CASE(an_enrolment_without_a_stated_begin_begins_with_its_leaf) {
  Scratch scratch;
  auto request = Scratch::request(certificate());
  request.valid_from = kNow + 2 * kMinute;
  const auto before = scratch.leaves();
  BOOST_REQUIRE(enrol(*scratch.database, std::vector{request}, kNow));
  BOOST_REQUIRE(scratch.enrol_one(another()));
  const auto snapshot = scratch.snapshot();
  const auto& stated = *snapshot.find_by_sha256(certificate().sha256());
  BOOST_TEST(snapshot.active(stated, kNow + kMinute).empty());
  BOOST_TEST(snapshot.active(stated, kNow + 2 * kMinute).size() == 1U);
  const auto& open = *snapshot.find_by_sha256(another().sha256());
  BOOST_TEST(snapshot.active(open, kNow - kMinute).size() == 1U);
  BOOST_TEST(snapshot.as_of_leaf(before + 1).active(open, kNow).empty());
  BOOST_TEST(snapshot.as_of_leaf(before + 2).active(open, kNow - kMinute).size() == 1U);
  // Who names no leaf asks by the time of the change.
  BOOST_TEST(snapshot.as_of(kNow - kMinute).find_by_sha256(another().sha256()) == nullptr);
}

// A begin that somebody stated counts by the clock, also where the change is dated after it.
BOOST_AUTO_TEST_CASE(a_stated_begin_counts_by_the_clock_though_a_clock_was_ahead) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(another(), "20", kNow + kDay));
  auto request = Scratch::request(certificate());
  request.valid_from = kNow + kMinute;
  BOOST_REQUIRE(enrol(*scratch.database, std::vector{request}, kNow));
  const auto snapshot = scratch.snapshot();
  const auto& stated = *snapshot.find_by_sha256(certificate().sha256());
  BOOST_TEST(snapshot.active(stated, kNow).empty());
  BOOST_TEST(snapshot.active(stated, kNow + kMinute).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_cannot_sign_is_not_enrolled) {
  Scratch scratch;
  const auto invalid = ErrorCode::admin_invalid;
  check_failed(scratch.enrol_one(pki().make("weak", "-days 30", "rsa:1024")), invalid,
               "pilots.csv line 2: ");
  check_failed(scratch.enrol_one(pki().make("usage", "-days 30 -addext keyUsage=keyEncipherment")),
               invalid, "digitalSignature");
  check_failed(scratch.enrol_one(pki().make("root", "-days 30 -addext basicConstraints=CA:TRUE")),
               invalid, "is an authority's (CA:TRUE)");
  // OpenSSL 3.0 adds no constraints of its own to what it is given.
  test::TemporaryFolder made;
  const auto file = made.file("made.pem");
  const std::string command =
      "printf '[req]\ndistinguished_name=n\n[n]\n' >" + file +
      ".cnf && openssl req -x509 -config " + file +
      ".cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj " +
      "/CN=x -days 30 -addext keyUsage=digitalSignature,keyCertSign -out " + file + " 2>/dev/null";
  BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
  check_failed(scratch.enrol_one(crypto::Certificate::from_pem_file(file).value()), invalid,
               "is an authority's (keyCertSign without basic constraints)");
  check_failed(scratch.enrol_one(certificate(), "20", certificate().not_after() + Duration(1)),
               invalid, "expired");
  check_failed(scratch.enrol_one(certificate(), "99"), ErrorCode::not_found, "unknown tenant '99'");
  check_failed(enrol(*scratch.database, {}, kNow), invalid, "nothing");
  BOOST_TEST(scratch.leaves() == 2U);
}

BOOST_AUTO_TEST_CASE(mistakes_in_the_period_are_named) {
  Scratch scratch;
  const auto check = [&](auto change, const std::string& part) {
    auto request = Scratch::request(certificate());
    change(request);
    check_failed(enrol(*scratch.database, std::vector{request}, kNow), ErrorCode::admin_invalid,
                 part);
  };
  check([](EnrolRequest& r) { r.valid_from = kNow + kDay, r.valid_to = kNow + kDay; },
        "end before");
  check([](EnrolRequest& r) { r.valid_from = kNow - 2 * kDay, r.valid_to = kNow - kDay; },
        "ended already");
  check([](EnrolRequest& r) { r.valid_from = kNow + 365 * kDay; },
        "after the certificate has expired");
  check([](EnrolRequest& r) { r.allow_sha1_until = kNow - kDay; }, "SHA-1");
}

BOOST_AUTO_TEST_CASE(a_list_is_enrolled_whole_or_not_at_all) {
  Scratch scratch;
  const auto twice = std::vector{Scratch::request(certificate()), Scratch::request(another()),
                                 Scratch::request(certificate())};
  check_failed(enrol(*scratch.database, twice, kNow), ErrorCode::admin_conflict,
               "already enrolled");
  BOOST_TEST(scratch.leaves() == 2U);
  BOOST_REQUIRE(enrol(*scratch.database, std::span(twice).first(2), kNow));
  BOOST_TEST(scratch.leaves() == 4U);
  BOOST_TEST(store::LogReader(*scratch.database).heads(0, 9).value().size() == 3U);
  check_failed(scratch.enrol_one(another()), ErrorCode::admin_conflict, "already enrolled");
  scratch.check_log();
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(revocation)

BOOST_AUTO_TEST_CASE(a_revoked_certificate_may_be_enrolled_again_and_history_is_kept) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  const auto fingerprint = to_hex(certificate().sha256());
  BOOST_TEST(
      revoke(*scratch.database, fingerprint, std::nullopt, "key lost", kNow + kDay).value() == 1U);
  const auto again = revoke(*scratch.database, fingerprint, std::nullopt, "key lost", kNow + kDay);
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == ErrorCode::not_found));
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "20", kNow + 2 * kDay));

  const auto snapshot = scratch.snapshot();
  const auto& found = *snapshot.find_by_sha256(certificate().sha256());
  BOOST_REQUIRE(found.enrolments.size() == 2U);
  BOOST_TEST(found.enrolments[0].revocation_reason == "key lost");
  // A revocation that is known holds at any instant; the second enrolment is not known at leaf 4.
  BOOST_TEST(snapshot.as_of_leaf(4).active(found, kNow + kDay - Duration(1)).empty());
  BOOST_TEST(snapshot.as_of_leaf(4).active(found, kNow + kDay).empty());
  BOOST_TEST(snapshot.active(found, kNow + 2 * kDay).size() == 1U);
  // Leaves: two tenants, the enrolment, its revocation, the second enrolment.
  const auto active_at_leaf = [&](std::uint64_t leaf_index) {
    return snapshot.as_of_leaf(leaf_index).active(found, kNow + 2 * kDay).size();
  };
  BOOST_TEST(active_at_leaf(2) == 0U);
  BOOST_TEST(active_at_leaf(3) == 1U);
  BOOST_TEST(active_at_leaf(4) == 0U);
  BOOST_TEST(active_at_leaf(5) == 1U);
  BOOST_TEST(snapshot.as_of_leaf(2).enrolments_of(found).empty());
  const auto before = snapshot.as_of_leaf(3).enrolments_of(found);
  BOOST_REQUIRE(before.size() == 1U);
  BOOST_TEST(!before[0].revoked_at);
  BOOST_TEST(before[0].revocation_reason.empty());
  const auto then = snapshot.as_of(kNow + kDay - Duration(1));
  BOOST_TEST(then.active(*then.find_by_sha256(certificate().sha256()), kNow + kDay / 2).size() ==
             1U);
  scratch.check_log();

  BOOST_TEST(
      revoke(*scratch.database, fingerprint, std::nullopt, "again", kNow + 3 * kDay).value() == 1U);
  BOOST_TEST((scratch.snapshot().records().enrolments[0].revoked_at == kNow + kDay));
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(it_is_revoked_for_one_tenant_or_for_all) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "10"));
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "20"));
  const auto beginning = to_hex(certificate().sha256()).substr(0, 8);
  BOOST_TEST(revoke(*scratch.database, beginning, "10", "moved", kNow + kDay).value() == 1U);
  auto snapshot = scratch.snapshot();
  BOOST_TEST(tenants(snapshot.active(*snapshot.find_by_sha256(certificate().sha256()),
                                     kNow + kDay)) == "20 ");
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "10", kNow + 2 * kDay));
  BOOST_TEST(revoke(*scratch.database, beginning, std::nullopt, "lost", kNow + 3 * kDay).value() ==
             2U);
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(what_has_ended_by_the_clock_of_the_change_is_revoked_too) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_until(certificate(), kNow + kMinute));
  const auto fingerprint = to_hex(certificate().sha256());
  const auto active = [&] {
    const auto snapshot = scratch.snapshot();
    return snapshot.active(*snapshot.find_by_sha256(certificate().sha256()), kNow).size();
  };
  BOOST_TEST(active() == 1U);
  BOOST_TEST(revoke(*scratch.database, fingerprint, std::nullopt, "lost", kNow + kDay).value() ==
             1U);
  BOOST_TEST(active() == 0U);  // by a clock that is a day behind
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(of_certificates_with_one_key_the_last_enrolled_comes_first) {
  Scratch scratch;
  const auto key = *certificate().subject_key_identifier();
  std::vector<Sha256Digest> enrolled;
  for (int i = 0; i < 30; ++i) {
    const auto renewed = pki().renew("renewed" + std::to_string(i), "one");
    BOOST_REQUIRE(renewed.subject_key_identifier() == key);
    BOOST_REQUIRE(scratch.enrol_one(renewed));
    BOOST_REQUIRE(scratch.enrol_one(pki().make("other" + std::to_string(i))));
    enrolled.insert(enrolled.begin(), renewed.sha256());
    std::vector<Sha256Digest> found;
    const auto snapshot = scratch.snapshot();
    for (const auto* one : snapshot.find_by_subject_key_identifier(key))
      found.push_back(one->certificate.sha256());
    BOOST_TEST((found == enrolled));
  }
}

BOOST_AUTO_TEST_CASE(one_that_ended_and_one_that_goes_on_are_revoked_together) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_until(certificate(), kNow + kMinute));
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "20", kNow + kMinute));
  BOOST_TEST(
      revoke(*scratch.database, to_hex(certificate().sha256()), "20", "lost", kNow + 2 * kMinute)
          .value() == 2U);
  const auto snapshot = scratch.snapshot();
  const auto& enrolments = snapshot.records().enrolments;
  BOOST_REQUIRE(enrolments.size() == 2U);
  for (const auto& enrolment : enrolments) BOOST_TEST(enrolment.revoked_at.has_value());
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(mistakes_in_a_revocation_are_named) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  const auto fingerprint = to_hex(certificate().sha256());
  const auto code = [&](const std::string& given, const std::optional<std::string>& tenant,
                        const std::string& reason) {
    const auto revoked = revoke(*scratch.database, given, tenant, reason, kNow);
    BOOST_REQUIRE(!revoked);
    BOOST_TEST(!revoked.error().hint.empty());
    return revoked.error().code;
  };
  BOOST_TEST((code(fingerprint.substr(0, 7), {}, "lost") == ErrorCode::admin_invalid));
  BOOST_TEST((code("pilot.pem", {}, "lost") == ErrorCode::admin_invalid));
  BOOST_TEST((code(fingerprint + "00", {}, "lost") == ErrorCode::admin_invalid));
  BOOST_TEST((code(std::string(64, '0'), {}, "lost") == ErrorCode::not_found));
  BOOST_TEST((code(fingerprint, "10", "lost") == ErrorCode::not_found));
  BOOST_TEST((code(fingerprint, {}, "") == ErrorCode::admin_invalid));
  // As openssl x509 -fingerprint writes it.
  std::string colons;
  for (std::size_t i = 0; i < fingerprint.size(); i += 2) {
    for (const char c : fingerprint.substr(i, 2)) colons += static_cast<char>(std::toupper(c));
    if (i + 2 < fingerprint.size()) colons += ':';
  }
  BOOST_TEST(revoke(*scratch.database, colons, std::nullopt, "lost", kNow).has_value());
}

BOOST_AUTO_TEST_CASE(a_beginning_that_fits_two_certificates_is_refused) {
  Scratch scratch;
  // Two fingerprints with eight digits in common are beyond a test's means; stored rows do.
  const auto stored = store::TrustStore(*scratch.database)
                          .change(kNow,
                                  [](const store::TrustRecords&,
                                     Instant at) -> Result<std::vector<store::TrustChange>> {
                                    std::vector<store::TrustChange> changes(2);
                                    for (std::size_t i = 0; i < 2; ++i) {
                                      changes[i].kind = store::TrustChange::Kind::enrol;
                                      auto& enrolment = changes[i].enrolment;
                                      enrolment.tenant = "20";
                                      enrolment.certificate_sha256.fill(std::byte{0xab});
                                      enrolment.certificate_sha256[31] = static_cast<std::byte>(i);
                                      enrolment.enrolled_at = enrolment.valid_from = at;
                                      changes[i].log_entry = log::enrol_entry(enrolment);
                                    }
                                    return changes;
                                  });
  BOOST_REQUIRE(stored);
  const auto refused = revoke(*scratch.database, "abababab", std::nullopt, "lost", kNow);
  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::admin_invalid));
  BOOST_TEST(refused.error().hint.find("more digits") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_clock_by_which_an_envelope_was_received_does_not_date_a_revocation) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  auto envelope = test::sample_envelope(0, "20");
  envelope.certificate_sha256 = certificate().sha256();
  envelope.received_at = kNow + kDay;  // that node's clock was ahead
  envelope.replay_until = envelope.received_at + kDay;
  envelope.trust_epoch = 3;
  store::Ledger archive(*scratch.database);
  const auto outcome = archive.append(std::vector{envelope}, kNow);
  BOOST_REQUIRE(outcome);
  const auto leaf_index = std::get<Receipt>(outcome->front()).leaf_index;
  BOOST_REQUIRE(revoke(*scratch.database, to_hex(certificate().sha256()), std::nullopt, "lost",
                       kNow + Duration(5)));
  const auto snapshot = scratch.snapshot();
  BOOST_TEST((snapshot.records().enrolments[0].revoked_at == kNow + Duration(5)));
  // It holds at once, for every clock; and a replay of what came before it knows nothing of it.
  const auto& found = *snapshot.find_by_sha256(certificate().sha256());
  BOOST_TEST(snapshot.active(found, kNow).empty());
  BOOST_TEST(snapshot.active(found, envelope.received_at).empty());
  BOOST_TEST(snapshot.as_of_leaf(leaf_index).active(found, envelope.received_at).size() == 1U);
}

BOOST_AUTO_TEST_CASE(changes_are_dated_in_their_order) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate(), "20", kNow + kDay));  // the clock was ahead
  BOOST_REQUIRE(scratch.enrol_one(another()));
  auto narrowed = barcelona();
  narrowed.content_types = {"001/0.0.1"};
  BOOST_REQUIRE(add_tenant(*scratch.database, narrowed, kNow));
  BOOST_TEST(scratch.snapshot().tenant("20")->content_types.size() == 1U);
  BOOST_REQUIRE(
      revoke(*scratch.database, to_hex(certificate().sha256()), std::nullopt, "lost", kNow));
  const auto snapshot = scratch.snapshot();
  BOOST_TEST((snapshot.records().enrolments[0].revoked_at == kNow + kDay + Duration(3)));
  BOOST_TEST(snapshot.active(*snapshot.find_by_sha256(another().sha256()), kNow).size() == 1U);
  BOOST_TEST(
      snapshot.active(*snapshot.find_by_sha256(certificate().sha256()), kNow + kDay).empty());
  scratch.check_log();
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(snapshots)

BOOST_AUTO_TEST_CASE(memory_is_as_it_was_read_until_the_database_is_asked) {
  Scratch scratch;
  auto trust = Trust::open(store::Location::of(scratch.path), store::OpenMode::existing);
  BOOST_REQUIRE(trust);
  const auto before = (*trust)->snapshot();
  BOOST_TEST(((*trust)->refresh().value() == before));  // the same object: nothing was read again
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  BOOST_TEST(((*trust)->snapshot() == before));
  const auto after = (*trust)->refresh().value();
  BOOST_TEST(((*trust)->snapshot() == after));
  BOOST_TEST(after->epoch() == before->epoch() + 1);
  BOOST_TEST(after->find_by_sha256(certificate().sha256()) != nullptr);
  BOOST_TEST(before->find_by_sha256(certificate().sha256()) == nullptr);
}

BOOST_AUTO_TEST_CASE(whoever_asks_after_a_change_is_told_of_it_however_many_ask_at_once) {
  Scratch scratch;
  const auto trust =
      Trust::open(store::Location::of(scratch.path), store::OpenMode::existing).value();
  std::atomic<std::uint64_t> changed{trust->snapshot()->epoch()};
  std::atomic<bool> ended{false};
  std::atomic<int> late{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 4; ++i) {
    askers.emplace_back([&] {
      while (!ended) {
        const auto known = changed.load();  // committed before the question
        const auto current = trust->refresh();
        if (!current || (*current)->epoch() < known || trust->snapshot()->epoch() < known) ++late;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    auto tenant = barcelona();
    tenant.name += std::to_string(i);
    BOOST_REQUIRE(add_tenant(*scratch.database, tenant, kNow + kDay));
    ++changed;
  }
  ended = true;
  for (auto& asker : askers) asker.join();
  BOOST_TEST(late == 0);
  BOOST_TEST(trust->refresh().value()->epoch() == changed);
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_the_one_enrolled_cannot_sign) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.enrol_one(certificate()));
  const auto swapped = "UPDATE certificate SET der = x'" + to_hex(another().der()) + "'";
  BOOST_REQUIRE(scratch.database->execute(swapped.c_str()));
  const auto snapshot = scratch.snapshot();
  BOOST_TEST(snapshot.find_by_sha256(certificate().sha256()) == nullptr);
  BOOST_TEST(snapshot.find_by_sha256(another().sha256()) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
