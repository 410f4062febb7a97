#include "trust/api_keys.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <fstream>
#include <iterator>

#include "../support/temporary_folder.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "store/api_key_store.h"
#include "store/log_reader.h"
#include "trust/changes.h"
#include "trust/trust.h"

using namespace district;
using namespace district::trust;

namespace {

const Instant kNow = *parse_date_time("2026-03-01T12:00:00Z");
constexpr auto kDay = std::chrono::hours(24);

struct Scratch {
  test::TemporaryFolder folder;
  std::string path = folder.file("archive.db");
  std::unique_ptr<store::ArchiveDatabase> database =
      store::ArchiveDatabase::open(store::Location::of(path), store::OpenMode::create).value();

  Scratch() {
    for (const auto* code : {"10", "20"}) {
      BOOST_REQUIRE(add_tenant(*database, {code, "A pilot", "Europe/Madrid", {"001/0.0.1"}, {}, {}},
                               kNow - kDay));
    }
  }
  NewApiKey make(ApiKeyRequest request = {"dashboard", ApiRole::reader, false, {"20"}, {}}) {
    auto made = create_api_key(*database, std::move(request), kNow);
    BOOST_REQUIRE(made);
    return *std::move(made);
  }
  bool refused(ApiKeyRequest request) {
    const auto made = create_api_key(*database, std::move(request), kNow);
    return !made && made.error().code == ErrorCode::admin_invalid;
  }
  bool accepted(std::string_view text, Instant at = kNow) {
    const auto found = find_api_key(*database, text, at);
    BOOST_REQUIRE(found);
    return found->has_value();
  }
};

// A row that nobody made by this version, with a text that would open it.
struct WithForgedKey : Scratch {
  std::string key_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
  std::string text = "district_" + key_id + "_" + std::string(64, '0');

