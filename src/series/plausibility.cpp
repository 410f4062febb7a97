#include "series/plausibility.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <tuple>

#include "base/limits.h"
#include "series/course.h"
#include "series/supersession.h"

namespace district::series {
namespace {

using namespace std::chrono_literals;

enum RuleFlag : std::uint32_t {
  unit_unknown = flag_first_rule,
  not_finite = flag_first_rule << 1U,
  end_before_start = flag_first_rule << 2U,
  length_impossible = flag_first_rule << 3U,
  before_2000 = flag_first_rule << 4U,
  far_future = flag_first_rule << 5U,
  future_measurement = flag_first_rule << 6U,
  negative_energy = flag_first_rule << 7U,
  negative_power = flag_first_rule << 8U,
  negative_register = flag_first_rule << 9U,
  temperature_impossible = flag_first_rule << 10U,
  price_impossible = flag_first_rule << 11U,
  spike = flag_first_rule << 12U,
  factor_1000 = flag_first_rule << 13U,
  outlier = flag_first_rule << 14U,
};
// The rules that judge a value by others of the series.
constexpr std::uint32_t kAmongOthers = spike | factor_1000 | outlier | flag_rise | flag_fallen;

constexpr Duration kIntervalMax = 24h * 32;  // a month and an hour
constexpr Duration kAheadMax = 24h * 7;      // prices and forecasts of the next days
constexpr Instant kEarliest{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};
// The records are -89.2 and 56.7 degrees Celsius outdoors.
constexpr double kOutdoorMin = -90, kOutdoorMax = 60;
constexpr double kIndoorMin = -50, kIndoorMax = 80;
constexpr double kPriceMax = 1000;  // EUR/kWh, either way
// Fewer values say little about what is usual.
constexpr std::size_t kFewMin = 8;
// With fewer values in a day, the largest one is the level of the day.
constexpr std::size_t kValuesOfDayMin = 4;
constexpr double kThousand = 1000;

bool lasts(ValueKind kind) { return kind == ValueKind::interval || kind == ValueKind::mean; }

std::uint32_t judge_time(const Observation& o, Instant received_at) {
  if (o.end < o.start || (lasts(o.kind) && o.end == o.start)) return end_before_start;
  if (lasts(o.kind) ? o.end - o.start > kIntervalMax : o.end != o.start) return length_impossible;
  if (o.start < kEarliest) return before_2000;
  return o.end > received_at + kAheadMax ? std::uint32_t{far_future} : 0;
}

std::uint32_t judge_value(const Observation& o, Instant received_at) {
  std::uint32_t flags = 0;
  const auto outside = [&o](double low, double high) { return o.value < low || o.value > high; };
  if (o.kind != ValueKind::mean && o.end > received_at + limits::kMessageAheadFlagged)
    flags |= future_measurement;
  if (o.quantity == "active_energy" && o.value < 0) flags |= negative_energy;
  if (o.quantity == "active_power" && o.value < 0) flags |= negative_power;
  if (o.kind == ValueKind::reading && o.value < 0) flags |= negative_register;
  if (o.quantity == "temperature_out" && outside(kOutdoorMin, kOutdoorMax))
    flags |= temperature_impossible;
  if (o.quantity == "temperature_in" && outside(kIndoorMin, kIndoorMax))
    flags |= temperature_impossible;
  if (o.quantity == "energy_price" && outside(-kPriceMax, kPriceMax)) flags |= price_impossible;
  return flags;
}

// As a rate, so that intervals of several lengths compare.
double size_of(ValueKind kind, const ValueVersion& version) {
  const auto hours = std::chrono::duration<double, std::ratio<3600>>(version.end - version.start);
  return std::abs(kind == ValueKind::interval ? version.value / hours.count() : version.value);
}

bool takes_part(const ValueVersion& version) {
  return (version.flags & kRuleFlags & ~kAmongOthers) == 0;
}

// The version received last of those for which `is_meant` holds; nullptr: there is none.
template <typename IsMeant>
ValueVersion* last_received(std::span<ValueVersion> versions, IsMeant&& is_meant) {
  ValueVersion* last = nullptr;
  for (auto& version : versions) {
    if (is_meant(version) && (last == nullptr || receipt_order(*last) < receipt_order(version)))
      last = &version;
  }
  return last;
}

// Versions of a series that start on one UTC day.
struct Day {
  Instant start{};
  std::span<ValueVersion> versions;
  // Of the values above 0. Of each period one counts: the one received last that takes part. 0:
  // there is none.
  double largest = 0, smallest = 0;
  // See kDaysAround: what the day reaches, and what it keeps above, not only in single values or at
  // the edge of a local day.
  double level = 0, base = 0;

