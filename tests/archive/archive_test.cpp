#include <sys/resource.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <span>
#include <thread>

#include "../support/append_and_wait.h"
#include "../support/failing_sync.h"
#include "../support/temporary_folder.h"
#include "archive/archive.h"
#include "archive/stored_octets.h"
#include "base/ulid.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "log/receipt_check.h"
#include "store/archive_reader.h"
#include "store/transaction.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::archive;

namespace {

const Instant kNow = from_micros(1'760'000'000'000'000);
const FixedClock kClock{kNow};

RawEnvelope raw_envelope(const std::string& text) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(text));
  raw.content_type = "text/xml; charset=utf-8";
  raw.soap_action = "http://urb-grade.eu/AggregateMessage";
  return raw;
}

const Content kContent{.tenant = "10", .message_count = 2, .first_source = "SeasNve"};

// Says of any octets that they are signed, by a signature that `signature` stands for.
class TrustingVerifier : public verify::Verifier {
 public:
  explicit TrustingVerifier(std::string signature, std::uint64_t epoch = 0)
      : signature_(std::move(signature)), epoch_(epoch) {}
  Result<verify::VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                          verify::BodyReader& reader) const override {
    Parts parts;
    parts.sender.certificate_sha256 = crypto::sha256(as_bytes("certificate"));
    parts.sender.signature_method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    parts.payload_digest = crypto::sha256(raw.octets);
    parts.replay_key = crypto::sha256(as_bytes(signature_));
    parts.verified_at = now;
    parts.created = now;
    parts.acceptable_until = now + std::chrono::minutes(5);
    parts.payload_size = raw.octets.size();
    parts.reader = &reader;
    store::TrustRecords records;
    records.epoch = epoch_;
    parts.trust = std::make_shared<const trust::TrustSnapshot>(std::move(records));
    return make(std::move(parts));
  }

 private:
  std::string signature_;
  std::uint64_t epoch_;
};

Result<Receipt> append(Archive& archive, const std::string& text, const std::string& signature,
                       std::uint64_t epoch = 0) {
  auto evidence = archive.keep(raw_envelope(text));
  verify::NoReader nobody;
  const auto verified = TrustingVerifier(signature, epoch).verify(evidence.raw(), kNow, nobody);
  return test::append_and_wait(archive, std::move(evidence), *verified, kContent).receipt;
}

struct Scratch {
  test::TemporaryFolder folder;
  Settings settings;
  Scratch() { settings.location = store::Location::of(folder.file("archive.db")); }

