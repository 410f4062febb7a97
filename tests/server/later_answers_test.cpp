#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "running_server.h"

using namespace district;
using namespace district::test;
using namespace std::chrono_literals;

namespace {

// Keeps those who ask, until their answers are there.
class Kept {
 public:
  auto keep() {
    return [this](std::unique_ptr<pipeline::Requester> requester) {
      const std::lock_guard lock(mutex_);
      requesters_.push_back(std::move(requester));
      changed_.notify_one();
    };
  }
  std::unique_ptr<pipeline::Requester> take() {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(changed_.wait_for(lock, 5s, [this] { return !requesters_.empty(); }));
    auto requester = std::move(requesters_.back());
    requesters_.pop_back();
    return requester;
  }
  static void finish(std::unique_ptr<pipeline::Requester> requester) {
    auto& asks = *requester;
    asks.run_on_worker([requester = std::move(requester)] {
      requester->answer({200, "text/xml", "later", 0});
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<pipeline::Requester>> requesters_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(later_answers)

BOOST_AUTO_TEST_CASE(no_worker_waits_with_what_is_answered_later) {
  auto s = settings();
  s.workers = 1;
  s.few = 8;
  Running running(s);
  Kept kept;
  running.application.later = kept.keep();
  std::deque<TlsClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(running.port()).send(post("x"));
    running.application.wait_for_posts(i + 1);
  }
  // As a commit does: from a thread of its own, all at once.
  std::thread([&] {
    for (int i = 0; i < 5; ++i) Kept::finish(kept.take());
  }).join();
  for (auto& client : clients) BOOST_TEST(client.read().body == "later");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_in_the_rest_is_500_and_the_next_is_served) {
  Running running;
  running.application.later = [](std::unique_ptr<pipeline::Requester> requester) {
    auto& asks = *requester;
    asks.run_on_worker([requester = std::move(requester)] { throw std::bad_alloc(); });
  };
  TlsClient client(running.port());
  BOOST_TEST(client.ask(post("x")).status == 500);
  BOOST_TEST(client.ask(post("x")).status == 500);
  BOOST_TEST(client.ask(get("/health")).status == 200);
}

BOOST_AUTO_TEST_CASE(who_is_let_go_without_an_answer_gets_500) {
  Running running;
  Kept kept;
  running.application.later = kept.keep();
  TlsClient client(running.port());
  client.send(post("x"));
  kept.take().reset();
  BOOST_TEST(client.read().status == 500);
  running.application.later = [](const std::unique_ptr<pipeline::Requester>&) {
    throw std::bad_alloc();
  };
  BOOST_TEST(client.ask(post("x")).status == 500);
  BOOST_TEST(client.ask(get("/health")).status == 200);
}

BOOST_AUTO_TEST_CASE(an_answer_for_a_client_that_is_gone_harms_nobody) {
  Running running;
  Kept kept;
  running.application.later = kept.keep();
  {
    TlsClient gone(running.port());
    gone.send(post("x"));
    running.application.wait_for_posts(1);
  }
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(2);
  Kept::finish(kept.take());
  Kept::finish(kept.take());
  BOOST_TEST(client.read().body == "later");
}

BOOST_AUTO_TEST_CASE(stop_waits_for_what_is_answered_later) {
  Running running;
  Kept kept;
  running.application.later = kept.keep();
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(1);
  auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
  BOOST_TEST((stopped.wait_for(200ms) == std::future_status::timeout));
  Kept::finish(kept.take());
  BOOST_TEST(client.read().body == "later");
  BOOST_TEST((stopped.wait_for(5s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(stop_waits_for_work_even_when_its_time_is_over) {
  auto s = settings();
  s.finish = 50ms;
  Running running(s);
  Kept kept;
  running.application.later = kept.keep();
  TlsClient client(running.port());
  client.send(post("x"));
  running.application.wait_for_posts(1);
  auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
  BOOST_TEST((stopped.wait_for(300ms) == std::future_status::timeout));
  Kept::finish(kept.take());
  BOOST_TEST((stopped.wait_for(5s) == std::future_status::ready));
}

BOOST_AUTO_TEST_SUITE_END()
