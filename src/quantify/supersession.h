// Which of several values for the same or overlapping times counts. A pure function of the values
// and of when they were received, never of the order in which they were processed.
// Source: kpis.md section 1, "Supersession".
#pragma once

#include <vector>

#include "store/series_store.h"

namespace district::quantify {

// Sets the state of every version; unusable and implausible ones stay so, and take no part: a
// correction that cannot be true does not displace what it was to correct.
//  - Values with the same start and end: the latest received counts (then the higher leaf_index,
//    then the later message); one equal to the value that counted before it is a duplicate,
//    unless only one of them is estimated.
//  - Overlapping intervals with different start or end: one that a later received interval overlaps
//    is excluded, also when that one is itself excluded by a still later one. A duplicate does not
//    renew the time of receipt of its value.
void settle(std::vector<store::Version>& versions);

}  // namespace district::quantify
