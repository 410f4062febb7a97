// Finds values that cannot be true. They are kept as evidence, flagged with the rule that they
// break, counted, and set aside. A KPI tells how many of them lie in its window.
// Pure functions of what was received. Threads: any.
// Source: docs/reference/kpi-rules.md section 4; docs/reference/kpis.md lists the rules.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/batch.h"
#include "model/measurement.h"

namespace district::series {

struct Rule {
  std::uint32_t flag = 0;
  std::string_view name;
  std::string_view explanation;
  bool has_window = true;  // false: no window can be found for such a value
};
const std::vector<Rule>& rules();
// For example "negative_energy", or several joined by blanks.
std::string names_of_rules(std::uint32_t flags);

struct Judgement {
  std::uint32_t flags = 0;  // of the rules that the value breaks; 0: none
  bool has_window = true;
};
// Judges a value alone. `unit_known`: it could be converted to the unit computed with.
Judgement judge(const Observation& observation, Instant received_at, bool unit_known);

// Which other values of the series a value is judged by: energy and power by those of the days
// around, a register by its readings of the months around. A change of values that start in [first,
// last] may change the flags of those that start in [judged_from, judged_to). To judge these, all
// values in [from, to) must be known.
struct Surroundings {
  Instant judged_from{}, judged_to{};
  Instant from{}, to{};
};
// nullopt: values of this kind are judged alone.
std::optional<Surroundings> surroundings_of(ValueKind kind, Instant first, Instant last);
// Sets and clears `spike`, `factor_1000`, `outlier`, flag_rise and flag_fallen of the versions that
// start in [judged_from, judged_to). `versions`: all that start in [from, to), by start. Those that
// other rules have flagged take no part. true: a flag has changed.
bool judge_among_others(ValueKind kind, std::span<ValueVersion> versions,
                        const Surroundings& surroundings);

// Energy or power is compared with the usual level: the level that a seventh of the other UTC days
// reach, and at least two of them, up to kDaysAround days before and after.
// The level of a day is what an eighth of its values above 0 reach, and at least two (with fewer
// than four values, the largest). Its base is what as many values do not exceed. So the level is
// decided neither by single values, nor by the hours that a local day has in the next UTC day, nor
// by what a site does once a week. Days whose base is more than kShiftedFactor times the median of
// the bases, as days in a mistaken unit are, take no part. The smallest usual value is the one that
// all days but as many keep above. Of each period the value received last counts.
inline constexpr int kDaysAround = 14;
inline constexpr std::size_t kDaysMin = 6;  // a week, with the day itself
inline constexpr double kShiftedFactor = 50;
// No consumer grows so much from one day to the next.
inline constexpr double kSpikeFactor = 100;
// A value so large, or so small, has a mistaken unit if it would be usual when taken for Wh, or
// MWh.
inline constexpr double kUnusualFactor = 7, kFarFromLargest = 2, kUnusuallySmall = 5;
// With fewer days, a value is compared with the upper quartile of the values of these days and its
// own.
inline constexpr double kSpikeFactorOfFew = 10'000, kUnusualFactorOfFew = 300;

}  // namespace district::series
