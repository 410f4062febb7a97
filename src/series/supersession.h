// Which of several values for the same or overlapping times counts. A pure function of the values
// and of when they were received, never of the order in which they were processed.
// Source: docs/reference/kpi-rules.md section 3.
#pragma once

#include <chrono>
#include <span>
#include <tuple>

#include "model/measurement.h"

namespace district::series {

// Sets the state of every version, and flag_disputed. Unusable and implausible versions keep their
// state and take no part: a correction that cannot be true does not displace the value that it was
// to correct.
//  - Of values with the same start and end, the one received last counts (then the one with the
//    higher leaf_index, then the later message). A value equal to the one that counted before it is
//    a duplicate, unless only one of the two is estimated. A duplicate does not renew the time of
//    receipt of its value. The one that counts is disputed if its own envelope also gives another
//    value.
//  - Overlapping intervals with a different start or end are taken from the latest received to the
//    earliest. One counts unless it overlaps one that counts already; otherwise it is excluded, and
//    excludes no other. Ends that overlap by at most kBoundary, and by less than half of either
//    interval, are one boundary.
//  - An interval that counts gives way to finer ones that were received before it, lie within it,
//    are each at most half as long, and cover at least kFinerShare of it. Then it is excluded and
//    they count, by the same rules among themselves.
// Whether an interval counts depends only on those that it overlaps, on those that these overlap,
// and so on. For n versions it takes time proportional to n log n.
void settle(std::span<ValueVersion> versions);
inline constexpr double kFinerShare = 0.99;

// The version received last is the greatest.
inline auto receipt_order(const ValueVersion& version) {
  return std::tie(version.received_at, version.leaf_index, version.message_index, version.start,
                  version.end);
}

}  // namespace district::series
