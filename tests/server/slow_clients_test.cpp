#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(slow_clients)

BOOST_AUTO_TEST_CASE(slow_and_silent_clients_are_cut_off_and_stop_nobody) {
  auto s = settings();
  s.handshake = s.header = s.idle = 1s;
  s.body = 3s;
  s.body_grace = 500ms;
  s.body_octets_per_second_min = 1000;
  Running running(s);
  const auto begin = std::chrono::steady_clock::now();
  const Log log;
  TcpClient no_handshake(running.port());
  TlsClient no_request(running.port()), slow_header(running.port()), slow_body(running.port()),
      slow_chunks(running.port()), idle(running.port());
  BOOST_TEST(idle.ask(post("x")).status == 200);
  slow_body.send(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  slow_chunks.send(chunked(""));
  // Each is never silent for long, but never done either.
  std::atomic<bool> stop{false};
  std::thread trickle([&] {
    for (int i = 0; i < 15 && !stop; ++i) {
      slow_header.send(i == 0 ? "GET /health HTTP/1.1\r\n" : "A: b\r\n");
      slow_body.send("x");
      slow_chunks.send("1\r\nx\r\n");
      std::this_thread::sleep_for(100ms);
    }
  });
  TlsClient honest(running.port());
  BOOST_TEST(honest.ask(post("y")).status == 200);
  trickle.join();
  BOOST_TEST(no_request.ended());
  BOOST_TEST(slow_header.read().status == 408);
  BOOST_TEST(slow_header.ended());
  BOOST_TEST(slow_body.read().body == "cut");
  BOOST_TEST(slow_body.ended());
  BOOST_TEST(slow_chunks.read().body == "cut");
  BOOST_TEST(slow_chunks.ended());
  BOOST_TEST(idle.ended());
  char octet = 0;
  BOOST_TEST(::recv(no_handshake.fd(), &octet, 1, 0) <= 0);
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 4s));
  BOOST_TEST(running.application.posts() == 2);
  for (const char* line :
       {"event=handshake_failed peer=127.0.0.1 detail=\"the handshake was not over within "
        "limits.handshake_seconds\"",
        "event=connection_unused peer=127.0.0.1 detail=\"no request within limits.header_seconds\"",
        "event=request_refused peer=127.0.0.1 status=408 path=\"\" detail=\"the head was not "
        "complete within limits.header_seconds\""}) {
    BOOST_TEST_CONTEXT(line) { BOOST_TEST(log.has(line)); }
  }
}

BOOST_AUTO_TEST_CASE(a_body_that_is_cut_is_on_record) {
  Running running;
  const auto cut_is = [&](std::string_view detail) {
    eventually([&] { return running.application.last_cut() == detail; });
    BOOST_TEST(running.application.last_cut() == detail);
  };
  // A close with tickets unread would be a reset, which takes octets along.
  const auto ends = [](TlsClient& client) { ::shutdown(::SSL_get_fd(client.ssl()), SHUT_WR); };
  TlsClient half(running.port());
  half.send(head_of(100'000));
  send_octets(half, 0, 5'000);
  ends(half);
  cut_is("the client ended the connection after 5000 of 100000 octets of the body");
  TlsClient chunks(running.port());
  chunks.send(chunked("3\r\nabc\r\n"));
  ends(chunks);
  cut_is("the client ended the connection after 3 octets of the body");
  // Who announces more than it sends, and waits.
  auto s = settings();
  s.body = 1s;
  Running hasty(s);
  TlsClient waiting(hasty.port());
  const auto answer = waiting.ask(head_of(6) + "hello");
  BOOST_TEST(answer.status == 500);
  BOOST_TEST(answer.has("Connection: close"));
  BOOST_TEST(waiting.ended());
  BOOST_TEST(hasty.application.last_cut() ==
             "the client sent nothing more, or too slowly, after 5 of 6 octets of the body");
}

// Each octet of an answer gives time for the next.
BOOST_AUTO_TEST_CASE(a_large_answer_is_sent_to_a_slow_client_as_long_as_it_takes_some) {
  auto s = settings();
  s.write = 1s;
  s.body = 60s;
  s.body_octets_per_second_min = 200'000;
  Running running(s);
  const std::string body(14'000'000, 'b');
  running.application.later = [&](std::unique_ptr<pipeline::Requester> requester) {
    requester->answer({200, "text/xml", body, 0});
  };
  TlsClient client(running.port());
  client.send(post("x"));
  std::string got;
  char part[16 * 1024];
  const auto begin = std::chrono::steady_clock::now();
  while (got.size() < body.size()) {
    const int count = ::SSL_read(client.ssl(), part, sizeof part);
    BOOST_REQUIRE(count > 0);
    got.append(part, static_cast<std::size_t>(count));
    // It takes 4.5 MB a second.
    std::this_thread::sleep_until(begin + std::chrono::microseconds(got.size() * 1000 / 4500));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begin > 2s));
  BOOST_TEST(got.ends_with("bbb"));
}

BOOST_AUTO_TEST_CASE(the_log_says_how_much_of_an_answer_was_taken) {
  const Log log;
  auto s = settings();
  s.write = 500ms;
  Running running(s);
  running.application.later = [&](std::unique_ptr<pipeline::Requester> requester) {
    requester->answer({200, "text/xml", std::string(50'000'000, 'b'), 0});
  };
  TlsClient deaf(running.port());
  deaf.send(post("x"));
  BOOST_REQUIRE(log.has("detail=\"the client took it too slowly\""));
  {
    TlsClient gone(running.port());
    gone.send(post("x"));
    char part[1000];
    BOOST_TEST(::SSL_read(gone.ssl(), part, sizeof part) > 0);
  }
  BOOST_REQUIRE(log.has("detail=\"the client ended the connection\""));
  const auto text = log.text();
  const std::string begin =
      "event=answer_cut peer=127.0.0.1 status=200 path=/services/aggregation octets=";
  BOOST_REQUIRE(text.find(begin) != std::string::npos);
  BOOST_TEST(std::stoul(text.substr(text.find(begin) + begin.size())) < 50'000'000U);
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_take_its_answer_is_cut_off) {
  auto s = settings();
  s.write = 1s;
  s.body_octets_max = s.body_octets_total_max = 1'000'000;
  s.connections_max = 1;
  Running running(s);
  {
    TlsClient deaf(running.port());
    // Its answers fill the buffers of the system.
    for (int i = 0; i < 20; ++i) deaf.send(post(std::string(900'000, 'x')));
    running.application.wait_for_posts(1);
    // Its place is free again while it still holds the connection open.
    BOOST_TEST(eventually([&] { return TlsClient(running.port()).ready(); }));
  }
}

BOOST_AUTO_TEST_SUITE_END()
