#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <fstream>
#include <string>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

namespace {

std::uint64_t sum_of(std::size_t octets) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < octets; ++i) sum = sum * 31 + static_cast<unsigned char>(octet_at(i));
  return sum;
}

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t kResidentMoreMax = SIZE_MAX / 2;  // it keeps what has been freed
#else
constexpr std::size_t kResidentMoreMax = 16'000'000;
#endif

std::size_t resident_octets() {
  std::ifstream in("/proc/self/statm");
  std::size_t pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

server::Settings large_settings() {
  auto s = settings();
  s.body_octets_max = 300'000'000;
  s.body_octets_total_max = 8'000'000;
  s.large_bodies = 2;
  return s;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(large_bodies)

BOOST_AUTO_TEST_CASE(a_large_body_streams_through_in_flat_memory_and_the_connection_goes_on) {
  Running running(large_settings());
  constexpr std::size_t kOctets = 60'000'003;
  const auto expected = std::to_string(kOctets) + " " + std::to_string(sum_of(kOctets));
  TlsClient client(running.port());
  BOOST_TEST(client.ask(post("small")).status == 200);
  const auto before = resident_octets();
  client.send(head_of(kOctets));
  BOOST_TEST(send_octets(client, 0, kOctets));
  BOOST_TEST(client.read().body == expected);
  BOOST_TEST(resident_octets() < before + kResidentMoreMax);
  client.send(chunked(""));
  BOOST_TEST(send_octets(client, 0, kOctets, true));
  client.send("0\r\n\r\n");
  BOOST_TEST(client.read().body == expected);
  BOOST_TEST(client.ask(post("small")).status == 200);
}

BOOST_AUTO_TEST_CASE(sizes_about_the_first_mebibyte_are_whole) {
  Running running(large_settings());
  TlsClient client(running.port());
  for (const std::size_t octets : {1'048'575, 1'048'576, 1'048'577, 1'114'112, 1'310'720}) {
    BOOST_TEST_CONTEXT(octets) {
      for (const bool in_chunks : {false, true}) {
        client.send(in_chunks ? chunked("") : head_of(octets));
        send_octets(client, 0, octets, in_chunks);
        if (in_chunks) client.send("0\r\n\r\n");
        const auto answer = client.read();
        BOOST_TEST(answer.status == 200);
        if (octets > 1'048'576) {
          BOOST_TEST(answer.body == std::to_string(octets) + " " + std::to_string(sum_of(octets)));
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(who_is_refused_early_gets_the_answer_and_is_read_no_further) {
  Running running(large_settings());
  running.application.read_at_most = 1;
  {
    TlsClient client(running.port());
    client.send(head_of(200'000'000));
    send_octets(client, 0, 1'200'000);  // then it says nothing more, but listens
    const auto begin = std::chrono::steady_clock::now();
    const auto answer = client.read();
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.has("Connection: close"));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
    BOOST_TEST(client.ended());
  }
  TlsClient eager(running.port());  // goes on sending
  eager.send(head_of(200'000'000));
  BOOST_TEST(!send_octets(eager, 0, 200'000'000));
  BOOST_TEST(running.application.octets_read < 2'000'000);
}

BOOST_AUTO_TEST_CASE(an_upload_that_is_cut_or_too_slow_is_told_to_the_reader) {
  auto s = large_settings();
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 2'000'000;
  Running running(s);
  {
    TlsClient gone(running.port());
    gone.send(head_of(100'000'000));
    send_octets(gone, 0, 3'000'000);
    running.application.wait_for_posts(1);
  }
  TlsClient slow(running.port());
  slow.send(head_of(100'000'000));
  send_octets(slow, 0, 3'000'000);
  BOOST_TEST(slow.read().body == "1010");
  BOOST_TEST(slow.ended());
  BOOST_TEST(eventually([&] { return running.application.cuts == 2; }));

  TlsClient malformed(running.port());
  malformed.send(chunked(""));
  send_octets(malformed, 0, 2'000'000, true);
  malformed.send("zz\r\n");
  BOOST_TEST(malformed.read().body == "1010");
  BOOST_TEST(malformed.ended());
}

BOOST_AUTO_TEST_CASE(a_slow_reader_slows_the_sender_and_is_not_held_against_it) {
  auto s = large_settings();
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 20'000'000;
  Running running(s);
  running.application.pause_per_block_ms = 20;  // 3 MB/s
  constexpr std::size_t kOctets = 8'000'000;
  TlsClient client(running.port());
  client.send(head_of(kOctets));
  BOOST_TEST(send_octets(client, 0, kOctets));
  BOOST_TEST(client.read().status == 200);
}

BOOST_AUTO_TEST_CASE(too_many_large_bodies_are_503_and_stop_nobody_else) {
  Running running(large_settings());
  std::deque<TlsClient> slow;
  for (int i = 0; i < 2; ++i) {
    auto& client = slow.emplace_back(running.port());
    client.send(head_of(100'000'000));
    send_octets(client, 0, 1'200'000);
  }
  running.application.wait_for_posts(2);
  TlsClient refused(running.port()), small(running.port());
  BOOST_TEST(refused.ask(head_of(100'000'000)).status == 503);
  BOOST_TEST(refused.ended());
  BOOST_TEST(small.ask(post("x")).status == 200);
  TlsClient growing(running.port());
  growing.send(chunked(""));
  send_octets(growing, 0, 1'200'000, true);
  BOOST_TEST(growing.read().status == 503);
}

BOOST_AUTO_TEST_CASE(a_chunked_body_beyond_the_limit_is_413_while_it_streams) {
  auto s = large_settings();
  s.body_octets_max = 5'000'000;
  Running running(s);
  TlsClient client(running.port());
  client.send(chunked(""));
  send_octets(client, 0, 5'200'000, true);
  BOOST_TEST(client.read().status == 413);
  BOOST_TEST(client.ended());
}

BOOST_AUTO_TEST_CASE(stop_ends_an_upload_in_bounded_time) {
  auto s = large_settings();
  s.finish = 500ms;
  Running running(s);
  TlsClient client(running.port());
  client.send(head_of(100'000'000));
  send_octets(client, 0, 2'000'000);
  running.application.wait_for_posts(1);
  const auto begin = std::chrono::steady_clock::now();
  running.server->stop();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
  BOOST_TEST(running.application.cuts == 1);
}

BOOST_AUTO_TEST_SUITE_END()