  void take(std::vector<double>& sizes) {
    if (sizes.empty()) return;
    std::sort(sizes.begin(), sizes.end());
    const auto from_end =
        sizes.size() < kValuesOfDayMin ? 0 : std::max<std::size_t>(2, sizes.size() / 8) - 1;
    smallest = sizes.front();
    base = sizes[from_end];
    level = sizes[sizes.size() - 1 - from_end];
    largest = sizes.back();
  }
};

std::vector<Day> days_of(ValueKind kind, std::span<ValueVersion> versions) {
  std::vector<Day> days;
  for (std::size_t begin = 0; begin < versions.size();) {
    Day day{std::chrono::floor<std::chrono::days>(versions[begin].start), {}};
    std::vector<double> sizes;
    auto end = begin;
    while (end < versions.size() && versions[end].start < day.start + 24h) {
      const auto first = end;
      while (end < versions.size() && versions[end].start == versions[first].start &&
             versions[end].end == versions[first].end)
        ++end;
      const auto* last = last_received(versions.subspan(first, end - first), takes_part);
      if (last != nullptr && size_of(kind, *last) > 0) sizes.push_back(size_of(kind, *last));
    }
    day.take(sizes);
    day.versions = versions.subspan(begin, end - begin);
    days.push_back(day);
    begin = end;
  }
  return days;
}

double upper_quartile(std::vector<double>& sizes) {
  const auto at = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() * 3 / 4);
  std::nth_element(sizes.begin(), at, sizes.end());
  return *at;
}

// What is usual for the values of a day.
struct Usual {
  double size = 0, largest = 0, smallest = 0;
  double spike = kSpikeFactor, unusual = kUnusualFactor;
  bool few = false;

