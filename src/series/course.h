// The course of a register: which of its readings it contradicts later, by going on where it was.
// A pure function of the readings, whatever the order in which they came. It takes time
// proportional to them, but for a logarithm.
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
  std::vector<bool> on_course;  // of each reading; false: the register contradicts it later
  // The first reading of a fall after which the register has not got back to where it was.
  std::optional<std::size_t> fallen_from;
  // A step up faster than this is out of all proportion; nullopt: too little is known.
  std::optional<double> rise_per_s;
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
//  - Readings that stand against others, which would be outliers then, must be at least as many, or
//    at least six and no fewer than a 64th of them; or most of all readings must be on their side.
//  - A step is out of all proportion when it is more than kRiseFactor times as fast as the upper
//    quartile of the steps up on the course, of which there are at least eight.
Judged judge_course(std::span<const CoursePoint> readings);
bool is_rise(const CoursePoint& before, const CoursePoint& after, double rise_per_s);
inline constexpr double kRiseFactor = 100;

}  // namespace district::series
