#include "server/traces.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace district;
using namespace std::chrono_literals;
using server::Traces;

namespace {

struct Log {
  Log() { BOOST_REQUIRE(observe::start_log({"info", file})); }
  ~Log() {
    BOOST_CHECK(observe::start_log({}));
    std::filesystem::remove(file);
  }
  std::size_t count(std::string_view part) const {
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  }
  const std::filesystem::path file = std::filesystem::temp_directory_path() /
                                     ("district-traces-" + std::to_string(::getpid()) + ".log");
};

}  // namespace

BOOST_AUTO_TEST_SUITE(traces)

BOOST_AUTO_TEST_CASE(a_peer_has_so_many_lines_a_minute_and_the_rest_is_counted) {
  const Log log;
  Traces traces;
  const Traces::Clock::time_point begin(1h);
  const auto refuse = [&](const std::string& peer, std::chrono::seconds at) {
    traces.write(peer, "request_refused", {{"peer", peer}}, begin + at);
  };
  for (int i = 0; i < 1000; ++i) refuse("192.0.2.1", 1s);
  for (int i = 0; i < 3; ++i) refuse("192.0.2.2", 2s);
  BOOST_TEST(log.count("peer=192.0.2.1\n") == Traces::kPerPeer);
  BOOST_TEST(log.count("peer=192.0.2.2\n") == 3U);
  traces.report(begin + 30s);
  BOOST_TEST(log.count("refusals_left_out") == 0U);
  traces.report(begin + 61s);
  BOOST_TEST(log.count("event=refusals_left_out count=970 most_of_peer=192.0.2.1 "
                       "of_that_peer=970\n") == 1U);
  // The next minute begins anew; nothing left out is nothing to tell.
  refuse("192.0.2.1", 62s);
  BOOST_TEST(log.count("peer=192.0.2.1\n") == Traces::kPerPeer + 1);
  traces.report(begin + 1h);
  BOOST_TEST(log.count("refusals_left_out") == 1U);
}

BOOST_AUTO_TEST_CASE(all_peers_together_have_so_many_lines) {
  const Log log;
  Traces traces;
  const Traces::Clock::time_point begin(1h);
  for (int i = 0; i < 5000; ++i) {
    traces.write("198.51.100." + std::to_string(i), "handshake_failed", {}, begin);
  }
  BOOST_TEST(log.count("handshake_failed") == Traces::kInAll);
  traces.report(Traces::Clock::time_point::max());
  BOOST_TEST(log.count("event=refusals_left_out count=4700 ") == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
