// The course of a register: which of its readings it contradicts later, by going on where it was.
// A pure function of the readings, whatever the order in which they came. It takes time
// proportional to them, but for a logarithm.
// Threads: any.
// Source: docs/reference/kpis.md, "Outliers of a register"; kpis.md section 6.
#pragma once

#include <span>
#include <vector>

#include "base/time.h"

namespace district::quantify {

struct CoursePoint {
  Instant at{};
  double value = 0;
};

enum class OnCourse : unsigned char {
  yes,
  rise,     // yes, but by a step up out of all proportion to what the register usually does
  outlier,  // the register contradicts it later
};

// `readings`: of one register, by instant, each instant once. The modulus takes no part: over the
// end of its digits a register goes on low, as after a reset.
//  - High readings are outliers when the register falls back to no less than it was before them,
//    the fall undoes more than half of the rise, and the rise came in a jump.
//  - Low readings are outliers when the register comes back to what it was before them, in a jump.
//    One that counts its way back was reset.
//  - A jump is a step of more than half of the way; not one over part of the way that is no faster
//    than twice the median of the register's steps: that is growth during a gap.
//  - Whatever fits between the readings that remain, remains.
//  - A rise is a step that is more than kRiseFactor times as fast as the upper quartile of the
//    steps up, of which there are at least eight.
std::vector<OnCourse> judge_course(std::span<const CoursePoint> readings);
inline constexpr double kRiseFactor = 100;

}  // namespace district::quantify
