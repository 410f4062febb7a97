// What waits for a worker: a queue for each flow, served in turn, and all together no longer than
// can be answered in time. Private to server/.
//
// A request is let in when few are here, or when all that are here, this one included, will be
// answered within Limits::answer_max at the measured rate (Little's law). Else the flow with most
// requests waiting loses its newest, so that whoever asks most is refused first.
// Source: Nagle, RFC 970 (a queue for each source); McKenney, Stochastic Fairness Queueing, 1990
// (dropping from the longest).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace district::server {

// What waits. It is destroyed after one of its two functions, or instead of both.
class Job {
 public:
  virtual ~Job() = default;
  // Neither may throw.
  virtual void work() = 0;    // on a worker thread; it is in work until Workers::done()
  virtual void refuse() = 0;  // instead; on any thread; must not block
};

// Threads: one at a time. Knows no clock: whoever calls says what time it is.
class FairQueue {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  struct Limits {
    std::size_t few = 0;          // waiting and in work: let in whatever the rate
    std::size_t waiting_max = 0;  // whatever the rate, beyond the few
    Duration answer_max{};
    Duration interval{};  // between two answers, until it has been measured; 0: not known
  };
  struct Entry {
    std::unique_ptr<Job> job;
    std::string flow;  // whose it is
    Time since{};
  };

  explicit FairQueue(const Limits& limits) : limits_(limits), interval_(limits.interval) {}

  // nullopt: nothing is refused; else the entry to refuse: this one, or another for its sake.
  std::optional<Entry> push(Entry entry);
  // The next in turn, which is in work until done(). Puts those that have waited so long that their
  // clients will have given up into `late`, to be refused. nullopt: none is waiting.
  std::optional<Entry> pop(Time now, std::vector<Entry>& late);
  void done(Time now);
  // Drops all that wait.
  void clear();

  bool full() const { return waiting_ >= limits_.waiting_max && present() >= limits_.few; }
  bool empty() const { return waiting_ == 0; }
  bool idle() const { return busy_ == 0; }
  std::size_t waiting() const { return waiting_; }
  Duration interval() const { return interval_; }

 private:
  struct Flow {
    std::string name;
    std::deque<Entry> entries;
  };
  using Flows = std::list<Flow>;

  std::size_t present() const { return busy_ + waiting_; }
  bool has_room() const;
  void measure(Duration since_last_answer);

  const Limits limits_;
  Flows flows_;  // those with entries, in the order of their turns
  std::unordered_map<std::string, Flows::iterator> by_name_;
  std::size_t waiting_ = 0, busy_ = 0;

  // The interval between answers is measured while more than a few are here.
  Duration interval_;
  bool saturated_ = false;
  Time last_answer_{};
  Duration measured_{};
  int answers_ = 0;
};

}  // namespace district::server
