#include "archive/evidence.h"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <functional>
#include <span>
#include <thread>

#include "../support/append_and_wait.h"
#include "../support/temporary_folder.h"
#include "archive/archive.h"
#include "archive/stored_octets.h"
#include "crypto/digest.h"
#include "log/log.h"
#include "log/receipt_check.h"
#include "store/archive_reader.h"
#include "store/ledger.h"
#include "store/work_queue.h"

using namespace district;
using namespace district::archive;
using namespace std::chrono_literals;

namespace {

const store::StagingLease kLease{"local", Instant::max()};

const Instant kNow = from_micros(1'760'000'000'000'000);
const FixedClock kClock{kNow};
const Content kContent{"10", 2, "SeasNve"};

constexpr std::size_t kBlock = 64 * 1024;
constexpr std::size_t kMebibyte = 1024 * 1024;

// Blocks of octets that do not compress, the same for the same seed.
class Blocks final : public ByteSource {
 public:
  // `at_end`, where it is set, is given instead of the end.
  Blocks(std::size_t size, std::optional<Error> at_end = {})
      : left_(size), at_end_(std::move(at_end)) {}

  Result<ByteView> next() override {
    ++calls;
    if (left_ == 0 && at_end_) return fail(*at_end_);
    block_.resize(std::min(left_, kBlock));
    left_ -= block_.size();
    for (auto& octet : block_) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      octet = static_cast<std::byte>(state_ >> 56U);
    }
    return ByteView(block_);
  }
  std::size_t calls = 0;

 private:
  std::size_t left_;
  std::optional<Error> at_end_;
  std::uint64_t state_ = 1;
  Bytes block_;
};

Bytes all_of(ByteSource& source) {
  Bytes all;
  while (true) {
    const auto block = source.next();
    BOOST_REQUIRE_MESSAGE(block, (block ? "" : block.error().detail));
    if (block->empty()) return all;
    all.insert(all.end(), block->begin(), block->end());
  }
}

const std::string kFirst = "<Envelope>" + std::string(kMebibyte - 10, ' ');

Bytes whole(std::size_t rest) {
  auto octets = to_bytes(as_bytes(kFirst));
  Blocks blocks(rest);
  const auto following = all_of(blocks);
  octets.insert(octets.end(), following.begin(), following.end());
  return octets;
}

RawEnvelope large(std::shared_ptr<ByteSource> rest) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(kFirst));
  raw.rest = std::move(rest);
  raw.content_type = "text/xml; charset=utf-8";
  return raw;
}

RawEnvelope small(const std::string& text) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(text));
  return raw;
}

// Reads all of it and says that it is signed, by a signature that `signature` stands for.
class TrustingVerifier : public verify::Verifier {
 public:
  explicit TrustingVerifier(std::string signature, std::uint64_t epoch = 0)
      : signature_(std::move(signature)), epoch_(epoch) {}
  Result<verify::VerifiedEnvelope> verify(const RawEnvelope& raw, Instant now,
                                          verify::BodyReader&) const override {
    crypto::Sha256 digest;
    digest.update(raw.octets);
    while (raw.rest) {
      DISTRICT_TRY(const auto block, raw.rest->next());
      if (block.empty()) break;
      digest.update(block);
    }
    Parts parts;
    parts.sender.certificate_sha256 = crypto::sha256(as_bytes("certificate"));
    parts.payload_digest = digest.finish();
    parts.replay_key = crypto::sha256(as_bytes(signature_));
    parts.verified_at = now;
    parts.created = now;
    parts.acceptable_until = now + 5min;
    store::TrustRecords records;
    records.epoch = epoch_;
    parts.trust = std::make_shared<const trust::TrustSnapshot>(std::move(records));
    return make(std::move(parts));
  }

 private:
  std::string signature_;
  std::uint64_t epoch_;
};

Result<Receipt> accept(Archive& archive, Evidence& evidence, const std::string& signature,
                       std::uint64_t epoch = 0) {
  verify::NoReader nobody;
  DISTRICT_TRY(const auto verified,
               TrustingVerifier(signature, epoch).verify(evidence.raw(), kNow, nobody));
  auto appended = test::append_and_wait(archive, std::move(evidence), verified, kContent);
  evidence = std::move(appended.evidence);
  return std::move(appended.receipt);
}

