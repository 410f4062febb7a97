#include "server/workers.h"

#include <pthread.h>
#include <unistd.h>

#include <utility>

namespace district::server {
namespace {

// Workers compute for milliseconds, the I/O threads for microseconds: when there is more to do than
// cores, these come first, or refusals would wait behind the very load that they keep out.
constexpr int kNicerThanIo = 5;

}  // namespace

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

bool Workers::submit(std::shared_ptr<Job> job, std::string flow) {
  std::optional<FairQueue::Entry> refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    refused = queue_.push({std::move(job), std::move(flow), steady_clock::now()});
  }
  changed_.notify_one();
  if (refused) refused->job->refuse();
  return true;
}

void Workers::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  queue_.clear();
}

void Workers::run() {
  // Of this thread only, on Linux. Where it fails nothing is lost but promptness.
  static_cast<void>(!::nice(kNicerThanIo));
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    std::vector<FairQueue::Entry> late;
    auto entry = queue_.pop(steady_clock::now(), late);
    lock.unlock();
    for (const auto& each : late) each.job->refuse();
    if (entry) {
      entry->job->work();
      lock.lock();
      queue_.done(steady_clock::now());
      lock.unlock();
      // Who asks again as soon as it is answered finds this worker free.
      entry->job->finish();
      entry.reset();  // what the job holds on to may end with it, not under the lock
    }
    lock.lock();
  }
}

}  // namespace district::server
