#include "acknowledge/replay_faults.h"

#include <utility>

namespace district::acknowledge {
namespace {

// The Timestamp of a kept answer is still fresh for its receiver.
constexpr std::chrono::seconds kKept{60};
// About 6 MB of answers of 6 KB; then all are made anew, which is merely slower.
constexpr std::size_t kAnswersMax = 1024;

}  // namespace

std::optional<ReplayFaults::Answer> ReplayFaults::find(const std::string& key, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(key);
  if (found == answers_.end()) return std::nullopt;
  const auto age = now - found->second.made_at;
  if (age < Duration::zero() || age > kKept) return std::nullopt;
  return found->second;
}

void ReplayFaults::keep(const std::string& key, Answer answer) {
  const std::lock_guard lock(mutex_);
  if (answers_.size() >= kAnswersMax) answers_.clear();
  answers_.insert_or_assign(key, std::move(answer));
}

}  // namespace district::acknowledge