struct Scratch {
  test::TemporaryFolder folder;
  Settings settings;
  Scratch() { settings.location = store::Location::of(folder.file("archive.db")); }

  std::unique_ptr<Archive> open() const { return Archive::open(settings, kClock).value(); }
  std::unique_ptr<store::ArchiveDatabase> database() const {
    return store::ArchiveDatabase::open(settings.location, store::OpenMode::existing).value();
  }
  std::int64_t count(const std::string& table) const {
    const auto open = database();
    auto row = open->prepare("SELECT count(*) FROM " + table).value();
    BOOST_REQUIRE(row.step().value());
    return row.integer(0);
  }
  // Chunks are removed in the background.
  bool nothing_is_staged() const {
    for (int i = 0; i < 500; ++i) {
      if (count("staging") == 0 && count("large_chunk") == 0) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
  Bytes stored(const std::string& receipt_id) const {
    const auto open = database();
    store::ArchiveReader store(*open);
    StoredOctets octets(store, store.find(receipt_id).value());
    return all_of(octets);
  }
};

// Stands in for a full disk: what would make a file longer than that fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t octets) : previous_(std::signal(SIGXFSZ, SIG_IGN)) {
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &unlimited_) == 0);
    auto limited = unlimited_;
    limited.rlim_cur = octets;
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &unlimited_);
    std::signal(SIGXFSZ, previous_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*previous_)(int);
  rlimit unlimited_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(evidence)

BOOST_AUTO_TEST_CASE(a_large_envelope_comes_back_as_it_was) {
  const Scratch scratch;
  const auto archive = scratch.open();
  constexpr std::size_t kRest = 9 * kMebibyte + 17;
  Receipt receipt;
  {
    auto evidence = archive->keep(large(std::make_shared<Blocks>(kRest)));
    receipt = accept(*archive, evidence, "a").value();
    BOOST_TEST(evidence.size() == kMebibyte + kRest);
  }
  const auto expected = whole(kRest);
  BOOST_TEST((scratch.stored(receipt.receipt_id) == expected));
  BOOST_TEST(scratch.count("staging") == 0);
  BOOST_TEST(scratch.count("large_chunk") >= 36);
  const auto database = scratch.database();
  const auto found = store::ArchiveReader(*database).find(receipt.receipt_id).value();
  BOOST_TEST(found.raw_size == expected.size());
  BOOST_TEST((found.raw_id == 1U));
  BOOST_TEST((found.payload_digest == crypto::sha256(expected)));
  BOOST_TEST(log::verify(*database).value().problems.empty());
  BOOST_TEST(log::check_receipt(*database, receipt).has_value());
}

