#include "series/supersession.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

namespace district::series {
namespace {

auto key(const ValueVersion& version) { return std::tie(version.start, version.end); }

// The same number, and either both estimated or both measured: a measurement that confirms an
// estimate is new.
bool says_the_same(const ValueVersion& a, const ValueVersion& b) {
  return a.value == b.value && ((a.flags ^ b.flags) & flag_estimated) == 0;
}

// Whether the envelope that gave the current value also gives another one.
bool is_disputed(const std::vector<ValueVersion*>& versions, const ValueVersion& current) {
  return std::any_of(versions.begin(), versions.end(), [&current](const ValueVersion* other) {
    return other->leaf_index == current.leaf_index && other->value != current.value;
  });
}

// Settles the versions of one key, which are in the order of receipt. Gives the one that counts.
ValueVersion* settle_key(std::vector<ValueVersion*>& versions) {
  ValueVersion* current = nullptr;
  for (auto* version : versions) {
    if (current != nullptr && says_the_same(*current, *version)) {
      version->state = MeasurementState::duplicate;
      continue;
    }
    if (current != nullptr) current->state = MeasurementState::superseded;
    version->state = MeasurementState::current;
    current = version;
  }
  if (is_disputed(versions, *current)) current->flags |= flag_disputed;
  return current;
}

// Whether two intervals are about the same time.
bool collide(const ValueVersion& a, const ValueVersion& b) {
  const auto common = std::min(a.end, b.end) - std::max(a.start, b.start);
  if (common <= Duration{}) return false;
  const auto shorter = std::min(a.end - a.start, b.end - b.start);
  return common > kBoundary || 2 * common >= shorter;
}

bool is_part_of(const ValueVersion& fine, const ValueVersion& coarse) {
  return fine.start >= coarse.start - kBoundary && fine.end <= coarse.end + kBoundary &&
         2 * (fine.end - fine.start) <= coarse.end - coarse.start;
}

// An interval, and within it the ones that it would exclude. These are at most half as long, so
// there are no more levels than a length has binary digits.
struct Part;
// Intervals that do not collide, by start.
using Layer = std::map<Instant, std::unique_ptr<Part>>;
struct Part {
  ValueVersion* version = nullptr;
  Layer within;
};

Part* colliding(const Layer& layer, const ValueVersion& version) {
  // Intervals that do not collide overlap by so little that their ends are in the same order as
  // their starts.
  auto next = layer.lower_bound(version.start);
  while (next != layer.begin() && std::prev(next)->second->version->end > version.start) --next;
  for (; next != layer.end() && next->first < version.end; ++next)
    if (collide(version, *next->second->version)) return next->second.get();
  return nullptr;
}

// To be called from the latest received to the earliest.
void place(Layer& all, ValueVersion& version) {
  auto* layer = &all;
  while (auto* there = colliding(*layer, version)) {
    if (!is_part_of(version, *there->version)) {
      version.state = MeasurementState::excluded;
      return;
    }
    layer = &there->within;
  }
  layer->emplace(version.start, std::make_unique<Part>(Part{&version, {}}));
}

bool gives_way(const Part& part) {
  Duration finer{};
  for (const auto& [start, fine] : part.within) finer += fine->version->end - fine->version->start;
  const auto length = part.version->end - part.version->start;
  return static_cast<double>(finer.count()) >= kFinerShare * static_cast<double>(length.count());
}

// `counts`: whether the intervals of this layer count, unless they give way to those within them.
void settle_layer(const Layer& layer, bool counts) {
  for (const auto& [start, part] : layer) {
    const bool finer_count = counts && gives_way(*part);
    if (!counts || finer_count) part->version->state = MeasurementState::excluded;
    settle_layer(part->within, finer_count);
  }
}

void exclude_overlapped(std::vector<ValueVersion*>& counting) {
  std::sort(counting.begin(), counting.end(), [](const ValueVersion* a, const ValueVersion* b) {
    return receipt_order(*a) > receipt_order(*b);
  });
  Layer all;
  for (auto* version : counting)
    if (version->start != version->end) place(all, *version);  // an instant covers nothing
  settle_layer(all, true);
}

}  // namespace

void settle(std::span<ValueVersion> versions) {
  std::vector<ValueVersion*> ordered;
  for (auto& version : versions) {
    version.flags &= ~std::uint32_t{flag_disputed};
    const bool takes_part = version.state != MeasurementState::unusable &&
                            version.state != MeasurementState::implausible;
    if (takes_part) ordered.push_back(&version);
  }
  std::sort(ordered.begin(), ordered.end(), [](const ValueVersion* a, const ValueVersion* b) {
    return std::tuple_cat(key(*a), receipt_order(*a)) < std::tuple_cat(key(*b), receipt_order(*b));
  });
  std::vector<ValueVersion*> counting, group;
  for (auto it = ordered.begin(); it != ordered.end();) {
    const auto end = std::find_if(it, ordered.end(),
                                  [&](const ValueVersion* v) { return key(*v) != key(**it); });
    group.assign(it, end);
    counting.push_back(settle_key(group));
    it = end;
  }
  exclude_overlapped(counting);
}

}  // namespace district::series
