#include "acknowledge/replay_faults.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <set>
#include <thread>
#include <vector>

using namespace district;
using acknowledge::ReplayFaults;
using namespace std::chrono_literals;

namespace {

const Instant kAt = *parse_date_time("2026-01-15T12:00:00Z");

struct Fixture {
  ReplayFaults faults;
  std::atomic<int> signatures = 0;

  // The id of the answer, which counts the signatures; empty: too many.
  std::string ask(const std::string& key, Instant at = kAt, std::uint8_t signer = 1) {
    const auto answer = faults.give({std::byte{signer}}, key, at, [&] {
      return ReplayFaults::Answer{std::to_string(++signatures), "<fault/>", at};
    });
    return answer ? answer->rejection_id : "";
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replay_faults, Fixture)

BOOST_AUTO_TEST_CASE(an_answer_is_kept_for_its_key_and_a_minute) {
  BOOST_TEST(ask("a") == "1");
  BOOST_TEST(ask("a", kAt + 60s) == "1");
  BOOST_TEST(ask("b") == "2");
  BOOST_TEST(ask("a", kAt + 61s) == "3");
}

BOOST_AUTO_TEST_CASE(many_at_once_get_the_same_answer_for_one_signature) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) {
    threads.emplace_back([&] {
      const auto answer = faults.give({}, "a", kAt, [&] {
        std::this_thread::sleep_for(20ms);
        return ReplayFaults::Answer{std::to_string(++signatures), "<fault/>", kAt};
      });
      const std::lock_guard lock(mutex);
      ids.insert(answer->rejection_id);
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(signatures == 1);
  BOOST_TEST(ids.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_signers_replays_cost_only_so_many_signatures) {
  for (int i = 0; i < 1000; ++i) static_cast<void>(ask(std::to_string(i)));
  BOOST_TEST(signatures == 200);
  BOOST_TEST(ask("199") == "200", "those that were made are still given");
  BOOST_TEST(ask("other", kAt, 2) == "201", "another signer has an allowance of its own");
  BOOST_TEST(ask("0 again", kAt - 1h) == "", "no clock that is set back gives more");
  BOOST_TEST(ask("0 again", kAt - 1h + 50ms) == "");
  BOOST_TEST(ask("0 again", kAt - 1h + 150ms) == "202");
}

BOOST_AUTO_TEST_CASE(the_number_of_answers_is_bounded_and_the_latest_stay) {
  for (int i = 0; i < 5000; ++i) {
    static_cast<void>(ask(std::to_string(i), kAt, static_cast<std::uint8_t>(i / 100)));
  }
  BOOST_TEST(signatures == 5000);
  for (int i = 4999; i > 4999 - 512; --i) {
    BOOST_TEST(ask(std::to_string(i), kAt, 200) == std::to_string(i + 1));
  }
  BOOST_TEST(ask("0", kAt, 200) == "5001");
}

BOOST_AUTO_TEST_SUITE_END()