  std::unique_ptr<Archive> open() const {
    auto archive = Archive::open(settings, kClock);
    BOOST_REQUIRE_MESSAGE(archive, (archive ? "" : archive.error().detail));
    return *std::move(archive);
  }
  std::unique_ptr<store::ArchiveDatabase> database() const {
    return store::ArchiveDatabase::open(settings.location, store::OpenMode::existing).value();
  }
  void check_log() const {
    const auto report = log::verify(*database()).value();
    for (const auto& problem : report.problems) BOOST_ERROR(problem);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(archive)

BOOST_AUTO_TEST_CASE(a_receipt_says_what_is_durably_stored) {
  const Scratch scratch;
  Receipt receipt;
  {
    const auto archive = scratch.open();
    receipt = append(*archive, "first", "a").value();
  }
  BOOST_TEST(is_ulid(receipt.receipt_id));
  BOOST_TEST((receipt.received_at == kNow));
  BOOST_TEST(receipt.message_count == 2U);
  BOOST_TEST((receipt.payload_digest == crypto::sha256(as_bytes("first"))));
  BOOST_TEST(receipt.leaf_index == 0U);
  BOOST_TEST(receipt.tree_size == 1U);

  const auto database = scratch.database();
  store::ArchiveReader store(*database);
  const auto stored = store.find(receipt.receipt_id).value();
  BOOST_TEST(stored.tenant == "10");
  BOOST_TEST(stored.source == "SeasNve");
  BOOST_TEST(stored.soap_action == "http://urb-grade.eu/AggregateMessage");
  BOOST_TEST(stored.raw_size == 5U);
  BOOST_TEST(as_text(read_octets(store, stored).value()) == "first");
  BOOST_TEST(store::WorkQueue(*scratch.database(), {}).waiting().value() == 1U);
  BOOST_TEST(log::check_receipt(*database, receipt).has_value());
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(of_fifty_at_once_with_the_same_signature_one_is_accepted) {
  const Scratch scratch;
  const auto archive = scratch.open();
  constexpr std::size_t kSenders = 50;
  std::vector<Result<Receipt>> results(kSenders, fail(ErrorCode::internal, ""));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kSenders; ++i) {
    threads.emplace_back([&, i] { results[i] = append(*archive, "same", "same"); });
  }
  for (auto& thread : threads) thread.join();
  std::string accepted;
  for (const auto& result : results) {
    if (!result) continue;
    BOOST_TEST(accepted == "");
    accepted = result->receipt_id;
  }
  BOOST_TEST(is_ulid(accepted));
  for (const auto& result : results) {
    if (result) continue;
    BOOST_TEST((result.error().code == ErrorCode::message_replayed));
    BOOST_REQUIRE(result.error().first_copy);
    BOOST_TEST(result.error().first_copy->receipt_id == accepted);
    BOOST_TEST((result.error().first_copy->payload_digest == crypto::sha256(as_bytes("same"))));
  }
  // Also after a restart.
  BOOST_TEST((append(*scratch.open(), "same", "same").error().code == ErrorCode::message_replayed));
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(those_who_wait_share_a_commit_and_each_receipt_agrees_with_the_log) {
  Scratch scratch;
  scratch.settings.group_max = 16;
  const auto archive = scratch.open();
  std::atomic<int> woken = 0;
  archive->on_commit([&] { ++woken; });
  constexpr std::size_t kSenders = 8;
  constexpr std::size_t kEach = 25;
  std::vector<std::vector<Receipt>> receipts(kSenders);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kSenders; ++i) {
    threads.emplace_back([&, i] {
      for (std::size_t n = 0; n < kEach; ++n) {
        const auto text = std::to_string(i) + "/" + std::to_string(n);
        if (auto receipt = append(*archive, text, text)) receipts[i].push_back(*receipt);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto database = scratch.database();
  for (const auto& of_sender : receipts) {
    BOOST_TEST(of_sender.size() == kEach);
    for (const auto& receipt : of_sender) BOOST_REQUIRE(log::check_receipt(*database, receipt));
  }
  const auto report = log::verify(*database).value();
  BOOST_TEST(report.problems.empty());
  BOOST_TEST(report.leaves == kSenders * kEach);
  BOOST_TEST(report.heads < kSenders * kEach);
  BOOST_TEST(woken > 0);
}

BOOST_AUTO_TEST_CASE(on_commit_returns_when_no_call_of_the_one_before_is_under_way) {
  Scratch scratch;
  const auto archive = scratch.open();
  std::atomic<bool> begun = false, ended = false;
  archive->on_commit([&] {
    begun = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ended = true;
  });
  BOOST_REQUIRE(append(*archive, "text", "signature"));
  while (!begun) std::this_thread::yield();
  archive->on_commit({});
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_change_of_trust_asks_for_another_verification) {
  const Scratch scratch;
  const auto archive = scratch.open();
  BOOST_REQUIRE(scratch.database()->execute("UPDATE trust_epoch SET epoch = 1"));
  BOOST_TEST((append(*archive, "x", "x", 0).error().code == ErrorCode::trust_changed));
  BOOST_TEST(append(*archive, "x", "x", 1).has_value());
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_overload) {
  Scratch scratch;
  scratch.settings.queue_max = 1;
  scratch.settings.group_max = 1;
  const auto archive = scratch.open();
  std::vector<Result<Receipt>> results(8, fail(ErrorCode::internal, ""));
  std::vector<std::thread> threads;
  {
    // While another process writes, one envelope is being committed, one waits, the rest is
    // refused.
    const auto other = scratch.database();
    const auto held = store::LogTransaction::begin(*other);
    BOOST_REQUIRE(held);
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back(
          [&, i] { results[i] = append(*archive, std::to_string(i), std::to_string(i)); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  for (auto& thread : threads) thread.join();
  std::size_t stored = 0;
  std::size_t overloaded = 0;
  for (const auto& result : results) {
    if (result) ++stored;
    if (!result && result.error().code == ErrorCode::overloaded) ++overloaded;
  }
  BOOST_TEST(stored >= 1U);
  BOOST_TEST(overloaded >= 1U);
  BOOST_TEST(stored + overloaded == results.size());
  BOOST_TEST(append(*archive, "later", "later").has_value());
}

BOOST_AUTO_TEST_CASE(what_waits_is_committed_before_the_archive_closes) {
  Scratch scratch;
  scratch.settings.group_max = 1;
  std::vector<Result<Receipt>> results(6, fail(ErrorCode::internal, ""));
  std::vector<std::thread> threads;
  {
    auto archive = scratch.open();
    auto& open = *archive;
    const auto other = scratch.database();
    auto held = std::make_unique<store::Transaction>(store::LogTransaction::begin(*other).value());
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back(
          [&, i] { results[i] = append(open, std::to_string(i), std::to_string(i)); });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    std::thread release([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      held.reset();
    });
    archive.reset();
    release.join();
  }
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) BOOST_TEST(result.has_value());
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(a_disk_that_takes_no_more_stores_nothing_and_later_requests_work) {
  const Scratch scratch;
  const auto archive = scratch.open();
  BOOST_REQUIRE(append(*archive, "before", "before"));
  std::string large(3'000'000, '\0');  // random octets do not compress
  crypto::fill_random(std::as_writable_bytes(std::span(large)));

  // The limit stands in for a full disk: writes beyond it fail.
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &unlimited) == 0);
  auto limited = unlimited;
  limited.rlim_cur =
      std::filesystem::file_size(scratch.settings.location.archive() + "-wal") + 8192;
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  const auto refused = append(*archive, large, "large");
  BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &unlimited) == 0);
  std::signal(SIGXFSZ, previous);

  BOOST_REQUIRE(!refused);
  BOOST_TEST((refused.error().code == ErrorCode::archive_unavailable));
  BOOST_TEST(!refused.error().hint.empty());
  const auto after = append(*archive, large, "large");
  BOOST_REQUIRE(after);
  BOOST_TEST(after->leaf_index == 1U);
  scratch.check_log();
}

BOOST_AUTO_TEST_CASE(a_commit_whose_outcome_is_not_known_is_accepted_later_or_found_as_a_replay) {
  const Scratch scratch, after_crash;
  const test::FailingSync disk;
  {
    const auto archive = scratch.open();
    BOOST_REQUIRE(append(*archive, "before", "before"));
    test::FailingSync::fails() = true;
    const auto unknown = append(*archive, "text", "signature");
    test::FailingSync::fails() = false;
    BOOST_REQUIRE(!unknown);
    BOOST_TEST((unknown.error().code == ErrorCode::archive_unavailable));
    for (const auto* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(scratch.settings.location.archive() + suffix,
                                 after_crash.settings.location.archive() + suffix);
    }
    // The server that goes on has not stored it, and takes it.
    const auto again = append(*archive, "text", "signature");
    BOOST_REQUIRE(again);
    BOOST_TEST(again->leaf_index == 1U);
  }
  scratch.check_log();
  // The commit was in the file: after a crash at that moment the envelope is stored.
  const auto archive = after_crash.open();
  const auto replayed = append(*archive, "text", "signature");
  BOOST_REQUIRE(!replayed);
  BOOST_TEST((replayed.error().code == ErrorCode::message_replayed));
  BOOST_TEST((replayed.error().first_copy->payload_digest == crypto::sha256(as_bytes("text"))));
  BOOST_TEST(append(*archive, "next", "next")->leaf_index == 2U);
  after_crash.check_log();
}

BOOST_AUTO_TEST_CASE(a_database_that_is_not_ours_is_refused) {
  Scratch scratch;
  scratch.settings.location = store::Location::of(scratch.folder.file("missing/archive.db"));
  const auto archive = Archive::open(scratch.settings, kClock);
  BOOST_REQUIRE(!archive);
  BOOST_TEST((archive.error().code == ErrorCode::file_unreadable));
}

BOOST_AUTO_TEST_SUITE_END()