// As a compressed envelope comes: its first block, and the rest when it is asked for.
BOOST_AUTO_TEST_CASE(a_rest_that_ends_before_a_mebibyte_is_not_staged) {
  const Scratch scratch;
  const auto archive = scratch.open();
  const std::string first = kFirst.substr(0, kBlock);
  for (const std::size_t rest : {std::size_t{1}, kMebibyte - kBlock, kMebibyte - kBlock + 1}) {
    const bool large = kBlock + rest > kMebibyte;
    auto raw = small(first);
    raw.rest = std::make_shared<Blocks>(rest);
    auto evidence = archive->keep(std::move(raw));
    BOOST_TEST(!evidence.settle());  // nothing of it has been read
    const auto receipt = accept(*archive, evidence, std::to_string(rest)).value();
    BOOST_TEST(evidence.size() == kBlock + rest);
    BOOST_TEST((evidence.raw().rest != nullptr) == large);
    BOOST_TEST(evidence.raw().octets.size() == (large ? kBlock : kBlock + rest));
    BOOST_TEST((scratch.count("large_chunk") > 0) == large);
    Blocks again(rest);
    auto expected = to_bytes(as_bytes(first));
    const auto following = all_of(again);
    expected.insert(expected.end(), following.begin(), following.end());
    BOOST_TEST((scratch.stored(receipt.receipt_id) == expected));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_stored_before_the_rest_is_asked_for) {
  const Scratch scratch;
  const auto archive = scratch.open();
  const auto source = std::make_shared<Blocks>(5 * kMebibyte);
  {
    const auto evidence = archive->keep(large(source));
    BOOST_TEST((as_text(evidence.raw().octets) == kFirst));
    BOOST_TEST(source->calls == 0U);
  }
  BOOST_TEST(scratch.count("staging") == 0);
}

BOOST_AUTO_TEST_CASE(what_is_not_appended_is_removed) {
  const Scratch scratch;
  const auto archive = scratch.open();
  {
    auto evidence = archive->keep(large(std::make_shared<Blocks>(9 * kMebibyte)));
    all_of(*evidence.raw().rest);
    BOOST_TEST(scratch.count("staging") == 1);
    BOOST_TEST(scratch.count("large_chunk") >= 36);
  }
  BOOST_TEST(scratch.nothing_is_staged());
  // The next one does not get the same id.
  auto evidence = archive->keep(large(std::make_shared<Blocks>(kMebibyte)));
  const auto receipt = accept(*archive, evidence, "a").value();
  const auto database = scratch.database();
  BOOST_TEST((store::ArchiveReader(*database).find(receipt.receipt_id)->raw_id == 2U));
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_cut_leaves_nothing_and_its_error_passes_through) {
  const Scratch scratch;
  const auto archive = scratch.open();
  {
    const Error cut{ErrorCode::request_cut, "the peer is gone", {}, {}, {}};
    auto evidence = archive->keep(large(std::make_shared<Blocks>(5 * kMebibyte, cut)));
    const auto receipt = accept(*archive, evidence, "a");
    BOOST_REQUIRE(!receipt);
    BOOST_TEST((receipt.error().code == ErrorCode::request_cut));
    const auto again = evidence.raw().rest->next();
    BOOST_REQUIRE(!again);
    BOOST_TEST((again.error().code == ErrorCode::request_cut));
    BOOST_TEST(!evidence.rewind());
  }
  BOOST_TEST(scratch.nothing_is_staged());
  BOOST_TEST(scratch.count("envelope") == 0);
}

BOOST_AUTO_TEST_CASE(what_was_not_read_to_its_end_is_not_appended) {
  const Scratch scratch;
  const auto archive = scratch.open();
  auto evidence = archive->keep(large(std::make_shared<Blocks>(5 * kMebibyte)));
  BOOST_REQUIRE(evidence.raw().rest->next());
  verify::NoReader nobody;
  const auto verified = TrustingVerifier("a").verify(small("x"), kNow, nobody);
  const auto receipt =
      test::append_and_wait(*archive, std::move(evidence), *verified, kContent).receipt;
  BOOST_REQUIRE(!receipt);
  BOOST_TEST((receipt.error().code == ErrorCode::internal));
  BOOST_TEST(scratch.count("envelope") == 0);
}

BOOST_AUTO_TEST_CASE(it_can_be_read_again_when_trust_has_changed) {
  const Scratch scratch;
  const auto archive = scratch.open();
  constexpr std::size_t kRest = 3 * kMebibyte + 5;
  auto evidence = archive->keep(large(std::make_shared<Blocks>(kRest)));
  BOOST_REQUIRE(scratch.database()->execute("UPDATE trust_epoch SET epoch = 1"));
  BOOST_TEST((accept(*archive, evidence, "a", 0).error().code == ErrorCode::trust_changed));
  for (int round = 0; round < 2; ++round) {
    BOOST_REQUIRE(evidence.rewind());
    auto octets = evidence.raw().octets;
    const auto rest = all_of(*evidence.raw().rest);
    octets.insert(octets.end(), rest.begin(), rest.end());
    BOOST_TEST((octets == whole(kRest)));
  }
  BOOST_REQUIRE(evidence.rewind());
  const auto receipt = accept(*archive, evidence, "a", 1);
  BOOST_REQUIRE(receipt);
  BOOST_TEST((receipt->payload_digest == crypto::sha256(whole(kRest))));
  BOOST_TEST((scratch.stored(receipt->receipt_id) == whole(kRest)));
}

BOOST_AUTO_TEST_CASE(a_replay_of_a_large_envelope_leaves_nothing) {
  const Scratch scratch;
  const auto archive = scratch.open();
  auto first = archive->keep(large(std::make_shared<Blocks>(3 * kMebibyte)));
  const auto receipt = accept(*archive, first, "same").value();
  const auto chunks = scratch.count("large_chunk");
  {
    auto second = archive->keep(large(std::make_shared<Blocks>(3 * kMebibyte)));
    const auto refused = accept(*archive, second, "same");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::message_replayed));
    BOOST_TEST(refused.error().first_copy->receipt_id == receipt.receipt_id);
  }
  for (int i = 0; i < 500 && scratch.count("staging") != 0; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(scratch.count("staging") == 0);
  BOOST_TEST(scratch.count("large_chunk") == chunks);
}

