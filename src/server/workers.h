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
  Workers(std::size_t threads, std::size_t queue_max)
      : threads_max_(threads), queue_max_(queue_max) {}
  ~Workers() { stop(); }

  // Throws std::system_error when the system has no more threads.
  void start();
  // false: all threads are busy and the queue is full, or stop() was called. Jobs must not throw.
  bool submit(std::function<void()> job);
  // Whether submit() would refuse now.
  bool full() const;
  // Drops the jobs that wait, and returns when those that run have ended.
  void stop();

 private:
  void run();

  const std::size_t threads_max_, queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  std::size_t busy_ = 0;  // threads
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace district::server
