#include "acknowledge/rejections.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "../support/temporary_folder.h"
#include "base/ulid.h"

using namespace district;
using namespace std::chrono_literals;

namespace {

const Instant kNow = from_micros(1'760'000'000'000'000);

struct Fixture {
  test::TemporaryFolder folder;
  std::string path = folder.file("rejections.db");
  unsigned count = 0;

  std::string next_id() {
    std::array<std::byte, 10> random{};
    random[8] = static_cast<std::byte>(count >> 8U);
    random[9] = static_cast<std::byte>(count++);
    return make_ulid(kNow, random);
  }
  static verify::Sender sender() {
    verify::Sender sender;
    sender.subject = "CN=x";
    sender.created = kNow - 3s;
    sender.expires = kNow + 297s;
    sender.key_reference = "Reference to #X";
    Enrolment enrolment;
    enrolment.tenant = "20";
    sender.enrolments.push_back(std::move(enrolment));
    return sender;
  }
  std::vector<store::Rejection> kept() {
    const auto store = store::RejectionStore::open(path, store::OpenMode::read_only).value();
    return store->list({.limit = 1'000'000}).value();
  }
};

Error error_of(ErrorCode code) { return {code, "the cause", "the hint", {}, {}}; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rejections, Fixture)

BOOST_AUTO_TEST_CASE(of_an_authenticated_sender_what_verification_knows_is_kept) {
  const std::string body = "<envelope/>";
  const auto id = next_id();
  {
    const auto rejections = acknowledge::Rejections::open(path, {}).value();
    const auto from = sender();
    rejections->keep(id, kNow, error_of(ErrorCode::schema_invalid),
                     {"192.0.2.1", "text/xml", "", "urn:a", as_bytes(body), body.size(), true},
                     &from);
  }
  const auto store = store::RejectionStore::open(path, store::OpenMode::read_only).value();
  const auto found = store->find(id).value();
  BOOST_TEST(found.authenticated);
  BOOST_TEST(found.tenant == "20");
  BOOST_TEST((found.diagnosis.created == kNow - 3s));
  BOOST_TEST(found.diagnosis.key_reference == "Reference to #X");
  BOOST_TEST(!found.diagnosis.rule.empty());
  BOOST_TEST(found.peer == "192.0.2.1");
  BOOST_TEST(found.size == body.size());
  BOOST_TEST(found.raw_kept == body.size());
  BOOST_TEST(!found.raw_zstd.empty());
}

BOOST_AUTO_TEST_CASE(of_a_large_envelope_the_beginning_is_kept_and_said_to_be_cut) {
  const Bytes beginning(1024 * 1024, std::byte{'x'});
  const auto id = next_id();
  {
    const auto rejections = acknowledge::Rejections::open(path, {}).value();
    const auto from = sender();
    rejections->keep(id, kNow, error_of(ErrorCode::schema_invalid),
                     {"", "", "", "", beginning, 40'000'000, false}, &from);
  }
  const auto store = store::RejectionStore::open(path, store::OpenMode::read_only).value();
  const auto found = store->find(id).value();
  BOOST_TEST(found.raw_kept == 256U * 1024);
  BOOST_TEST(found.size == 40'000'000U);
  BOOST_TEST(!found.size_is_whole);
}

BOOST_AUTO_TEST_CASE(a_flood_never_blocks_and_leaves_room_for_who_has_authenticated) {
  const Bytes octets(200, std::byte{'x'});
  const auto from = sender();
  {
    const auto rejections = acknowledge::Rejections::open(path, {}).value();
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 50'000; ++i) {
      rejections->keep(next_id(), kNow, error_of(ErrorCode::security_invalid),
                       {"", "", "", "", octets, octets.size(), true}, nullptr);
      if (i % 1000 == 0) {
        rejections->keep(next_id(), kNow, error_of(ErrorCode::schema_invalid),
                         {"", "", "", "", octets, octets.size(), true}, &from);
      }
    }
    // Nothing but copying: even under valgrind this is a fraction of it.
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 20s));
  }
  std::size_t authenticated = 0, raw = 0;
  const auto all = kept();
  for (const auto& each : all) {
    authenticated += each.authenticated ? 1U : 0U;
    raw += !each.authenticated && each.raw_kept > 0 ? 1U : 0U;
  }
  BOOST_TEST(authenticated == 50U, "none of the authenticated sender's was dropped");
  BOOST_TEST(all.size() < 50'000U, "a flood is not kept whole");
  BOOST_TEST(raw <= 20U * 25, "20 samples a second");
}

BOOST_AUTO_TEST_SUITE_END()