BOOST_AUTO_TEST_CASE(small_envelopes_are_committed_while_a_large_one_is_staged) {
  const Scratch scratch;
  const auto archive = scratch.open();
  auto evidence = archive->keep(large(std::make_shared<Blocks>(40 * kMebibyte)));
  auto& rest = *evidence.raw().rest;
  std::size_t accepted = 0;
  for (int i = 0; i < 200; ++i) {
    BOOST_REQUIRE(rest.next());
    auto other = archive->keep(small(std::to_string(i)));
    if (accept(*archive, other, std::to_string(i))) ++accepted;
  }
  BOOST_TEST(accepted == 200U);
  BOOST_TEST(scratch.count("staging") == 1);
  std::atomic<bool> done = false;
  std::thread sender([&] {
    for (int i = 200; !done; ++i) {
      auto other = archive->keep(small(std::to_string(i)));
      if (accept(*archive, other, std::to_string(i))) ++accepted;
    }
  });
  const auto receipt = accept(*archive, evidence, "large");
  done = true;
  sender.join();
  BOOST_REQUIRE(receipt);
  BOOST_TEST(accepted > 200U);
  const auto database = scratch.database();
  BOOST_TEST(log::verify(*database).value().problems.empty());
}

BOOST_AUTO_TEST_CASE(a_disk_that_gets_full_while_staging_leaves_nothing_and_later_ones_work) {
  const Scratch scratch;
  const auto archive = scratch.open();
  {
    auto before = archive->keep(small("before"));
    BOOST_REQUIRE(accept(*archive, before, "before"));
    auto evidence = archive->keep(large(std::make_shared<Blocks>(30 * kMebibyte)));
    const FileSizeLimit full(8 * kMebibyte);
    const auto refused = accept(*archive, evidence, "large");
    BOOST_REQUIRE(!refused);
    BOOST_TEST((refused.error().code == ErrorCode::archive_unavailable));
    BOOST_TEST(!refused.error().hint.empty());
  }
  BOOST_TEST(scratch.nothing_is_staged());
  auto evidence = archive->keep(large(std::make_shared<Blocks>(30 * kMebibyte)));
  const auto receipt = accept(*archive, evidence, "large");
  BOOST_REQUIRE(receipt);
  BOOST_TEST(receipt->leaf_index == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_crash_has_left_over_is_removed_at_the_next_start) {
  const Scratch scratch;
  std::string kept;
  {
    const auto archive = scratch.open();
    auto evidence = archive->keep(large(std::make_shared<Blocks>(3 * kMebibyte)));
    kept = accept(*archive, evidence, "a").value().receipt_id;
  }
  {
    const auto database = scratch.database();
    store::Ledger ledger(*database);
    store::StagedRaw staged;
    const std::vector<Bytes> chunks(5, Bytes(100'000));
    for (int i = 0; i < 5; ++i) BOOST_REQUIRE(ledger.stage(staged, chunks, kLease));
    BOOST_TEST(ledger.staged().value().size() == 1U);
  }
  const auto chunks = scratch.count("large_chunk");
  const auto archive = scratch.open();
  for (int i = 0; i < 500 && scratch.count("staging") != 0; ++i) std::this_thread::sleep_for(10ms);
  BOOST_TEST(scratch.count("staging") == 0);
  BOOST_TEST(scratch.count("large_chunk") == chunks - 25);
  BOOST_TEST((scratch.stored(kept) == whole(3 * kMebibyte)));
}

BOOST_AUTO_TEST_CASE(large_envelopes_take_little_memory) {
#ifdef __SANITIZE_ADDRESS__
  BOOST_TEST_MESSAGE("not tested: the address sanitizer keeps memory that was freed");
  return;
#endif
  const Scratch scratch;
  const auto archive = scratch.open();
  {
    auto warm = archive->keep(large(std::make_shared<Blocks>(8 * kMebibyte)));
    BOOST_REQUIRE(accept(*archive, warm, "warm"));
  }
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  auto evidence = archive->keep(large(std::make_shared<Blocks>(64 * kMebibyte)));
  const auto receipt = accept(*archive, evidence, "large");
  BOOST_REQUIRE(receipt);
  const auto database = scratch.database();
  store::ArchiveReader store(*database);
  StoredOctets octets(store, store.find(receipt->receipt_id).value());
  for (auto block = octets.next(); !block->empty(); block = octets.next()) BOOST_REQUIRE(block);
  ::getrusage(RUSAGE_SELF, &after);
  BOOST_TEST(after.ru_maxrss - before.ru_maxrss < 24 * 1024);  // KiB
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(stored_octets)

BOOST_AUTO_TEST_CASE(damage_is_found_in_large_and_in_small_envelopes) {
  const Scratch scratch;
  const auto archive = scratch.open();
  auto evidence = archive->keep(large(std::make_shared<Blocks>(2 * kMebibyte)));
  auto other = archive->keep(small("small"));
  const std::vector ids{accept(*archive, evidence, "large")->receipt_id,
                        accept(*archive, other, "small")->receipt_id};
  const auto database = scratch.database();
  store::ArchiveReader store(*database);
  const auto result = [&](const std::string& id) { return read_octets(store, *store.find(id)); };
  for (const auto& id : ids) {
    for (const std::string damage :
         {"UPDATE $ SET octets = CAST(substr(octets, 1, length(octets) - 1) || x'00' AS BLOB)",
          "UPDATE $ SET octets = substr(octets, 2)", "DELETE FROM $ WHERE chunk_index = 0",
          "UPDATE $ SET chunk_index = chunk_index + 1 WHERE chunk_index = "
          "(SELECT max(chunk_index) FROM $)",
          "UPDATE envelope SET payload_digest = zeroblob(32)",
          "UPDATE envelope SET raw_size = raw_size + 1",
          "UPDATE envelope SET raw_size = raw_size - 1",
          "UPDATE envelope SET stored_size = stored_size + 1"}) {
      BOOST_REQUIRE(result(id));
      auto sql = damage;
      for (auto at = sql.find('$'); at != std::string::npos; at = sql.find('$')) {
        sql.replace(at, 1, id == ids[0] ? "large_chunk" : "raw_chunk");
      }
      BOOST_REQUIRE(database->execute("BEGIN"));
      BOOST_REQUIRE_MESSAGE(database->execute(sql.c_str()), sql);
      const auto read = result(id);
      BOOST_TEST(!read, sql);
      if (!read) {
        BOOST_TEST((read.error().code == ErrorCode::archive_corrupt));
        BOOST_TEST(read.error().detail.find(id) != std::string::npos);
      }
      BOOST_REQUIRE(database->execute("ROLLBACK"));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_end_stays_the_end_and_an_error_an_error) {
  const Scratch scratch;
  const auto archive = scratch.open();
  auto evidence = archive->keep(small("small"));
  const auto receipt = accept(*archive, evidence, "small").value();
  const auto database = scratch.database();
  store::ArchiveReader store(*database);
  StoredOctets good(store, *store.find(receipt.receipt_id));
  BOOST_TEST(as_text(good.next().value()) == "small");
  for (int i = 0; i < 3; ++i) BOOST_TEST(good.next().value().empty());
  BOOST_REQUIRE(database->execute("UPDATE raw_chunk SET octets = x'00'"));
  StoredOctets bad(store, *store.find(receipt.receipt_id));
  for (int i = 0; i < 3; ++i) BOOST_TEST(!bad.next());
}

BOOST_AUTO_TEST_SUITE_END()
