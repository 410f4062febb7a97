#include "server/upload.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>

using namespace district;
using namespace std::chrono_literals;
using limits::kBlockOctets;
using server::Upload;

namespace {

std::byte octet_at(std::size_t i) { return static_cast<std::byte>(i * 7 % 251); }

// Writes the octets from..to as the network would bring them; `most`: at a time. Less than all: the
// upload has no room for them.
std::size_t write(Upload& upload, std::size_t from, std::size_t to, std::size_t most) {
  while (from < to) {
    const auto room = upload.room();
    if (room.empty()) break;
    const auto count = std::min({room.size(), most, to - from});
    for (std::size_t i = 0; i < count; ++i) room[i] = octet_at(from + i);
    upload.wrote(count);
    from += count;
  }
  return from;
}

// Reads the octets from `from` on to the end, and gives how many there were in all.
Result<std::size_t> read_on(Upload& upload, std::size_t from = 0) {
  while (true) {
    DISTRICT_TRY(const auto block, upload.next());
    if (block.empty()) return from;
    for (const auto octet : block) {
      if (octet != octet_at(from++)) return fail(ErrorCode::internal, "another octet");
    }
  }
}

Error cut() { return {ErrorCode::request_cut, "the client is gone", {}, {}, {}}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(upload)

BOOST_AUTO_TEST_CASE(octets_come_out_as_they_went_in) {
  for (const std::size_t octets : {std::size_t{0}, std::size_t{1}, kBlockOctets - 1, kBlockOctets,
                                   kBlockOctets + 1, Upload::kOctetsMax - 1, Upload::kOctetsMax}) {
    BOOST_TEST_CONTEXT(octets) {
      Upload upload([] {});
      BOOST_TEST(write(upload, 0, octets, 1000) == octets);
      upload.finish();
      BOOST_TEST(read_on(upload).value() == octets);
      BOOST_TEST(upload.next().value().empty());  // the end stays the end
    }
  }
}

BOOST_AUTO_TEST_CASE(the_reader_gets_whole_blocks_and_at_the_end_what_is_left) {
  Upload upload([] {});
  write(upload, 0, kBlockOctets + 5, 777);
  BOOST_TEST(upload.next().value().size() == kBlockOctets);
  upload.finish();
  BOOST_TEST(upload.next().value().size() == 5U);
  BOOST_TEST(upload.next().value().empty());
}

BOOST_AUTO_TEST_CASE(there_is_room_for_so_many_blocks_and_the_writer_is_told_once_of_more) {
  int told = 0;
  Upload upload([&] { ++told; });
  BOOST_TEST(write(upload, 0, SIZE_MAX, kBlockOctets) == Upload::kOctetsMax);
  BOOST_TEST(upload.room().empty());
  BOOST_TEST(upload.next().value().size() == kBlockOctets);
  BOOST_TEST(told == 0);  // the reader still uses that block
  BOOST_TEST(upload.room().empty());
  BOOST_TEST(upload.next().value().size() == kBlockOctets);
  BOOST_TEST(told == 1);
  BOOST_TEST(upload.room().size() == kBlockOctets);
  BOOST_TEST(upload.next().value().size() == kBlockOctets);
  BOOST_TEST(told == 1);  // the writer does not wait
}

BOOST_AUTO_TEST_CASE(a_failure_is_told_before_what_has_come_is_read) {
  Upload upload([] {});
  write(upload, 0, 2 * kBlockOctets, kBlockOctets);
  BOOST_TEST(upload.next().value().size() == kBlockOctets);
  upload.fail(cut());
  for (int i = 0; i < 2; ++i) {
    const auto next = upload.next();
    BOOST_REQUIRE(!next);
    BOOST_TEST((next.error().code == ErrorCode::request_cut));
  }
}

BOOST_AUTO_TEST_CASE(the_first_end_counts) {
  Upload finished([] {});
  write(finished, 0, 10, 10);
  finished.finish();
  finished.fail(cut());
  BOOST_TEST(read_on(finished).value() == 10U);
  Upload failed([] {});
  failed.fail(cut());
  failed.finish();
  failed.fail({ErrorCode::internal, "another", {}, {}, {}});
  BOOST_TEST((failed.next().error().code == ErrorCode::request_cut));
}

BOOST_AUTO_TEST_CASE(a_reader_that_waits_is_woken_by_a_block_an_end_and_a_failure) {
  const auto wakes = [](auto what) {
    Upload upload([] {});
    auto next = std::async(std::launch::async, [&] {
      const auto block = upload.next();
      return block ? std::to_string(block->size()) : block.error().detail;
    });
    BOOST_TEST((next.wait_for(20ms) == std::future_status::timeout));
    what(upload);
    const bool woken = next.wait_for(5s) == std::future_status::ready;
    BOOST_TEST(woken);
    if (!woken) upload.fail(cut());
    return next.get();
  };
  BOOST_TEST(wakes([](Upload& upload) { write(upload, 0, kBlockOctets, 4096); }) ==
             std::to_string(kBlockOctets));
  BOOST_TEST(wakes([](Upload& upload) { upload.finish(); }) == "0");
  BOOST_TEST(wakes([](Upload& upload) {
               write(upload, 0, 10, 10);  // no whole block
               upload.finish();
             }) == "10");
  BOOST_TEST(wakes([](Upload& upload) { upload.fail(cut()); }) == "the client is gone");
}

BOOST_AUTO_TEST_CASE(much_goes_through_from_one_thread_to_another) {
  constexpr std::size_t kOctets = 100 * kBlockOctets + 17;
  std::mutex mutex;
  std::condition_variable changed;
  bool has_room = false;
  Upload upload([&] {
    const std::lock_guard lock(mutex);
    has_room = true;
    changed.notify_one();
  });
  std::thread writer([&] {
    std::size_t written = 0;
    while ((written = write(upload, written, kOctets, 10'000)) < kOctets) {
      std::unique_lock lock(mutex);
      if (!changed.wait_for(lock, 5s, [&] { return has_room; })) return upload.fail(cut());
      has_room = false;
    }
    upload.finish();
  });
  const auto read = read_on(upload);
  writer.join();
  BOOST_REQUIRE(read);
  BOOST_TEST(*read == kOctets);
}

BOOST_AUTO_TEST_SUITE_END()
