#include "acknowledge/replay_faults.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace district::acknowledge {
namespace {

// The Timestamp of a kept answer is still fresh for its receiver.
constexpr std::chrono::seconds kKept{60};
// Of each generation: about 3 MB of answers of 6 KB.
constexpr std::size_t kAnswersMax = 512;
// A gateway that comes back after an outage may repeat as much at once; then a signature for every
// tenth of a second.
constexpr double kAtOnceMax = 200;
constexpr double kPerSecond = 10;
// Signers with an allowance below the whole; more than there are gateways at a pilot's sites.
constexpr std::size_t kSignersMax = 4096;

}  // namespace

std::optional<ReplayFaults::Answer> ReplayFaults::give(const Sha256Digest& signer,
                                                       const std::string& key, Instant now,
                                                       const std::function<Answer()>& make) {
  std::unique_lock lock(mutex_);
  made_.wait(lock, [&] { return !making_.contains(key); });
  if (const auto* kept = find(key, now)) return *kept;
  if (!take(signer, now)) return std::nullopt;
  making_.insert(key);
  lock.unlock();
  auto answer = make();
  lock.lock();
  making_.erase(key);
  keep(key, answer);
  lock.unlock();
  made_.notify_all();
  return answer;
}

// Under the lock, like all that follow.
const ReplayFaults::Answer* ReplayFaults::find(const std::string& key, Instant now) const {
  for (const auto* generation : {&answers_, &earlier_}) {
    const auto found = generation->find(key);
    if (found == generation->end()) continue;
    const auto age = now - found->second.made_at;
    // Those who waited for it have asked before it was made.
    if (age >= -kKept && age <= kKept) return &found->second;
  }
  return nullptr;
}

bool ReplayFaults::take(const Sha256Digest& signer, Instant now) {
  if (allowances_.size() >= kSignersMax) {
    std::erase_if(allowances_, [&](const auto& entry) {
      return now - entry.second.counted_at > std::chrono::seconds(60);
    });
    if (allowances_.size() >= kSignersMax) allowances_.clear();
  }
  auto& allowance = allowances_.try_emplace(signer, Allowance{kAtOnceMax, now}).first->second;
  const std::chrono::duration<double> passed = now - allowance.counted_at;
  // A clock that was set back gives nothing and takes nothing.
  if (passed.count() != 0) {
    allowance.left =
        std::min(kAtOnceMax, allowance.left + std::max(0.0, passed.count()) * kPerSecond);
    allowance.counted_at = now;
  }
  if (allowance.left < 1) return false;
  allowance.left -= 1;
  return true;
}

void ReplayFaults::keep(const std::string& key, Answer answer) {
  if (answers_.size() >= kAnswersMax) earlier_ = std::exchange(answers_, {});
  answers_.insert_or_assign(key, std::move(answer));
}

}  // namespace district::acknowledge
