#include "quantify/supersession.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace district::quantify {
namespace {

using store::MeasurementState;
using store::Version;

auto key(const Version& version) { return std::tie(version.start, version.end); }

// The same number, and estimated or measured alike: a measurement that confirms an estimate is
// news.
bool says_the_same(const Version& a, const Version& b) {
  return a.value == b.value && ((a.flags ^ b.flags) & flag_estimated) == 0;
}

auto receipt_order(const Version& version) {
  return std::tie(version.received_at, version.leaf_index, version.message_index, version.start,
                  version.end);
}

// Settles one key, its versions in the order of receipt; gives the one that counts.
Version* settle_key(std::vector<Version*>& versions) {
  Version* current = nullptr;
  for (auto* version : versions) {
    if (current != nullptr && says_the_same(*current, *version)) {
      version->state = MeasurementState::duplicate;
      continue;
    }
    if (current != nullptr) current->state = MeasurementState::superseded;
    version->state = MeasurementState::current;
    current = version;
  }
  return current;
}

// Disjoint intervals, by start.
class Union {
 public:
  bool overlaps(Instant start, Instant end) const {
    const auto next = parts_.lower_bound(end);
    return next != parts_.begin() && std::prev(next)->second > start;
  }
  void add(Instant start, Instant end) {
    auto part = parts_.upper_bound(start);
    if (part != parts_.begin() && std::prev(part)->second >= start) part = std::prev(part);
    while (part != parts_.end() && part->first <= end) {
      start = std::min(start, part->first);
      end = std::max(end, part->second);
      part = parts_.erase(part);
    }
    parts_.emplace(start, end);
  }

 private:
  std::map<Instant, Instant> parts_;
};

void exclude_overlapped(std::vector<Version*>& counting) {
  std::sort(counting.begin(), counting.end(), [](const Version* a, const Version* b) {
    return receipt_order(*a) > receipt_order(*b);
  });
  Union later;
  for (auto* version : counting) {
    if (version->start == version->end) continue;  // an instant covers nothing
    if (later.overlaps(version->start, version->end)) version->state = MeasurementState::excluded;
    later.add(version->start, version->end);
  }
}

}  // namespace

void settle(std::vector<Version>& versions) {
  std::vector<Version*> ordered;
  for (auto& version : versions) {
    const bool takes_part = version.state != MeasurementState::unusable &&
                            version.state != MeasurementState::implausible;
    if (takes_part) ordered.push_back(&version);
  }
  std::sort(ordered.begin(), ordered.end(), [](const Version* a, const Version* b) {
    return std::tuple_cat(key(*a), receipt_order(*a)) < std::tuple_cat(key(*b), receipt_order(*b));
  });
  std::vector<Version*> counting, group;
  for (auto it = ordered.begin(); it != ordered.end();) {
    const auto end =
        std::find_if(it, ordered.end(), [&](const Version* v) { return key(*v) != key(**it); });
    group.assign(it, end);
    counting.push_back(settle_key(group));
    it = end;
  }
  exclude_overlapped(counting);
}

}  // namespace district::quantify
