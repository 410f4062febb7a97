#include <boost/test/unit_test.hpp>

#include <map>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "server/fair_queue.h"

using namespace std::chrono_literals;
using district::server::FairQueue;
using district::server::Job;

namespace {

using Time = FairQueue::Time;

struct Nothing final : Job {
  void work() override {}
  void refuse() override {}
};

FairQueue::Entry entry(const std::string& flow, Time since = {}) {
  return {std::make_unique<Nothing>(), flow, since};
}

FairQueue::Limits limits(std::size_t few, std::size_t waiting_max) {
  return {few, waiting_max, 100ms, {}};
}

// Takes all that wait, by one worker; their flows in order.
std::string drain(FairQueue& queue, Time now = {}) {
  std::string order;
  std::vector<FairQueue::Entry> late;
  while (const auto next = queue.pop(now, late)) {
    order += next->flow;
    queue.done(now);
  }
  return order;
}

// Requests arrive in virtual time, at a rate for each flow, and each takes a worker `service`.
struct Simulation {
  struct Outcome {
    int offered = 0, served = 0;
  };
  std::map<std::string, Outcome> flows;
  std::vector<std::chrono::microseconds> times;  // from arrival to answer
  std::size_t most_waiting = 0;

  void run(FairQueue& queue, const std::map<std::string, double>& rates_per_second,
           std::size_t workers, std::chrono::microseconds service, std::chrono::seconds length) {
    std::mt19937 random(1);
    struct Event {
      Time at;
      std::string flow;  // empty: a worker is done
      Time arrived;
      bool operator<(const Event& other) const { return at > other.at; }
    };
    std::priority_queue<Event> events;
    const auto next_arrival = [&](const std::string& flow, Time now) {
      std::exponential_distribution<double> gap(rates_per_second.at(flow));
      const auto at = now + std::chrono::microseconds(static_cast<long>(1e6 * gap(random)));
      if (at < Time{} + length) events.push({at, flow, {}});
    };
    for (const auto& [flow, rate] : rates_per_second) next_arrival(flow, {});
    std::size_t busy = 0;
    while (!events.empty()) {
      const auto event = events.top();
      events.pop();
      if (event.flow.empty()) {
        queue.done(event.at);
        --busy;
        times.push_back(
            std::chrono::duration_cast<std::chrono::microseconds>(event.at - event.arrived));
      } else {
        ++flows[event.flow].offered;
        queue.push(entry(event.flow, event.at));
        next_arrival(event.flow, event.at);
      }
      std::vector<FairQueue::Entry> late;
      while (busy < workers) {
        const auto next = queue.pop(event.at, late);
        if (!next) break;
        ++busy;
        ++flows[next->flow].served;
        events.push({event.at + service, "", next->since});
      }
      most_waiting = std::max(most_waiting, queue.waiting());
    }
    std::sort(times.begin(), times.end());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fair_queue)

BOOST_AUTO_TEST_CASE(flows_are_served_in_turn) {
  FairQueue queue(limits(1, 100));
  for (const char* flow : {"a", "a", "a", "b", "a", "c", "b"}) {
    BOOST_TEST(!queue.push(entry(flow)).has_value());
  }
  BOOST_TEST(drain(queue) == "abcabaa");
  BOOST_TEST(queue.empty());
}

BOOST_AUTO_TEST_CASE(when_it_is_full_the_longest_queue_loses_its_newest) {
  FairQueue queue(limits(0, 4));
  for (int i = 0; i < 4; ++i) BOOST_TEST(!queue.push(entry("a")).has_value());
  // The longest itself gets no more.
  auto refused = queue.push(entry("a"));
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->flow == "a");
  // Others take its places until they have as many.
  auto first = entry("b");
  const auto* const first_of_b = first.job.get();
  refused = queue.push(std::move(first));
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->flow == "a");
  refused = queue.push(entry("b"));
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->flow == "a");
  refused = queue.push(entry("b"));
  BOOST_REQUIRE(refused);
  BOOST_TEST(refused->flow == "b");
  BOOST_TEST(refused->job.get() != first_of_b);
  BOOST_TEST(queue.waiting() == 4u);
  BOOST_TEST(drain(queue) == "abab");
}