  std::uint32_t judge(double value) const {
    if (size == 0 || value == 0) return 0;
    if (value > spike * size) return RuleFlag::spike;
    const bool huge = value > unusual * size || (!few && value > kFarFromLargest * largest);
    if (huge && value / kThousand >= smallest / 2) return factor_1000;
    const bool tiny = !few && value < smallest / kUnusuallySmall;
    if (tiny && value * kThousand >= smallest && value * kThousand <= unusual * size)
      return factor_1000;
    return 0;
  }
};

// What is usual when there are few days. A value that was sent again counts once.
Usual usual_of_few(ValueKind kind, std::span<const Day> around) {
  std::vector<std::tuple<Instant, Instant, double>> values;
  for (const auto& day : around) {
    for (const auto& version : day.versions) {
      const double size = size_of(kind, version);
      if (takes_part(version) && size > 0) values.emplace_back(version.start, version.end, size);
    }
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.size() < kFewMin) return {};
  std::vector<double> sizes;
  for (const auto& value : values) sizes.push_back(std::get<2>(value));
  const double smallest = *std::min_element(sizes.begin(), sizes.end());
  return {upper_quartile(sizes), 0, smallest, kSpikeFactorOfFew, kUnusualFactorOfFew, true};
}

// Leaves out days that are in a mistaken unit as a whole, because they do not show what is usual.
void leave_out_shifted(std::vector<const Day*>& days) {
  std::vector<double> bases;
  for (const auto* day : days) bases.push_back(day->base);
  const auto middle = bases.begin() + static_cast<std::ptrdiff_t>(bases.size() / 2);
  std::nth_element(bases.begin(), middle, bases.end());
  const double limit = kShiftedFactor * *middle;
  std::erase_if(days, [limit](const Day* day) { return day->base > limit; });
}

Usual usual_of(ValueKind kind, const Day& day, std::span<const Day> around) {
  std::vector<const Day*> others;
  for (const auto& other : around)
    if (other.start != day.start && other.largest > 0) others.push_back(&other);
  if (others.size() < kDaysMin) return usual_of_few(kind, around);
  leave_out_shifted(others);  // at least half of them remain
  std::vector<double> levels, smallest;
  for (const auto* other : others) {
    levels.push_back(other->level);
    smallest.push_back(other->smallest);
  }
  std::sort(levels.begin(), levels.end());
  std::sort(smallest.begin(), smallest.end());
  // The level that a seventh of the days reach, and at least two; and the value that all days but
  // as many keep above.
  const auto some = std::max<std::size_t>(2, others.size() / 7);
  Usual usual;
  usual.size = usual.largest = levels[levels.size() - some];
  usual.smallest = smallest[some];
  for (const auto* other : others)
    if (other->largest <= kUnusualFactor * usual.size)
      usual.largest = std::max(usual.largest, other->largest);
  return usual;
}

bool set_flags(ValueVersion& version, std::uint32_t flags) {
  if ((version.flags & kAmongOthers) == flags) return false;
  version.flags = (version.flags & ~kAmongOthers) | flags;
  return true;
}

bool judge_sizes(ValueKind kind, std::span<ValueVersion> versions,
                 const Surroundings& surroundings) {
  const auto days = days_of(kind, versions);
  bool changed = false;
  std::size_t first = 0, end = 0;  // of the days around this one
  for (const auto& day : days) {
    if (day.start < surroundings.judged_from || day.start >= surroundings.judged_to) continue;
    while (days[first].start < day.start - 24h * kDaysAround) ++first;
    while (end < days.size() && days[end].start <= day.start + 24h * kDaysAround) ++end;
    const auto usual = usual_of(kind, day, {&days[first], end - first});
    for (auto& version : day.versions) {
      const auto flags = takes_part(version) ? usual.judge(size_of(kind, version)) : 0;
      changed |= set_flags(version, flags);
    }
  }
  return changed;
}

// The versions of one instant: what the register is said to have shown then.
struct Said {
  std::span<ValueVersion> versions;
  const ValueVersion* last = nullptr;  // the one received last that takes part
};

std::vector<Said> said_by_instant(std::span<ValueVersion> versions) {
  std::vector<Said> said;
  for (std::size_t begin = 0; begin < versions.size();) {
    auto end = begin;
    while (end < versions.size() && versions[end].start == versions[begin].start) ++end;
    const auto here = versions.subspan(begin, end - begin);
    said.push_back({here, last_received(here, takes_part)});
    begin = end;
  }
  return said;
}

// The readings of a stretch of time. At each instant it is the version that was received last.
class Readings {
 public:
  explicit Readings(std::span<const Said> said) {
    for (const auto& one : said)
      if (one.last != nullptr) points_.push_back({one.last->start, one.last->value});
    judged_ = judge_course(points_);
  }
  // The flags of a version. When the version received last is off the course, an earlier one of the
  // same instant counts if it fits between the readings before and after.
  std::uint32_t judge(const ValueVersion& version) const {
    const auto here = std::lower_bound(points_.begin(), points_.end(), version.start,
                                       [](const auto& point, Instant at) { return point.at < at; });
    const auto place = static_cast<std::size_t>(here - points_.begin());
    const auto& on_course = judged_.on_course;
    if (on_course[place]) {
      const bool fallen = judged_.fallen_from && place >= *judged_.fallen_from;
      return fallen && version.value == here->value ? std::uint32_t{flag_fallen} : 0;
    }
    auto before = place, after = place;
    while (before > 0 && !on_course[before]) --before;
    while (after + 1 < points_.size() && !on_course[after]) ++after;
    const bool between = on_course[before] && on_course[after] &&
                         version.value >= points_[before].value &&
                         version.value <= points_[after].value;
    return between ? 0 : std::uint32_t{outlier};
  }
  std::optional<double> rise_per_s() const { return judged_.rise_per_s; }

 private:
  std::vector<CoursePoint> points_;
  Judged judged_;
};

Instant start_of_month(Instant at, int months_later) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
  const auto month =
      std::chrono::year_month{day.year(), day.month()} + std::chrono::months{months_later};
  return std::chrono::sys_days{month / 1};
}

// The version of an instant that counts, as judged so far.
ValueVersion* counting(const Said& said) {
  return last_received(
      said.versions, [](const ValueVersion& version) { return (version.flags & kRuleFlags) == 0; });
}

