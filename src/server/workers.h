// A fixed number of threads and a bounded, fair queue before them. Private to server/.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_function.h"
#include "server/fair_queue.h"

namespace district::server {

// Threads: any; start() and stop() only that which creates it.
class Workers {
 public:
  // `name`: of the threads; at most 15 characters.
  Workers(std::string name, std::size_t threads, const FairQueue::Limits& limits)
      : name_(std::move(name)), threads_max_(threads), queue_(limits) {}
  ~Workers() { stop(); }

  // Throws std::system_error when the system has no more threads.
  void start();
  // The job is done, or refused: perhaps at once, on this thread. Another one may be refused for
  // its sake. `flow`: whose it is. false: stop() was called, and nothing happens to the job.
  bool submit(std::unique_ptr<Job> job, std::string flow);
  // Whether one more would be refused.
  bool full() const;
  // Does the rest of a job that is in work. It comes before all jobs that wait, since most of it is
  // done. Must not throw.
  void resume(UniqueFunction<void()> rest);
  // A job that was in work has its answer.
  void done();
  // Drops the jobs that wait, and returns when those in work are done.
  void stop();

 private:
  void run();

  const std::string name_;
  const std::size_t threads_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  FairQueue queue_;
  std::deque<UniqueFunction<void()>> rests_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace district::server
