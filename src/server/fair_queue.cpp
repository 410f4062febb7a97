#include "server/fair_queue.h"

#include <algorithm>
#include <utility>

namespace district::server {
namespace {

// Answers come in bursts, since those of one commit come together: so the rate is taken over many.
constexpr auto kMeasuredFor = std::chrono::milliseconds(50);
constexpr int kMeasuredAnswers = 8;

}  // namespace

bool FairQueue::has_room() const {
  if (present() < limits_.few) return true;
  if (waiting_ >= limits_.waiting_max) return false;
  return interval_ * static_cast<Duration::rep>(present() + 1) <= limits_.answer_max;
}

std::optional<FairQueue::Entry> FairQueue::push(Entry entry) {
  const auto own = by_name_.find(entry.flow);
  std::optional<Entry> refused;
  if (!has_room()) {
    const auto longest = std::max_element(
        flows_.begin(), flows_.end(),
        [](const Flow& a, const Flow& b) { return a.entries.size() < b.entries.size(); });
    const auto own_after = own == by_name_.end() ? 1 : own->second->entries.size() + 1;
    if (longest == flows_.end() || own_after >= longest->entries.size()) return entry;
    refused = std::move(longest->entries.back());
    longest->entries.pop_back();
    --waiting_;
  }
  ++waiting_;
  if (!saturated_ && present() >= limits_.few) {
    saturated_ = true;
    last_answer_ = entry.since;
  }
  if (own != by_name_.end()) {
    own->second->entries.push_back(std::move(entry));
    return refused;
  }
  flows_.push_back({entry.flow, {}});
  const auto flow = std::prev(flows_.end());
  by_name_.emplace(entry.flow, flow);
  flow->entries.push_back(std::move(entry));
  return refused;
}

std::optional<FairQueue::Entry> FairQueue::pop(Time now, std::vector<Entry>& late) {
  while (!flows_.empty()) {
    const auto flow = flows_.begin();
    auto entry = std::move(flow->entries.front());
    flow->entries.pop_front();
    --waiting_;
    if (flow->entries.empty()) {
      by_name_.erase(flow->name);
      flows_.erase(flow);
    } else {
      flows_.splice(flows_.end(), flows_, flow);
    }
    if (now - entry.since > 2 * limits_.answer_max) {
      late.push_back(std::move(entry));
      continue;
    }
    ++busy_;
    return entry;
  }
  return std::nullopt;
}

void FairQueue::done(Time now) {
  if (saturated_) measure(now - last_answer_);
  last_answer_ = now;
  --busy_;
  saturated_ = saturated_ && present() >= limits_.few;
}

void FairQueue::clear() {
  by_name_.clear();
  flows_.clear();
  waiting_ = 0;
}

void FairQueue::measure(Duration since_last_answer) {
  // One stall of the disk must not close the door for long.
  measured_ += std::min(since_last_answer, limits_.answer_max);
  ++answers_;
  if (measured_ < kMeasuredFor || answers_ < kMeasuredAnswers) return;
  const auto latest = measured_ / answers_;
  interval_ = interval_ == Duration{} ? latest : (interval_ + latest) / 2;
  measured_ = {};
  answers_ = 0;
}

}  // namespace district::server
