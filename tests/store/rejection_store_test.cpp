#include "store/rejection_store.h"

#include <boost/test/unit_test.hpp>

#include "../support/temporary_folder.h"
#include "base/ulid.h"

using namespace district;
using namespace district::store;
using namespace std::chrono_literals;

namespace {

const Instant kNow = from_micros(1'760'000'000'000'000);

Rejection sample(unsigned n, const std::string& tenant = "", std::size_t raw_octets = 100) {
  Rejection rejection;
  std::array<std::byte, 10> random{};
  random[8] = static_cast<std::byte>(n >> 8U);
  random[9] = static_cast<std::byte>(n);
  rejection.rejected_at = rejection.last_at = kNow + std::chrono::seconds(n);
  rejection.rejection_id = make_ulid(rejection.rejected_at, random);
  rejection.code = ErrorCode::signature_failed;
  rejection.detail = "cause " + std::to_string(n);
  rejection.tenant = tenant;
  rejection.authenticated = !tenant.empty();
  rejection.raw_zstd = Bytes(raw_octets, std::byte{1});
  rejection.raw_kept = raw_octets;
  return rejection;
}

struct Scratch {
  test::TemporaryFolder folder;
  std::string path = folder.file("rejections.db");
  std::unique_ptr<RejectionStore> store = RejectionStore::open(path, OpenMode::create).value();
  RejectionBounds bounds;

  void add(const std::vector<Rejection>& rejections, Instant now = kNow + 1h) {
    const auto added = store->add(rejections, bounds, now);
    BOOST_REQUIRE_MESSAGE(added, (added ? "" : added.error().detail));
  }
  std::size_t rows(const RejectionFilter& filter = {.limit = 100'000}) {
    return store->list(filter).value().size();
  }
  bool has_raw(const Rejection& rejection) {
    const auto found = store->find(rejection.rejection_id);
    return found && !found->raw_zstd.empty();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rejection_store, Scratch)

BOOST_AUTO_TEST_CASE(every_fact_comes_back_as_it_was_kept) {
  auto kept = sample(1, "20");
  kept.hint = "a hint";
  kept.violations = {{2, "/messages/message[2]", 37, "no number"}};
  kept.first_receipt_id = "01JD";
  kept.diagnosis.rule = "BSP 1.1 R3227";
  kept.diagnosis.reference = "Body";
  kept.diagnosis.expected_digest = "AAA=";
  kept.diagnosis.computed_digest = "BBB=";
  kept.diagnosis.created = kNow;
  kept.diagnosis.key_reference = "Reference to #X";
  kept.diagnosis.certificate_sha256 = "00ff";
  kept.diagnosis.subject = "CN=x";
  kept.diagnosis.tenant = "20, 30";
  kept.diagnosis.signature_method = "urn:method";
  kept.peer = "192.0.2.1";
  kept.content_type = "text/xml";
  kept.content_encoding = "gzip";
  kept.soap_action = "urn:action";
  kept.size = 4711;
  kept.size_is_whole = false;
  add({kept});
  const auto found = store->find(kept.rejection_id).value();
  BOOST_TEST((found.rejected_at == kept.rejected_at));
  BOOST_TEST((found.code == kept.code));
  BOOST_TEST(found.detail == kept.detail);
  BOOST_TEST(found.hint == kept.hint);
  BOOST_REQUIRE(found.violations.size() == 1U);
  BOOST_TEST(found.violations[0].message_index == 2U);
  BOOST_TEST(found.violations[0].line == 37);
  BOOST_TEST(found.first_receipt_id == kept.first_receipt_id);
  BOOST_TEST(found.diagnosis.rule == kept.diagnosis.rule);
  BOOST_TEST(found.diagnosis.reference == "Body");
  BOOST_TEST(found.diagnosis.expected_digest == "AAA=");
  BOOST_TEST(found.diagnosis.computed_digest == "BBB=");
  BOOST_TEST((found.diagnosis.created == kept.diagnosis.created));
  BOOST_TEST(!found.diagnosis.expires.has_value());
  BOOST_TEST(found.diagnosis.key_reference == kept.diagnosis.key_reference);
  BOOST_TEST(found.diagnosis.certificate_sha256 == "00ff");
  BOOST_TEST(found.diagnosis.subject == "CN=x");
  BOOST_TEST(found.diagnosis.tenant == "20, 30");
  BOOST_TEST(found.diagnosis.signature_method == "urn:method");
  BOOST_TEST(found.authenticated);
  BOOST_TEST(found.tenant == "20");
  BOOST_TEST(found.peer == kept.peer);
  BOOST_TEST(found.content_type == "text/xml");
  BOOST_TEST(found.content_encoding == "gzip");
  BOOST_TEST(found.soap_action == "urn:action");
  BOOST_TEST(found.size == 4711U);
  BOOST_TEST(!found.size_is_whole);
  BOOST_TEST((found.raw_zstd == kept.raw_zstd));
  BOOST_TEST((store->find("01JD3Z0A9V4T8M6Q2H5W7X1C0B").error().code == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(octets_that_are_no_utf8_and_long_texts_do_no_harm) {
  auto odd = sample(1);
  odd.content_type = "text/\xff\xfe";
  odd.detail = std::string(1'000'000, 'x');
  add({odd});
  BOOST_TEST(store->find(odd.rejection_id).value().detail.size() == 4096U);
}

BOOST_AUTO_TEST_CASE(the_same_answer_given_again_is_counted_in_its_row) {
  auto first = sample(1, "20");
  add({first, first});
  first.last_at = kNow + 50s;
  add({first});
  const auto found = store->find(first.rejection_id).value();
  BOOST_TEST(found.times == 3U);
  BOOST_TEST((found.last_at == kNow + 50s));
  BOOST_TEST(rows() == 1U);
}

BOOST_AUTO_TEST_CASE(lists_are_newest_first_and_filtered) {
  auto claimed = sample(3);
  claimed.diagnosis.tenant = "10, 20";
  claimed.code = ErrorCode::message_expired;
  add({sample(1, "20"), sample(2, "2"), claimed, sample(4)});
  const auto all = store->list({}).value();
  BOOST_REQUIRE(all.size() == 4U);
  BOOST_TEST(all.front().detail == "cause 4");
  BOOST_TEST(rows({.tenant = "20"}) == 2U);
  BOOST_TEST(rows({.tenant = "2"}) == 1U);
  BOOST_TEST(rows({.from = kNow + 2s, .to = kNow + 4s}) == 2U);
  BOOST_TEST(rows({.code = ErrorCode::message_expired}) == 1U);
  BOOST_TEST(rows({.limit = 3}) == 3U);
}

BOOST_AUTO_TEST_CASE(rows_are_bounded_for_each_tenant_and_for_all_others) {
  bounds.rows_per_tenant = 50;
  bounds.rows_of_others = 20;
  for (unsigned n = 0; n < 300; n += 3) add({sample(n), sample(n + 1, "10"), sample(n + 2, "20")});
  BOOST_TEST(rows({.tenant = "10", .limit = 1000}) <= 50U);
  BOOST_TEST(rows({.tenant = "10", .limit = 1000}) >= 40U);
  BOOST_TEST(rows() <= 120U);
  BOOST_TEST(store->find(sample(297).rejection_id).has_value(), "the latest stay");
  BOOST_TEST(!store->find(sample(0).rejection_id).has_value());
}

BOOST_AUTO_TEST_CASE(a_flood_of_others_takes_nothing_from_a_tenant) {
  bounds.rows_of_others = 20;
  bounds.sample_count = 10;
  const auto kept = sample(0, "10");
  add({kept});
  for (unsigned n = 1; n < 500; ++n) add({sample(n)});
  BOOST_TEST(has_raw(kept));
  BOOST_TEST(store->usage().value()[""].raw_count <= 10U);
}

BOOST_AUTO_TEST_CASE(raw_octets_are_bounded_for_each_tenant_and_the_row_stays) {
  bounds.raw_octets_per_tenant = 1000;
  for (unsigned n = 0; n < 30; ++n) add({sample(n, "10"), sample(n + 100, "20")});
  auto usage = store->usage().value();
  BOOST_TEST(usage["10"].raw_octets == 1000U);
  BOOST_TEST(usage["10"].rows == 30U);
  BOOST_TEST(has_raw(sample(29, "10")));
  BOOST_TEST(!has_raw(sample(0, "10")));
  add({sample(31, "10", 5000)});
  BOOST_TEST(store->usage().value()["10"].raw_octets == 0U);
}

BOOST_AUTO_TEST_CASE(a_flood_of_one_kind_leaves_the_samples_of_the_others) {
  bounds.sample_count = 10;
  auto rare = sample(0);
  rare.code = ErrorCode::message_expired;
  add({rare});
  for (unsigned n = 1; n < 100; ++n) add({sample(n)});
  BOOST_TEST(has_raw(rare));
  BOOST_TEST(has_raw(sample(99)));
  BOOST_TEST(!has_raw(sample(50)));
}

BOOST_AUTO_TEST_CASE(what_is_old_goes_with_its_octets) {
  add({sample(0, "10"), sample(3600, "10")});
  add({sample(3601)}, kNow + bounds.age + 30min);
  BOOST_TEST(rows() == 2U);
  BOOST_TEST(store->usage().value()["10"].raw_count == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_kept_is_there_after_a_restart_and_for_readers) {
  add({sample(1, "10")});
  const auto reader = RejectionStore::open(path, OpenMode::read_only).value();
  BOOST_TEST(reader->find(sample(1).rejection_id).has_value());
  store.reset();
  store = RejectionStore::open(path, OpenMode::create).value();
  BOOST_TEST(has_raw(sample(1)));
}

BOOST_AUTO_TEST_CASE(it_is_not_taken_for_the_archive_nor_the_archive_for_it) {
  BOOST_TEST((ArchiveDatabase::open(Location::of(path), OpenMode::existing).error().code ==
              ErrorCode::archive_foreign));
  const auto archive = folder.file("district.db");
  BOOST_REQUIRE(ArchiveDatabase::open(Location::of(archive), OpenMode::create));
  BOOST_TEST((RejectionStore::open(archive, OpenMode::existing).error().code ==
              ErrorCode::archive_foreign));
}

BOOST_AUTO_TEST_SUITE_END()