// Outliers are judged month by month, from the readings of that month, the one before and the one
// after, so that readings far away need not be known. Then each reading is compared with the
// counting one before it, whichever month that one was judged in. So an implausible step is noticed
// between any two readings whose difference is used.
bool judge_readings(std::span<ValueVersion> versions, const Surroundings& surroundings) {
  const auto said = said_by_instant(versions);
  const auto from = [&said](Instant at) {
    return std::partition_point(said.begin(), said.end(),
                                [at](const Said& one) { return one.versions.front().start < at; });
  };
  std::vector<std::uint32_t> was;
  for (const auto& version : versions) was.push_back(version.flags);
  std::vector<std::pair<Instant, std::optional<double>>> months;  // each with its rise_per_s
  for (auto month = surroundings.judged_from; month < surroundings.judged_to;
       month = start_of_month(month, 1)) {
    const auto begin = from(month), end = from(start_of_month(month, 1));
    if (begin == end) continue;
    const Readings readings({from(start_of_month(month, -1)), from(start_of_month(month, 2))});
    months.emplace_back(month, readings.rise_per_s());
    for (auto one = begin; one != end; ++one)
      for (auto& version : one->versions)
        set_flags(version, takes_part(version) ? readings.judge(version) : 0);
  }
  for (const auto& [month, rise_per_s] : months) {
    const ValueVersion* before = nullptr;
    for (auto one = from(start_of_month(month, -1)); one != from(start_of_month(month, 1)); ++one) {
      auto* after = counting(*one);
      if (after == nullptr) continue;
      const bool rises =
          after->start >= month && before != nullptr && rise_per_s &&
          is_rise({before->start, before->value}, {after->start, after->value}, *rise_per_s);
      if (rises) after->flags |= flag_rise;
      before = after;
    }
  }
  std::size_t place = 0;
  return std::any_of(versions.begin(), versions.end(),
                     [&](const ValueVersion& version) { return version.flags != was[place++]; });
}

}  // namespace

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {unit_unknown, "unit_unknown", "a known quantity in a unit that cannot be converted", false},
      {not_finite, "not_finite", "too large for a number once converted", false},
      {end_before_start, "end_before_start", "the period does not end after its start", false},
      {length_impossible, "length_impossible",
       "a period longer than 32 days, or a sample or reading with a period", false},
      {before_2000, "before_2000", "starts before the year 2000", false},
      {far_future, "far_future", "ends more than 7 days after its receipt", false},
      {future_measurement, "future_measurement",
       "an amount, a sample or a reading of a time more than 60 s after its receipt; prices and "
       "temperatures may be forecasts"},
      {negative_energy, "negative_energy", "active_energy below 0"},
      {negative_power, "negative_power", "active_power below 0"},
      {negative_register, "negative_register", "a register below 0"},
      {temperature_impossible, "temperature_impossible",
       "outdoors not within -90 to 60, indoors not within -50 to 80 degrees Celsius"},
      {price_impossible, "price_impossible", "a price not within -1000 to 1000 EUR/kWh"},
      {spike, "spike",
       "energy or power more than 100 times what is usual; with fewer than 6 other days more than "
       "10 000 times the upper quartile of the values of the day and of those there are, which are "
       "at least 8"},
      {factor_1000, "factor_1000",
       "energy or power more than 7 times what is usual, or more than twice the largest value of "
       "the days around that is not so itself, that would be usual as a thousandth: not less than "
       "half of the smallest usual value; or less than a fifth of that, but usual as a "
       "thousand times it; with fewer than 6 other days only what is 300 times the upper "
       "quartile, and usual as a thousandth"},
      {outlier, "outlier",
       "a reading that the register contradicts later, by going on where it was before: see "
       "[Outliers of a register](kpi-rules.md#10-outliers-of-a-register)"},
  };
  return all;
}

std::string names_of_rules(std::uint32_t flags) {
  std::string names;
  for (const auto& rule : rules()) {
    if ((flags & rule.flag) == 0) continue;
    if (!names.empty()) names += ' ';
    names += rule.name;
  }
  return names;
}

Judgement judge(const Observation& observation, Instant received_at, bool unit_known) {
  auto flags = judge_time(observation, received_at);
  if (!unit_known) flags |= unit_unknown;
  if (!std::isfinite(observation.value)) flags |= not_finite;
  if (flags != 0) return {flags, false};
  return {judge_value(observation, received_at), true};
}

std::optional<Surroundings> surroundings_of(ValueKind kind, Instant first, Instant last) {
  const auto day = [](Instant at) { return Instant{std::chrono::floor<std::chrono::days>(at)}; };
  switch (kind) {
    case ValueKind::interval:
    case ValueKind::instant: {
      const auto around = 24h * kDaysAround;
      const Instant from = day(first) - around, to = day(last) + 24h + around;
      return Surroundings{from, to, from - around, to + around};
    }
    case ValueKind::reading:
      return Surroundings{start_of_month(first, -1), start_of_month(last, 3),
                          start_of_month(first, -2), start_of_month(last, 4)};
    case ValueKind::mean:
      break;
  }
  return std::nullopt;
}

bool judge_among_others(ValueKind kind, std::span<ValueVersion> versions,
                        const Surroundings& surroundings) {
  if (kind == ValueKind::reading) return judge_readings(versions, surroundings);
  return judge_sizes(kind, versions, surroundings);
}

}  // namespace district::series
