// A fixed number of threads and a bounded queue before them.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace district::server {

// Threads: submit() from any.
class Workers {
 public:
  explicit Workers(std::size_t queue_max) : queue_max_(queue_max) {}
  ~Workers() { stop(); }

  // Throws std::system_error when the system has no more threads.
  void start(std::size_t threads);
  // false: the queue is full, or stop() was called. Jobs must not throw.
  bool submit(std::function<void()> job);
  // Drops the jobs that wait, and returns when those that run have ended.
  void stop();

 private:
  void run();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace district::server
