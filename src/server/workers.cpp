#include "server/workers.h"

#include <utility>

namespace district::server {

void Workers::start() {
  for (std::size_t i = 0; i < threads_max_; ++i) threads_.emplace_back([this] { run(); });
}

bool Workers::full() const {
  const std::lock_guard lock(mutex_);
  return stopping_ || busy_ + queue_.size() >= threads_max_ + queue_max_;
}

bool Workers::submit(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || busy_ + queue_.size() >= threads_max_ + queue_max_) return false;
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void Workers::stop() {
  // Destroyed after the lock is given back, since what a job holds on to may end with it.
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::run() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    job();
    job = {};
    const std::lock_guard lock(mutex_);
    --busy_;
  }
}

}  // namespace district::server
