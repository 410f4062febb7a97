// Finds the outliers among the readings of a register: those that it contradicts later, when it
// goes on from where it was before them. The others are its course.
// A pure function of the readings, in whatever order they came. For n readings it takes time
// proportional to n log n.
// Threads: any.
// Source: docs/reference/kpi-rules.md sections 9 and 10.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/time.h"

namespace district::series {

struct CoursePoint {
  Instant at{};
  double value = 0;
};

struct Judged {
  std::vector<bool> on_course;  // for each reading; false: an outlier
  // The first low reading after a fall from which the register has not come back.
  std::optional<std::size_t> fallen_from;
  // A step up that is faster than this is implausible; nullopt: too little is known.
  std::optional<double> rise_per_s;
};

// `readings`: of one register, by instant, each instant once. The modulus plays no part: when a
// register runs over the end of its digits it goes on from a low value, as after a reset.
//  - High readings are outliers when the register falls back to no less than it was before them,
//    the fall undoes more than half of the rise, and the rise came in a jump.
//  - Low readings are outliers when the register comes back to what it was before them, in a jump.
//    A register that counts its way back was reset.
//  - A jump is a step of more than half of the way. A step over only part of the way is no jump if
//    it is no faster than twice the median of the register's steps: that is growth during a gap.
//  - A reading that fits between those that remain, remains, too.
//  - When two groups of readings contradict each other, one group stands and the other are
//    outliers. The group that stands must be at least as large as the other, or have at least six
//    readings and no fewer than a 64th of the other's, or have most of all readings on its side.
//  - A step up is implausible when it is more than kRiseFactor times as fast as the upper quartile
//    of the steps up on the course. There must be at least eight of these.
Judged judge_course(std::span<const CoursePoint> readings);
bool is_rise(const CoursePoint& before, const CoursePoint& after, double rise_per_s);
inline constexpr double kRiseFactor = 100;

}  // namespace district::series
