#include "server/workers.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../support/eventually.h"

using namespace district;
using namespace std::chrono_literals;
using server::FairQueue;
using server::Job;
using server::Workers;

namespace {

// What happened, in order.
class Record {
 public:
  void add(const std::string& event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  // All of it, when so many events have happened.
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(changed_.wait_for(lock, 5s, [&] { return events_.size() >= count; }));
    return events_;
  }
  std::vector<std::string> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
};

// Does what it is told, and says what becomes of it.
class Task final : public Job {
 public:
  Task(std::string name, Record& record, std::function<void()> work = {})
      : name_(std::move(name)), record_(record), work_(std::move(work)) {}
  ~Task() override { record_.add(name_ + " gone"); }
  void work() override {
    record_.add(name_ + " works");
    if (work_) work_();
  }
  void refuse() override { record_.add(name_ + " refused"); }

 private:
  const std::string name_;
  Record& record_;
  const std::function<void()> work_;
};

using Events = std::vector<std::string>;

FairQueue::Limits limits(std::size_t few, std::size_t waiting_max,
                         FairQueue::Duration answer_max = 1h) {
  return {few, waiting_max, answer_max, {}};
}

// Holds a worker until it is opened.
class Gate {
 public:
  std::function<void()> work() {
    return [this] {
      entered_.set_value();
      opened_.get_future().wait_for(5s);
    };
  }
  void wait_until_entered() {
    BOOST_REQUIRE((entered_.get_future().wait_for(5s) == std::future_status::ready));
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> entered_, opened_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(a_job_is_done_by_a_worker_and_destroyed_there) {
  Record record;
  Workers workers("test", 1, limits(1, 1));
  workers.start();
  std::promise<std::thread::id> worker;
  BOOST_TEST(workers.submit(
      std::make_unique<Task>("a", record, [&] { worker.set_value(std::this_thread::get_id()); }),
      "flow"));
  auto worked = worker.get_future();
  BOOST_REQUIRE((worked.wait_for(5s) == std::future_status::ready));
  BOOST_TEST((worked.get() != std::this_thread::get_id()));
  BOOST_TEST(record.wait_for(2) == (Events{"a works", "a gone"}), boost::test_tools::per_element());
  workers.done();
}

BOOST_AUTO_TEST_CASE(the_rest_of_a_job_comes_before_those_that_wait) {
  Record record;
  Workers workers("test", 1, limits(8, 0));
  workers.start();
  Gate gate;
  BOOST_TEST(workers.submit(std::make_unique<Task>("first", record, gate.work()), "flow"));
  gate.wait_until_entered();
  BOOST_TEST(
      workers.submit(std::make_unique<Task>("second", record, [&] { workers.done(); }), "flow"));
  workers.resume([&] {
    record.add("rest of first");
    workers.done();
  });
  gate.open();
  BOOST_TEST(record.wait_for(5) == (Events{"first works", "first gone", "rest of first",
                                           "second works", "second gone"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(one_too_many_is_refused_at_once_and_nothing_waits_for_it) {
  Record record;
  Workers workers("test", 1, limits(1, 1));
  workers.start();
  Gate gate;
  BOOST_TEST(workers.submit(std::make_unique<Task>("a", record, gate.work()), "flow"));
  gate.wait_until_entered();
  BOOST_TEST(workers.full() == false);
  BOOST_TEST(workers.submit(std::make_unique<Task>("b", record, [&] { workers.done(); }), "flow"));
  BOOST_TEST(workers.full());
  BOOST_TEST(workers.submit(std::make_unique<Task>("c", record), "flow"));
  BOOST_TEST(record.events() == (Events{"a works", "c refused", "c gone"}),
             boost::test_tools::per_element());
  BOOST_TEST(workers.submit(std::make_unique<Task>("d", record, [&] { workers.done(); }), "flow"));
  BOOST_TEST(record.events().size() == 5U);
  gate.open();
  workers.done();
  record.wait_for(8);
}

BOOST_AUTO_TEST_CASE(who_has_most_waiting_loses_its_newest_to_another_flow) {
  Record record;
  Workers workers("test", 1, limits(1, 2));
  workers.start();
  Gate gate;
  BOOST_TEST(workers.submit(std::make_unique<Task>("a", record, gate.work()), "much"));
  gate.wait_until_entered();
  for (const char* name : {"b", "c"}) {
    BOOST_TEST(
        workers.submit(std::make_unique<Task>(name, record, [&] { workers.done(); }), "much"));
  }
  BOOST_TEST(
      workers.submit(std::make_unique<Task>("d", record, [&] { workers.done(); }), "little"));
  BOOST_TEST(record.events() == (Events{"a works", "c refused", "c gone"}),
             boost::test_tools::per_element());
  gate.open();
  workers.done();
  record.wait_for(8);
}

BOOST_AUTO_TEST_CASE(who_has_waited_too_long_is_refused) {
  Record record;
  Workers workers("test", 1, limits(8, 0, 1ms));
  BOOST_TEST(workers.submit(std::make_unique<Task>("late", record), "flow"));
  std::this_thread::sleep_for(20ms);  // too long
  workers.start();
  BOOST_TEST(record.wait_for(2) == (Events{"late refused", "late gone"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(stop_drops_what_waits_and_waits_for_what_is_in_work) {
  Record record;
  Workers workers("test", 2, limits(8, 0));
  workers.start();
  // The work of both returns at once; their answers come later.
  for (const char* name : {"a", "b"}) {
    BOOST_TEST(workers.submit(std::make_unique<Task>(name, record), "flow"));
  }
  record.wait_for(4);
  auto stopped = std::async(std::launch::async, [&] { workers.stop(); });
  BOOST_TEST((stopped.wait_for(50ms) == std::future_status::timeout));
  BOOST_TEST(!workers.submit(std::make_unique<Task>("c", record), "flow"));
  BOOST_TEST(workers.full());
  BOOST_TEST(record.wait_for(5).back() == "c gone");  // neither done nor refused
  workers.resume([&] {
    record.add("rest of a");
    workers.done();
  });
  record.wait_for(6);
  BOOST_TEST((stopped.wait_for(50ms) == std::future_status::timeout));
  workers.done();
  BOOST_TEST((stopped.wait_for(5s) == std::future_status::ready));
}

BOOST_AUTO_TEST_CASE(what_was_never_started_can_be_stopped_with_jobs_in_it) {
  Record record;
  {
    Workers workers("test", 2, limits(8, 0));
    BOOST_TEST(workers.submit(std::make_unique<Task>("a", record), "flow"));
    workers.stop();
    BOOST_TEST(record.events() == (Events{"a gone"}), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(many_jobs_from_many_threads_are_each_done_once) {
  constexpr int kThreads = 4, kEach = 500;
  std::atomic<int> worked{0}, rests{0};
  Record record;
  Workers workers("test", 3, limits(kThreads * kEach, 0));
  workers.start();
  struct Half final : Job {
    Half(Workers& w, std::atomic<int>& first, std::atomic<int>& second)
        : all(w), works(first), rests(second) {}
    void work() override {
      ++works;
      all.resume([this_workers = &all, this_rests = &rests] {
        ++*this_rests;
        this_workers->done();
      });
    }
    void refuse() override {}
    Workers& all;
    std::atomic<int>&works, &rests;
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        workers.submit(std::make_unique<Half>(workers, worked, rests), std::to_string(t));
      }
      record.add("submitted");
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(test::eventually([&] { return rests == kThreads * kEach; }));
  workers.stop();
  BOOST_TEST(worked == kThreads * kEach);
}

BOOST_AUTO_TEST_SUITE_END()