  WithForgedKey() {
    execute("INSERT INTO api_key VALUES ('" + key_id + "', x'" + to_hex(crypto::sha256(Bytes(32))) +
            "', 'mine', 1, 1, " + std::to_string(to_micros(kNow - 9 * kDay)) + ", " +
            std::to_string(to_micros(kNow + kDay)) + ", NULL, NULL, NULL, NULL)");
  }
  void execute(const std::string& sql) { BOOST_REQUIRE(database->execute(sql.c_str())); }
  std::vector<std::string> entries() {
    std::vector<std::string> entries;
    const auto leaves = store::LogReader(*database).entries(0, 1000).value();
    for (const auto& leaf : leaves)
      if (leaf.entry.find("apikey") != std::string::npos) entries.push_back(leaf.entry);
    return entries;
  }
  std::vector<std::string> problems() { return log::verify(*database).value().problems; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(api_keys)

BOOST_FIXTURE_TEST_CASE(a_row_without_a_leaf_is_no_key_and_gets_none, WithForgedKey) {
  BOOST_TEST(!accepted(text));
  BOOST_REQUIRE(log_earlier_api_keys(*database, kNow));
  const auto other = make();
  BOOST_TEST(accepted(other.text));
  BOOST_REQUIRE(revoke_api_key(*database, other.key.key_id, "lost", kNow));
  BOOST_TEST(!accepted(text));
  BOOST_TEST(entries().size() == 2U);
  BOOST_REQUIRE_EQUAL(problems().size(), 1U);
  BOOST_TEST(problems()[0] == "API key " + key_id + " is in no leaf; the server refuses it");
}

BOOST_FIXTURE_TEST_CASE(a_key_of_an_earlier_version_gets_a_leaf_once_that_says_when,
                        WithForgedKey) {
  execute("UPDATE api_key SET revoked_at = created_at + 1, revocation_reason = 'lost'");
  execute(
      "INSERT INTO api_key SELECT '01ARZ3NDEKTSV4RRFFQ69G5FAW', secret_sha256, name, 0, 1, "
      "created_at, expires_at, NULL, NULL, NULL, NULL FROM api_key");
  execute("INSERT INTO api_key_to_log SELECT key_id FROM api_key");
  BOOST_TEST(problems().size() == 2U);
  const auto valid = "district_01ARZ3NDEKTSV4RRFFQ69G5FAW_" + std::string(64, '0');
  BOOST_TEST(!accepted(valid));
  BOOST_REQUIRE(log_earlier_api_keys(*database, kNow));
  BOOST_TEST(accepted(valid));
  for (const auto& problem : problems()) BOOST_ERROR(problem);
  BOOST_REQUIRE_EQUAL(entries().size(), 3U);
  for (const auto& entry : entries()) {
    BOOST_TEST((log::time_of(entry) == kNow), entry);
    BOOST_TEST(log::is_of_earlier_api_key(entry), entry);
  }
  // The time that the row has is part of what the leaf holds.
  execute("UPDATE api_key SET created_at = created_at - 1");
  BOOST_TEST(problems().size() == 2U);
}

// Who forges the note as well has a leaf that says when, and one that comes too late.
BOOST_FIXTURE_TEST_CASE(a_key_as_of_an_earlier_version_after_others_is_told, WithForgedKey) {
  make();
  execute("INSERT INTO api_key_to_log SELECT key_id FROM api_key WHERE leaf_index IS NULL");
  BOOST_REQUIRE(log_earlier_api_keys(*database, kNow));
  BOOST_REQUIRE_EQUAL(entries().size(), 2U);
  BOOST_TEST((log::time_of(entries()[1]) == kNow));
  BOOST_REQUIRE_EQUAL(problems().size(), 1U);
  BOOST_TEST(problems()[0].find("later than these do") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_key_is_void_whose_row_hides_a_revocation, Scratch) {
  const auto made = make();
  BOOST_REQUIRE(revoke_api_key(*database, made.key.key_id, "lost", kNow));
  BOOST_REQUIRE(
      database->execute("UPDATE api_key SET revoked_at = NULL, revocation_reason = NULL"));
  BOOST_TEST(!accepted(made.text));
}

BOOST_FIXTURE_TEST_CASE(a_key_is_found_by_its_text_with_its_role_and_tenants, Scratch) {
  const auto made = make({"dashboard", ApiRole::reader, false, {"20", "10", "20"}, {}});
  const auto found = find_api_key(*database, made.text, kNow);
  BOOST_REQUIRE(found);
  BOOST_REQUIRE(found->has_value());
  BOOST_TEST((*found)->key_id == made.key.key_id);
  BOOST_TEST((*found)->name == "dashboard");
  BOOST_TEST(((*found)->role == ApiRole::reader));
  BOOST_TEST(!(*found)->every_tenant);
  BOOST_TEST(((*found)->tenants == std::vector<std::string>{"10", "20"}));
  BOOST_TEST(((*found)->expires_at == kNow + 365 * kDay));
}

BOOST_FIXTURE_TEST_CASE(a_text_that_differs_in_any_character_is_no_key, Scratch) {
  const auto made = make();
  for (std::size_t place = 0; place < made.text.size(); ++place) {
    auto other = made.text;
    other[place] = other[place] == '1' ? '2' : '1';
    BOOST_TEST(!accepted(other), place);
  }
  BOOST_TEST(!accepted(""));
  BOOST_TEST(!accepted(made.text + "0"));
  BOOST_TEST(!accepted(made.text.substr(0, made.text.size() - 1)));
  BOOST_TEST(!accepted(made.key.key_id));
}

BOOST_FIXTURE_TEST_CASE(the_secret_of_one_key_does_not_open_another, Scratch) {
  const auto one = make(), two = make();
  BOOST_TEST(one.text != two.text);
  const auto id_end = std::string_view("district_").size() + one.key.key_id.size();
  BOOST_TEST(!accepted(one.text.substr(0, id_end) + two.text.substr(id_end)));
}

BOOST_FIXTURE_TEST_CASE(no_text_opens_an_id_that_does_not_exist, Scratch) {
  auto text = make().text;
  const auto id_begin = std::string_view("district_").size();
  text.replace(id_begin, 26, "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  BOOST_TEST(!accepted(text));
}

BOOST_FIXTURE_TEST_CASE(a_key_is_in_force_until_its_expiry_whatever_the_clock_of_its_maker,
                        Scratch) {
  const auto made = make({"dashboard", ApiRole::reader, false, {"20"}, kNow + kDay});
  BOOST_TEST(accepted(made.text, kNow - kDay));
  BOOST_TEST(accepted(made.text, kNow));
  BOOST_TEST(accepted(made.text, kNow + kDay - Duration(1)));
  BOOST_TEST(!accepted(made.text, kNow + kDay));
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_is_void_at_once_and_stays_on_record, Scratch) {
  const auto made = make(), other = make();
  BOOST_REQUIRE(revoke_api_key(*database, made.key.key_id, "lost", kNow + kDay));
  BOOST_TEST(!accepted(made.text, kNow + kDay));
  BOOST_TEST(!accepted(made.text, kNow), "a clock that is set back revives nothing");
  BOOST_TEST(accepted(other.text, kNow + kDay));

  const auto unexplained = revoke_api_key(*database, other.key.key_id, " ", kNow + kDay);
  BOOST_REQUIRE(!unexplained);
  BOOST_TEST((unexplained.error().code == ErrorCode::admin_invalid));

  const auto again = revoke_api_key(*database, made.key.key_id, "other", kNow + 2 * kDay);
  BOOST_REQUIRE(!again);
  BOOST_TEST((again.error().code == ErrorCode::admin_conflict));
  const auto recorded = store::ApiKeyStore(*database).find(made.key.key_id);
  BOOST_REQUIRE(recorded);
  BOOST_TEST(((*recorded)->revoked_at == kNow + kDay));
  BOOST_TEST((*recorded)->revocation_reason == "lost");
  BOOST_TEST(store::ApiKeyStore(*database).list()->size() == 2U);

  const auto unknown = revoke_api_key(*database, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "lost", kNow);
  BOOST_REQUIRE(!unknown);
  BOOST_TEST((unknown.error().code == ErrorCode::not_found));
}

BOOST_FIXTURE_TEST_CASE(a_key_needs_a_name_known_tenants_and_an_expiry_ahead, Scratch) {
  using Role = ApiRole;
  BOOST_TEST(refused({"", Role::reader, false, {"20"}, {}}));
  BOOST_TEST(refused({"two\nlines", Role::reader, false, {"20"}, {}}));
  BOOST_TEST(refused({std::string(201, 'x'), Role::reader, false, {"20"}, {}}));
  BOOST_TEST(refused({"x", Role::reader, false, {}, {}}));
  BOOST_TEST(refused({"x", Role::reader, true, {"20"}, {}}));
  const auto unknown =
      create_api_key(*database, {"x", Role::reader, false, {"20", "99"}, {}}, kNow);
  BOOST_REQUIRE(!unknown);
  BOOST_TEST((unknown.error().code == ErrorCode::not_found));
  BOOST_TEST(refused({"x", Role::reader, false, {"20"}, kNow}));
  BOOST_TEST(refused({"x", Role::reader, false, {"20"}, kNow + 3651 * kDay}));
  BOOST_TEST(store::ApiKeyStore(*database).list()->empty());
}

BOOST_FIXTURE_TEST_CASE(the_database_holds_neither_the_text_nor_the_secret, Scratch) {
  const auto made = make();
  const auto digits = made.text.substr(made.text.size() - 64);
  const auto secret = from_hex(digits);
  BOOST_REQUIRE(secret);
  BOOST_TEST((crypto::sha256(*secret) == made.key.secret_sha256));
  bool digest_seen = false;
  for (const auto& file : {path, path + "-wal"}) {
    std::ifstream in(file, std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST((octets.find(digits) == std::string::npos));
    BOOST_TEST((octets.find(as_text(*secret)) == std::string::npos));
    digest_seen = digest_seen || octets.find(as_text(made.key.secret_sha256)) != std::string::npos;
  }
  BOOST_TEST(digest_seen);
}

BOOST_AUTO_TEST_SUITE_END()
