// Which of several values for the same or overlapping times counts. A pure function of the values
// and of when they were received, never of the order in which they were processed.
// Source: docs/reference/kpi-rules.md section 3.
#pragma once

#include <chrono>
#include <span>
#include <tuple>

#include "model/measurement.h"

namespace district::series {

// Sets the state of every version, and flag_disputed; unusable and implausible ones stay so, and
// take no part: a correction that cannot be true does not displace what it was to correct.
//  - Values with the same start and end: the latest received counts (then the higher leaf_index,
//    then the later message); one equal to the value that counted before it is a duplicate,
//    unless only one of them is estimated. A duplicate does not renew the time of receipt of its
//    value. One that counts is disputed where its own envelope also gives another value.
//  - Overlapping intervals with different start or end, from the latest received to the earliest:
//    one counts unless it overlaps one that counts; else it is excluded, and excludes nothing.
//    Ends that overlap by at most kBoundary, and by less than half of either, are one boundary.
//  - One that counts gives way when values received before it lie within it, each at most half as
//    long, and cover at least kFinerShare of it: then it is excluded, and they count, by the same
//    rules among themselves.
// Whether an interval counts depends on those that it overlaps, and these on those that they
// overlap, and on nothing else. Takes time proportional to the versions, but for a logarithm.
void settle(std::span<ValueVersion> versions);
inline constexpr double kFinerShare = 0.99;

// The latest received is the greatest.
inline auto receipt_order(const ValueVersion& version) {
  return std::tie(version.received_at, version.leaf_index, version.message_index, version.start,
                  version.end);
}

}  // namespace district::series
