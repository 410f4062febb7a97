#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <deque>
#include <string>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

namespace {

// One request is in work; of two more, the server keeps one waiting, and refuses the other.
struct FullQueue {
  explicit FullQueue(Running& running)
      : working(running.port()), one(running.port()), other(running.port()) {
    for (auto* client : {&one, &other}) BOOST_REQUIRE(client->ask(get("/health")).status == 200);
    running.application.hold(true);
    working.send(post("a"));
    running.application.wait_for_posts(1);
    for (auto* client : {&one, &other}) client->send(post("b"));
    refused_ = &first_answered({&one, &other});
  }
  TlsClient& refused() const { return *refused_; }
  TlsClient& waiting() { return refused_ == &one ? other : one; }

  TlsClient working, one, other;

 private:
  TlsClient* refused_ = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_AUTO_TEST_CASE(a_body_beyond_the_limit_is_413_by_its_length_or_while_it_comes) {
  Running running;
  TlsClient announced(running.port());
  auto answer = announced.ask(
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Length: 200001\r\n\r\n");
  BOOST_TEST(answer.status == 413);
  BOOST_TEST(answer.body == "fault");
  BOOST_TEST(announced.ended());

  TlsClient one_chunk(running.port());
  BOOST_TEST(one_chunk.ask(chunked("FFFFFFFF\r\nabc")).status == 413);
  BOOST_TEST(one_chunk.ended());

  TlsClient many_chunks(running.port());
  std::string text;
  for (int i = 0; i < 300; ++i) text += "400\r\n" + std::string(1024, 'x') + "\r\n";
  BOOST_TEST(many_chunks.ask(chunked(text)).status == 413);
  BOOST_TEST(many_chunks.ended());

  TlsClient exact(running.port());
  BOOST_TEST(exact.ask(post(std::string(200'000, 'x'))).status == 200);
  BOOST_TEST(running.application.posts() == 1);
}

BOOST_AUTO_TEST_CASE(the_sum_of_all_bodies_is_bounded) {
  auto s = settings();
  s.body_octets_total_max = 250'000;
  Running running(s);
  TlsClient first(running.port()), second(running.port());
  running.application.hold(true);
  first.send(post(std::string(200'000, 'x')));
  running.application.wait_for_posts(1);
  const auto answer = second.ask(post(std::string(100'000, 'x')));
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.has("Retry-After: 7\r\n"));
  running.application.hold(false);
  BOOST_TEST(first.read().status == 200);
  TlsClient third(running.port());
  BOOST_TEST(third.ask(post(std::string(200'000, 'x'))).status == 200);
}

// Who reads slowly fills what is there for answers, and nothing else.
BOOST_AUTO_TEST_CASE(answers_that_are_read_slowly_refuse_other_readers_and_nobody_who_sends) {
  struct Large final : ApiHandler {
    HttpResponse get(const ApiRequest&) override {
      HttpResponse answer{200, "text/plain", std::string(30'000'000, 'a')};
      answer.asked_by = "somebody";
      return answer;
    }
    void answering(const ApiRequest&, const HttpResponse& answer) override {
      if (answer.asked_by != "somebody") return;
      (answer.http_status == 200 ? begun : refused)++;
    }
    void sent(const ApiRequest&, const HttpResponse&, const Sent&) override { ++done; }
    std::atomic<int> begun{0}, refused{0}, done{0};
  } api;
  auto s = settings();
  s.body_octets_max = 1'000'000;
  s.body_octets_total_max = 30'500'000;
  Running running(s, &api);
  TlsClient slow(running.port()), other(running.port()), sender(running.port());
  slow.send(get("/api/v1/x"));
  char part[1000];
  BOOST_TEST(::SSL_read(slow.ssl(), part, sizeof part) > 0);
  BOOST_TEST(api.begun == 1);  // told before the first octet
  BOOST_TEST(api.done == 0);
  BOOST_TEST(other.ask(get("/api/v1/x")).status == 503);
  BOOST_TEST(api.refused == 1);
  BOOST_TEST(sender.ask(post(std::string(900'000, 'x'))).status == 200);
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_503_with_retry_after) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 1;
  Running running(s);
  FullQueue full(running);
  auto& refused = full.refused();
  const auto answer = refused.read();
  BOOST_TEST(answer.status == 503);
  BOOST_TEST(answer.has("Retry-After: 7\r\n"));
  BOOST_TEST(refused.ask(get("/health")).status == 200);
  running.application.hold(false);
  BOOST_TEST(full.working.read().body.starts_with("body=a "));
  BOOST_TEST(full.waiting().read().body.starts_with("body=b "));
}

BOOST_AUTO_TEST_CASE(a_refusal_is_made_once_for_many_and_keeps_the_connection) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 1;
  Running running(s);
  FullQueue full(running);
  auto& refused = full.refused();
  BOOST_TEST(refused.read().status == 503);
  for (int i = 0; i < 50; ++i) BOOST_TEST(refused.ask(post("c")).status == 503);
  const auto soap12 =
      "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n"
      "Content-Length: 1\r\n\r\nx";
  BOOST_TEST(refused.ask(soap12).status == 503);
  // One for each version of SOAP; a slow machine may need a second one.
  BOOST_TEST(running.application.refusals <= 4);
  running.application.hold(false);
  BOOST_TEST(full.waiting().read().status == 200);
  BOOST_TEST(refused.ask(post("c")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_tenant_with_much_waiting_makes_room_for_another) {
  auto s = settings();
  s.workers = 1;
  s.queue_max = 2;
  Running running(s);
  std::deque<TlsClient> clients;
  // The answer names the tenant; from then on the connection's requests are its.
  for (const char* tenant : {"a", "a", "a", "b"}) {
    auto& client = clients.emplace_back(running.port());
    BOOST_TEST(client.ask(post("x", "SOAPAction: " + std::string(tenant) + "\r\n")).status == 200);
  }
  running.application.hold(true);
  clients[0].send(post("x"));
  running.application.wait_for_posts(5);
  // Whatever the order in which these three come, one of tenant a is too many.
  for (const std::size_t i : {1, 2, 3}) clients[i].send(post("x"));
  auto& refused = first_answered({&clients[1], &clients[2], &clients[3]});
  BOOST_TEST(&refused != &clients[3]);
  BOOST_TEST(refused.read().status == 503);
  running.application.hold(false);
  for (auto& client : clients) {
    if (&client != &refused) BOOST_TEST(client.read().status == 200);
  }
}

BOOST_AUTO_TEST_CASE(fewer_file_descriptors_than_connections_is_no_reason_not_to_serve) {
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit few{256, 256};
    auto s = settings();
    s.connections_max = 100'000;
    const bool fine = ::setrlimit(RLIMIT_NOFILE, &few) == 0 && server::Server::open(s).has_value();
    ::_exit(fine ? 0 : 1);
  }
  int status = -1;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(connections_beyond_the_cap_are_refused_and_the_others_served) {
  auto s = settings();
  s.connections_max = 32;
  s.connections_per_peer_max = 20;
  Running running(s);
  std::deque<TlsClient> idle;
  for (int i = 0; i < 20; ++i) BOOST_REQUIRE(idle.emplace_back(running.port()).ready());
  for (int i = 0; i < 3; ++i) BOOST_TEST(!TlsClient(running.port()).ready());
  for (auto& client : idle) BOOST_TEST(client.ask(post("x")).status == 200);
  idle.pop_front();
  BOOST_TEST(eventually([&] { return TlsClient(running.port()).ready(); }));
}

BOOST_AUTO_TEST_CASE(when_places_get_scarce_connections_are_not_kept_open) {
  auto s = settings();
  s.connections_max = 8;
  Running running(s);
  std::deque<TlsClient> clients;
  for (int i = 0; i < 7; ++i) BOOST_REQUIRE(clients.emplace_back(running.port()).ready());
  BOOST_TEST(clients.front().ask(post("x")).has("Connection: close"));
  BOOST_TEST(clients.front().ended());
}

BOOST_AUTO_TEST_CASE(who_rests_makes_room_when_places_get_scarce_and_who_is_new_stays) {
  auto s = settings();
  s.connections_max = 8;
  Running running(s);
  std::deque<TlsClient> resting;
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(resting.emplace_back(running.port()).ask(post("x")).has("Connection: keep-alive"));
  }
  std::deque<TlsClient> fresh;
  for (int i = 0; i < 4; ++i) BOOST_REQUIRE(fresh.emplace_back(running.port()).ready());
  first_answered({&resting[0], &resting[1], &resting[2]});  // its connection has been ended
  for (auto& client : fresh) BOOST_TEST(client.ask(post("y")).status == 200);
  // One at least; a thread does not know at once that the other has made room.
  const auto left = std::count_if(resting.begin(), resting.end(),
                                  [](auto& client) { return client.ask(post("x")).status == 200; });
  BOOST_TEST(left < 3);
}

BOOST_AUTO_TEST_SUITE_END()
