#include "server/jobs.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <new>
#include <string>

using namespace district;
using namespace std::chrono_literals;
using server::PendingAnswer;
using server::Reply;

namespace {

// Keeps what is posted, or throws.
struct Keeper final : server::Application {
  void post(receive::HttpRequest request, std::unique_ptr<pipeline::Requester> requester) override {
    if (request.soap_action == "throw") throw std::bad_alloc();
    kept.set_value(std::move(requester));
  }
  HttpResponse refuse(const Error&, std::string_view, std::string_view) override {
    return {503, "text/xml", "<fault/>", 5};
  }
  std::optional<std::string_view> document(std::string_view) const override { return {}; }
  // What was posted.
  std::unique_ptr<pipeline::Requester> take() {
    auto posted = kept.get_future();
    BOOST_REQUIRE((posted.wait_for(5s) == std::future_status::ready));
    return posted.get();
  }
  std::promise<std::unique_ptr<pipeline::Requester>> kept;
};

struct Reader final : ApiHandler {
  HttpResponse get(const ApiRequest& request) override {
    if (request.path == "throw") throw std::bad_alloc();
    return {200, "application/json", request.path};
  }
};

// Everything but connections: the test's thread stands for the I/O thread.
struct World {
  World() {
    front.application = &application;
    front.api = &reader;
    front.workers.start();
    front.api_workers.start();
  }
  ~World() {
    front.api_workers.stop();
    front.workers.stop();
  }

  std::shared_ptr<PendingAnswer> pending() {
    return std::make_shared<PendingAnswer>(io.get_executor());
  }
  void post(const std::shared_ptr<PendingAnswer>& pending, const std::string& action = {}) {
    auto reply = std::make_unique<Reply>(front.workers, "192.0.2.1", pending);
    BOOST_REQUIRE(front.workers.submit(
        std::make_unique<server::EnvelopeJob>(
            receive::HttpRequest{"text/xml", "", action, "192.0.2.1", {}}, std::move(reply), front),
        "flow"));
  }
  void get(const std::shared_ptr<PendingAnswer>& pending, const std::string& path) {
    ApiRequest request;
    request.path = path;
    auto reply = std::make_unique<Reply>(front.api_workers, "192.0.2.1", pending);
    BOOST_REQUIRE(front.api_workers.submit(
        std::make_unique<server::ApiJob>(request, std::move(reply), front), "flow"));
  }
  // The status, when it is here; 0: none came in time.
  unsigned status(const PendingAnswer& pending, std::chrono::milliseconds at_most = 5s) {
    io.restart();
    const auto end = std::chrono::steady_clock::now() + at_most;
    auto keeps_running = boost::asio::make_work_guard(io);
    while (!pending.here() && io.run_one_until(end) > 0) {
    }
    return pending.here() ? pending.get().response->http_status : 0;
  }

  static server::Settings settings() {
    server::Settings s;
    s.workers = 1;
    s.few = 1;
    s.connections_max = s.connections_per_peer_max = 1;
    return s;
  }

  boost::asio::io_context io;
  Keeper application;
  Reader reader;
  server::Front front{settings()};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(jobs)

BOOST_AUTO_TEST_CASE(an_answer_comes_back_to_the_thread_that_waits) {
  World world;
  const auto pending = world.pending();
  world.post(pending);
  const auto requester = world.application.take();
  requester->answer({200, "text/xml", "<receipt/>"});
  BOOST_TEST(!pending->here());  // before that thread runs
  BOOST_TEST(world.status(*pending) == 200U);
  BOOST_TEST(pending->get().was_asked);
  BOOST_TEST(pending->get().response->body == "<receipt/>");
}

BOOST_AUTO_TEST_CASE(a_rest_owns_its_requester_and_runs_on_a_worker) {
  World world;
  const auto pending = world.pending();
  world.post(pending);
  auto requester = world.application.take();
  auto& asks = *requester;
  asks.run_on_worker([requester = std::move(requester)] {
    requester->answer({200, "text/xml", "later"});
  });
  BOOST_TEST(world.status(*pending) == 200U);
}

BOOST_AUTO_TEST_CASE(who_is_let_go_without_an_answer_gets_500_once) {
  World world;
  const auto pending = world.pending();
  world.post(pending);
  world.application.take().reset();
  BOOST_TEST(world.status(*pending) == 500U);
  // Its worker is free again.
  const auto thrown = world.pending();
  world.post(thrown, "throw");
  BOOST_TEST(world.status(*thrown) == 500U);
  BOOST_TEST(thrown->get().was_asked);
  const auto read = world.pending();
  world.get(read, "throw");
  BOOST_TEST(world.status(*read) == 500U);
  const auto good = world.pending();
  world.get(good, "/api/v1/x");
  BOOST_TEST(world.status(*good) == 200U);
  BOOST_TEST(good->get().response->body == "/api/v1/x");
}

BOOST_AUTO_TEST_CASE(one_too_many_is_refused_and_was_not_asked) {
  World world;
  const auto first = world.pending(), second = world.pending();
  world.post(first);
  const auto requester = world.application.take();
  world.post(second);
  BOOST_TEST(world.status(*second) == 503U);
  BOOST_TEST(!second->get().was_asked);
  requester->answer({200, "text/xml", ""});
  BOOST_TEST(world.status(*first) == 200U);
}

BOOST_AUTO_TEST_CASE(what_waits_when_the_server_stops_gets_no_answer) {
  World world;
  server::Workers none("none", 0, {1, 0, 1h, {}});
  const auto pending = world.pending();
  auto reply = std::make_unique<Reply>(none, "192.0.2.1", pending);
  BOOST_TEST(none.submit(
      std::make_unique<server::EnvelopeJob>(receive::HttpRequest{}, std::move(reply), world.front),
      "flow"));
  none.stop();
  BOOST_TEST(world.status(*pending, 20ms) == 0U);
}

BOOST_AUTO_TEST_CASE(whoever_waits_can_be_woken_for_something_else) {
  World world;
  const auto pending = world.pending();
  int woken = 0;
  boost::asio::co_spawn(
      world.io,
      [&]() -> server::Awaitable<void> {
        co_await pending->wait_for_event();
        ++woken;
        co_await pending->wait();
        ++woken;
      },
      boost::asio::detached);
  world.io.poll();
  pending->wake();
  world.io.poll();
  BOOST_TEST(woken == 1);
  pending->deliver({std::make_shared<const HttpResponse>(), true});
  world.io.poll();
  BOOST_TEST(woken == 2);
}

BOOST_AUTO_TEST_SUITE_END()
