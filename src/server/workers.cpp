#include "server/workers.h"

#include <pthread.h>

#include <utility>

namespace district::server {
using std::chrono::steady_clock;

void Workers::start() {
  for (std::size_t i = 0; i < threads_max_; ++i) {
    threads_.emplace_back([this] { run(); });
    ::pthread_setname_np(threads_.back().native_handle(), name_.c_str());  // for top and perf
  }
}

bool Workers::full() const {
  const std::lock_guard lock(mutex_);
  return stopping_ || queue_.full();
}

bool Workers::submit(std::unique_ptr<Job> job, std::string flow) {
  const auto* const own = job.get();
  std::optional<FairQueue::Entry> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    refused = queue_.push({std::move(job), std::move(flow), steady_clock::now()});
  }
  if (!refused || refused->job.get() != own) changed_.notify_one();
  if (refused) refused->job->refuse();
  return true;
}

void Workers::resume(UniqueFunction<void()> rest) {
  const std::lock_guard lock(mutex_);
  rests_.push_back(std::move(rest));
  // Under the lock: once it is released, this may have been the last to be done, and all be gone.
  changed_.notify_one();
}

void Workers::done() {
  const std::lock_guard lock(mutex_);
  queue_.done(steady_clock::now());
  if (stopping_) changed_.notify_all();
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] {
      return !rests_.empty() || !queue_.empty() || (stopping_ && queue_.idle());
    });
    // Both end what they hold on to before the lock is taken again.
    if (!rests_.empty()) {
      auto rest = std::move(rests_.front());
      rests_.pop_front();
      lock.unlock();
      rest();
    } else if (!queue_.empty()) {
      std::vector<FairQueue::Entry> late;
      const auto entry = queue_.pop(steady_clock::now(), late);
      lock.unlock();
      for (const auto& each : late) each.job->refuse();
      if (entry) entry->job->work();
    } else {
      return;
    }
    lock.lock();
  }
}

}  // namespace district::server
