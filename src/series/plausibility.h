// Values that cannot be true: kept as evidence, flagged by the rule that says so, counted, and set
// aside. A KPI of a window in which one lies says how many there are.
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
// "negative_energy", or several joined by blanks.
std::string names_of_rules(std::uint32_t flags);

struct Judgement {
  std::uint32_t flags = 0;  // of the rules that the value breaks; 0: none
  bool has_window = true;
};
// What the value alone shows. `unit_known`: it could be converted to the unit computed with.
Judgement judge(const Observation& observation, Instant received_at, bool unit_known);

// What the other values of the series show: of energy and power those of the days around, of a
// register the readings of the months around. A change of values that start in [first, last] may
// change the flags of those that start in [judged_from, judged_to), for which all in
// [from, to) must be known.
struct Surroundings {
  Instant judged_from{}, judged_to{};
  Instant from{}, to{};
};
// nullopt: values of this kind are judged alone.
std::optional<Surroundings> surroundings_of(ValueKind kind, Instant first, Instant last);
// Sets `spike`, `factor_1000`, `outlier`, flag_rise and flag_fallen of those that start in
// [judged_from, judged_to), and takes them away. `versions`: all that start in [from, to), by
// start; those that other rules flagged take no part. True: a flag has changed.
bool judge_among_others(ValueKind kind, std::span<ValueVersion> versions,
                        const Surroundings& surroundings);

// Energy or power is compared with what is usual: with the level that a seventh of the other UTC
// days reach, and at least two of them, up to kDaysAround before and after.
// The level of a day is what an eighth of its values above 0 reach, and at least two (of less than
// four, the largest); its base is what as many are not above. So neither single values, nor the
// hours that a local day has in the next UTC day, nor what a site does once a week decide. Days
// whose base is more than kShiftedFactor times the median of the bases, as days in a mistaken unit
// are, take no part. The smallest usual value is what all days but so many keep above. Of each
// period the value received last counts.
inline constexpr int kDaysAround = 14;
inline constexpr std::size_t kDaysMin = 6;  // a week, with the day itself
inline constexpr double kShiftedFactor = 50;
// No consumer grows so much from one day to the next.
inline constexpr double kSpikeFactor = 100;
// What is so large, or so small, is a mistake of the unit if it is usual when taken for Wh, or MWh.
inline constexpr double kUnusualFactor = 7, kFarFromLargest = 2, kUnusuallySmall = 5;
// With fewer days: with the upper quartile of the values of the day and of the days there are.
inline constexpr double kSpikeFactorOfFew = 10'000, kUnusualFactorOfFew = 300;

}  // namespace district::series
