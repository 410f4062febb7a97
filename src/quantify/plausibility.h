// Values that cannot be true: kept as evidence, flagged by the rule that says so, counted, and set
// aside. A KPI of a window in which one lies says how many there are.
// Pure functions of what was received. Threads: any.
// Source: kpis.md section 1 ("absence is not zero"); docs/reference/kpis.md lists the rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/batch.h"
#include "store/value_chunk.h"

namespace district::quantify {

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

// What the other values of its UTC day show: flags those that are more than kSpikeFactor times the
// upper quartile of the day's other values. `day`: all versions that start in it; those that other
// rules flagged take no part. True: a flag has changed.
bool judge_spikes(ValueKind kind, std::span<store::Version> day);
inline constexpr double kSpikeFactor = 10'000;

}  // namespace district::quantify