BOOST_AUTO_TEST_CASE(few_are_let_in_whatever_the_rate) {
  FairQueue queue({2, 0, 1ms, 1h});
  std::vector<FairQueue::Entry> late;
  BOOST_TEST(!queue.full());
  BOOST_TEST(!queue.push(entry("a")).has_value());
  BOOST_TEST(!queue.push(entry("a")).has_value());
  BOOST_TEST(queue.full());
  BOOST_TEST(queue.push(entry("b")).has_value());
  BOOST_TEST(queue.pop({}, late).has_value());
  BOOST_TEST(queue.pop({}, late).has_value());
  BOOST_TEST(queue.push(entry("b")).has_value());
  queue.done({});
  BOOST_TEST(!queue.push(entry("b")).has_value());
}

BOOST_AUTO_TEST_CASE(who_has_waited_too_long_is_refused_in_the_end) {
  FairQueue queue(limits(1, 100));
  queue.push(entry("a", Time{}));
  queue.push(entry("b", Time{} + 200ms));
  std::vector<FairQueue::Entry> late;
  const auto next = queue.pop(Time{} + 201ms, late);
  BOOST_REQUIRE(next);
  BOOST_TEST(next->flow == "b");
  BOOST_REQUIRE(late.size() == 1u);
  BOOST_TEST(late.front().flow == "a");
}

// Times the load that two workers can take, for ten virtual seconds.
BOOST_AUTO_TEST_CASE(three_times_the_load_is_served_at_capacity_within_the_time_allowed) {
  for (const auto service : {1000us, 8000us, 30000us}) {
    BOOST_TEST_CONTEXT(service.count()) {
      const double capacity = 16 * 1e6 / static_cast<double>(service.count());
      FairQueue queue({16, 100'000, 100ms, 500us});
      Simulation simulation;
      simulation.run(queue, {{"a", capacity}, {"b", capacity}, {"c", capacity}}, 16, service, 10s);
      int served = 0;
      for (const auto& [flow, outcome] : simulation.flows) served += outcome.served;
      BOOST_TEST(served > 0.97 * 10 * capacity);
      const auto p99 = simulation.times.at(simulation.times.size() * 99 / 100);
      BOOST_TEST((p99 < 130ms));
    }
  }
}

BOOST_AUTO_TEST_CASE(who_asks_most_is_refused_and_the_others_are_served) {
  FairQueue queue({16, 100'000, 100ms, 500us});
  Simulation simulation;
  const double capacity = 2000;
  simulation.run(queue, {{"greedy", 5 * capacity}, {"modest", 0.2 * capacity}, {"small", 20}}, 16,
                 8000us, 10s);
  for (const char* flow : {"modest", "small"}) {
    const auto& outcome = simulation.flows.at(flow);
    BOOST_TEST(outcome.served >= 0.999 * outcome.offered);
  }
  const auto& greedy = simulation.flows.at("greedy");
  BOOST_TEST(greedy.served > 0.75 * 10 * capacity);
  BOOST_TEST(greedy.served < 0.3 * greedy.offered);
}

BOOST_AUTO_TEST_CASE(the_bound_follows_the_rate) {
  FairQueue queue({16, 100'000, 100ms, 500us});
  Simulation fast;
  fast.run(queue, {{"a", 6000}}, 16, 8000us, 3s);
  BOOST_TEST(fast.most_waiting > 100u);
  // The same queue, with requests of ten times the work.
  Simulation slow;
  slow.run(queue, {{"a", 600}}, 16, 80000us, 10s);
  BOOST_TEST((slow.times.at(slow.times.size() / 2) < 120ms));
  Simulation again;
  again.run(queue, {{"a", 6000}}, 16, 8000us, 3s);
  BOOST_TEST(again.most_waiting > 100u);
  BOOST_TEST((queue.interval() > 400us));
  BOOST_TEST((queue.interval() < 600us));
}

BOOST_AUTO_TEST_SUITE_END()
