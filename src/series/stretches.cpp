#include "series/stretches.h"

#include <algorithm>
#include <utility>

namespace district::series {
namespace {

constexpr std::size_t kStretchesMax = 4096;  // 128 KiB of them

void extend(Stretch& stretch, const Stretch& next) {
  stretch.last_start = std::max(stretch.last_start, next.last_start);
  stretch.end = std::max(stretch.end, next.end);
  stretch.reach = std::max(stretch.reach, next.reach);
}

// `next` starts no earlier than `stretch`.
bool belong_together(const Stretch& stretch, const Stretch& next, Duration tolerance) {
  return next.start <= std::max(stretch.reach, stretch.last_start + tolerance);
}

}  // namespace

std::vector<Stretch> joined(std::vector<Stretch> stretches, Duration tolerance) {
  if (stretches.empty()) return stretches;
  std::sort(stretches.begin(), stretches.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  auto last = stretches.begin();
  for (auto next = last + 1; next != stretches.end(); ++next) {
    if (belong_together(*last, *next, tolerance)) {
      extend(*last, *next);
    } else {
      *++last = *next;
    }
  }
  stretches.erase(last + 1, stretches.end());
  return stretches;
}

void Stretches::add(const Stretch& stretch) {
  // Most values come in the order of time.
  if (!stretches_.empty() && stretch.start >= stretches_.back().start &&
      belong_together(stretches_.back(), stretch, fine_)) {
    extend(stretches_.back(), stretch);
    return;
  }
  stretches_.push_back(stretch);
  if (stretches_.size() < kStretchesMax) return;
  stretches_ = joined(std::move(stretches_), fine_);
  if (stretches_.size() > kStretchesMax / 2) stretches_ = joined(std::move(stretches_), coarse_);
}

std::vector<Stretch> Stretches::take(Duration tolerance) {
  return joined(std::exchange(stretches_, {}), tolerance);
}

}  // namespace district::series
