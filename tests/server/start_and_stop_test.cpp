#include <boost/test/unit_test.hpp>

#include <signal.h>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "running_server.h"
#include "server/signals.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(start_and_stop)

BOOST_AUTO_TEST_CASE(what_is_wrong_at_the_start_is_said_with_a_hint) {
  Running running;
  auto busy = settings();
  busy.listeners[0].port = running.port();
  const auto in_use = server::Server::open(busy);
  BOOST_REQUIRE(!in_use);
  BOOST_TEST((in_use.error().code == ErrorCode::address_in_use));
  BOOST_TEST(in_use.error().hint.find(std::to_string(running.port())) != std::string::npos);

  const auto code_with = [](auto change) {
    auto s = settings();
    change(s);
    const auto result = server::Server::open(s);
    BOOST_REQUIRE(!result);
    BOOST_TEST(!result.error().hint.empty());
    return result.error().code;
  };
  BOOST_TEST((code_with([](auto& s) { s.listeners[0].address = "192.0.2.1"; }) ==
              ErrorCode::address_in_use));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = "/no/such.key"; }) ==
              ErrorCode::file_unreadable));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].certificate = s.certificates[0].key; }) ==
              ErrorCode::config_invalid));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = s.certificates[0].certificate; }) ==
              ErrorCode::config_invalid));
  BOOST_TEST((code_with([](auto& s) { s.certificates[0].key = pki().folder / "other.key"; }) ==
              ErrorCode::config_invalid));
}

BOOST_AUTO_TEST_CASE(stop_finishes_what_is_under_way_and_ends_what_is_idle) {
  auto running = std::make_unique<Running>();
  const auto port = running->port();
  TlsClient busy(port), idle(port), reading(port);
  BOOST_TEST(idle.ask(post("x")).status == 200);
  running->application.hold(true);
  busy.send(post("kept"));
  running->application.wait_for_posts(2);
  begin_post(reading, 4);
  auto stopped = std::async(std::launch::async, [&] { running->server->stop(); });
  BOOST_TEST(idle.ended());
  BOOST_TEST((stopped.wait_for(200ms) == std::future_status::timeout));
  BOOST_TEST(!TcpClient(port).connected());
  running->application.hold(false);
  reading.send("half");
  const auto answer = busy.read();
  BOOST_TEST(answer.body.starts_with("body=kept "));
  BOOST_TEST(answer.has("Connection: close"));
  BOOST_TEST(reading.read().body.starts_with("body=half "));
  BOOST_TEST((stopped.wait_for(3s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(stop_does_not_wait_for_ever) {
  auto s = settings();
  s.finish = 500ms;
  auto running = std::make_unique<Running>(s);
  TlsClient slow(running->port());
  begin_post(slow, 4);
  slow.send("ha");
  const auto begin = std::chrono::steady_clock::now();
  running->server->stop();
  BOOST_TEST((std::chrono::steady_clock::now() - begin < 2s));
  running.reset();
  BOOST_TEST(slow.ended());
}

BOOST_AUTO_TEST_CASE(a_server_that_never_started_can_go) {
  auto server = server::Server::open(settings());
  BOOST_REQUIRE(server);
  BOOST_TEST((*server)->port() != 0);
}

BOOST_AUTO_TEST_CASE(a_stop_signal_is_waited_for) {
  server::block_signals();
  ::raise(SIGTERM);
  BOOST_TEST(server::wait_for_signal() == SIGTERM);
}

BOOST_AUTO_TEST_SUITE_END()
