// What the KPIs of a meter are, worked out a second time from docs/reference/kpi-rules.md alone,
// minute by minute and without a thought for speed, to compare the quantifier's with. And stories
// for that: what meters might send in some days in an awkward zone, late, twice, corrected and
// overlapping. Nothing is shared with the quantifier but model/ and the course of a register
// (series/course.h). All times are whole minutes.
#pragma once

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "fixture.h"
#include "quantify/site_import.h"
#include "series/course.h"
#include "store/transaction.h"

namespace district::quantify::testing {

using Minute = int;  // since kEpoch
inline constexpr Instant kEpoch{std::chrono::sys_days{std::chrono::year{2017} / 1 / 1}};
inline constexpr Minute kDay = 1440, kEnd = kDay * (5 * 365 + 152);

inline Instant instant_of(Minute at) { return kEpoch + std::chrono::minutes(at); }
inline Minute minute_of(Instant at) {
  return static_cast<Minute>((at - kEpoch) / std::chrono::minutes(1));
}
inline double in_hours(Minute length) { return length / 60.0; }

inline const std::array kWindows = {WindowKind::hour, WindowKind::day, WindowKind::month,
                                    WindowKind::year};

// The wall clock of a zone, minute by minute.
class WallClock {
 public:
  explicit WallClock(const std::string& zone) : offset_(kEnd) {
    const auto* rules = date::locate_zone(zone);
    int last_day = -1, last_month = -1, last_year = -1;
    for (Minute at = 0; at < kEnd;) {
      const auto info = rules->get_info(std::chrono::floor<std::chrono::seconds>(instant_of(at)));
      const auto offset = std::chrono::duration_cast<std::chrono::minutes>(info.offset).count();
      for (const auto until = info.end; at < kEnd && instant_of(at) < until; ++at) {
        offset_[static_cast<std::size_t>(at)] = static_cast<std::int16_t>(offset);
        const int day = local(at) / kDay;
        if (day == last_day) continue;
        last_day = day;
        const auto date = this->date(at);
        starts_[1].push_back(at);
        if (static_cast<int>(unsigned(date.month())) != last_month) starts_[2].push_back(at);
        if (static_cast<int>(date.year()) != last_year) starts_[3].push_back(at);
        last_month = static_cast<int>(unsigned(date.month()));
        last_year = static_cast<int>(date.year());
      }
    }
  }
  int hour(Minute at) const { return local(at) % kDay / 60; }
  std::chrono::year_month_day date(Minute at) const {
    return std::chrono::floor<std::chrono::days>(kEpoch) + std::chrono::days(local(at) / kDay - 1);
  }
  std::pair<Minute, Minute> window(WindowKind kind, Minute at) const {
    if (kind == WindowKind::hour) return {at / 60 * 60, at / 60 * 60 + 60};
    const auto& starts = starts_[static_cast<std::size_t>(kind)];
    const auto next = std::upper_bound(starts.begin(), starts.end(), at);
    return {*std::prev(next), *next};
  }

 private:
  int local(Minute at) const { return at + offset_[static_cast<std::size_t>(at)] + kDay; }
  std::vector<std::int16_t> offset_;
  std::array<std::vector<Minute>, 4> starts_;
};

inline const WallClock& wall_clock(const std::string& zone) {
  static std::map<std::string, WallClock> clocks;
  return clocks.try_emplace(zone, zone).first->second;
}

// ------------------------------------------------------------------------------------- stories

struct Envelope {
  Batch batch;
  Origin origin;
};

// `exchange`: nothing was sent, but the meter was exchanged then.
enum class Fate { counts, superseded, duplicate, excluded, implausible, exchange };

// A value that was sent, with what became of it.
struct Heard {
  std::string meter, quantity;
  Minute start = 0, end = 0;
  double value = 0;
  bool estimated = false;
  std::tuple<Instant, std::uint64_t, std::uint32_t> received;
  Fate fate = Fate::counts;
  bool rise = false;      // a register's step up to it is out of all proportion
  bool disputed = false;  // its envelope gives another value, too
  bool fallen = false;    // a register fell before it, and has not got back
  Minute received_at() const { return minute_of(std::get<0>(received)); }
};

struct Stated {
  std::string meter, attribute, value;
  Minute from = 0;
  std::optional<Minute> to;
  std::tuple<Instant, std::uint64_t, std::uint32_t> received;
};

struct Story {
  std::string zone;
  Minute begin = 0;
  std::vector<Observation> observations;
  std::vector<MasterFact> facts;
};

// Where a meter has no statement of its own on an attribute, that of its site holds, or of the
// site's site, over so many of them. What is said of an exchange is the meter's own.
inline constexpr int kSites = 4;
inline bool is_handed_down(const std::string& attribute) {
  return attribute != "replaces_meter" && attribute != "replaced_final_register" &&
         attribute != "initial_register";
}

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  bool one_in(int chances) { return below(chances) == 0; }
  template <typename T>
  T of(std::initializer_list<T> choices) {
    return choices.begin()[below(static_cast<int>(choices.size()))];
  }
  std::mt19937& bits() { return random_; }

 private:
  std::mt19937 random_;
};

// Some days before a change of the clock, of the year, or of nothing.
inline Story some_place(Dice& dice) {
  struct Place {
    const char *zone, *day;
  };
  const auto place = dice.of<Place>({{"Europe/Madrid", "2019-03-30"},
                                     {"Europe/Madrid", "2019-10-26"},
                                     {"Europe/Madrid", "2019-12-30"},
                                     {"Europe/Copenhagen", "2019-03-30"},
                                     {"Europe/Copenhagen", "2019-10-26"},
                                     {"Europe/Copenhagen", "2019-09-29"},
                                     {"Europe/Copenhagen", "2019-04-29"},
                                     {"Atlantic/Azores", "2019-03-30"},
                                     {"Atlantic/Azores", "2019-10-26"},
                                     {"Atlantic/Azores", "2019-10-31"},
                                     {"Australia/Lord_Howe", "2019-04-06"},
                                     {"Australia/Lord_Howe", "2019-10-05"},
                                     {"Asia/Kolkata", "2019-12-30"},
                                     {"Asia/Kolkata", "2019-06-11"},
                                     {"Asia/Beirut", "2019-10-26"},
                                     {"Asia/Beirut", "2019-03-30"}});
  Story story;
  story.zone = place.zone;
  story.begin = minute_of(at(place.day)) - dice.below(30) * 60;
  return story;
}

inline MasterFact stated(Dice& dice, const char* meter, const char* attribute,
                         const std::string& value, Minute from) {
  MasterFact made{"SITE", meter, attribute, value, instant_of(from), std::nullopt, 0};
  if (dice.one_in(8)) made.valid_to = instant_of(from + 60 * dice.below(60));
  return made;
}

inline constexpr std::uint64_t kFirstLeaf = 1000;  // before it are those of imports

// In envelopes, in the order in which they were received. What is sent twice differs in its
// message.
inline std::vector<Envelope> envelopes_of(Dice& dice, Story story) {
  auto& observations = story.observations;
  std::shuffle(observations.begin(), observations.end(), dice.bits());
  if (!dice.one_in(3)) {
    // In the order of time, but for some that come late.
    std::stable_sort(observations.begin(), observations.end(),
                     [&](const auto& a, const auto& b) { return a.end < b.end; });
    for (auto late = dice.below(5); late > 0 && !observations.empty(); --late) {
      auto which = observations.begin() + dice.below(static_cast<int>(observations.size()));
      std::rotate(which, which + 1, observations.end());
    }
  }
  std::vector<Envelope> envelopes;
  // So many that the order of their arrival matters, few enough to be computed one by one.
  constexpr int kEnvelopesMax = 150;
  const int fewest = 2 * static_cast<int>(observations.size()) / kEnvelopesMax;
  const int most = std::max(fewest, dice.of({3, 20, 1000}));
  for (std::size_t i = 0; i < observations.size();) {
    Envelope envelope;
    envelope.batch.tenant = "20";
    std::uint32_t message = 0;
    Minute last = story.begin;
    for (auto left = 1 + dice.below(most); left > 0 && i < observations.size(); --left, ++i) {
      auto one = observations[i];
      one.message_index = ++message;
      last = std::max(last, minute_of(one.end));
      envelope.batch.observations.push_back(one);
    }
    const auto delay = dice.of({0, 30, 59, 60, 61, kDay, kDay + 1, 3 * kDay});
    envelope.origin.received_at = instant_of(last + delay);
    envelopes.push_back(std::move(envelope));
  }
  if (envelopes.empty()) return envelopes;
  // What is known from the start leaves the values to come to what they touch themselves; a late
  // statement has all windows of its meter computed anew.
  const bool known_first = dice.one_in(2);
  if (known_first) {
    Envelope first;
    first.batch.tenant = "20";
    first.origin.received_at = instant_of(story.begin);
    envelopes.insert(envelopes.begin(), std::move(first));
  }
  for (auto& fact : story.facts) {
    const auto any = static_cast<std::size_t>(dice.below(static_cast<int>(envelopes.size())));
    auto& envelope = envelopes[known_first && !dice.one_in(12) ? 0 : any];
    fact.message_index = 1001 + static_cast<std::uint32_t>(envelope.batch.master_facts.size());
    envelope.batch.master_facts.push_back(fact);
  }
  for (std::size_t leaf = 0; leaf < envelopes.size(); ++leaf) {
    envelopes[leaf].origin.leaf_index = leaf + kFirstLeaf;
    envelopes[leaf].origin.receipt_id = "RECEIPT-" + std::to_string(leaf + kFirstLeaf);
  }
  return envelopes;
}

// ------------------------------------------------------------------- what counts, and what holds

// Rules `spike` and `factor_1000`, of energy or power of one meter.
inline void judge_sizes_slowly(const std::vector<Heard*>& ones) {
  const auto size_of = [](const Heard* one) {
    return one->end > one->start ? one->value * 60 / (one->end - one->start) : one->value;
  };
  // Of each UTC day with values above 0: these, sorted, of each period the one received last.
  std::map<std::pair<Minute, Minute>, const Heard*> last;
  for (const auto* one : ones) {
    if (one->fate == Fate::implausible) continue;
    auto& there = last[{one->start, one->end}];
    if (there == nullptr || there->received < one->received) there = one;
  }
  std::map<int, std::vector<double>> days;
  for (const auto& [period, one] : last)
    if (size_of(one) > 0) days[period.first / kDay].push_back(size_of(one));
  for (auto& [day, sizes] : days) std::sort(sizes.begin(), sizes.end());
  std::vector<Heard*> wrong;
  for (auto* one : ones) {
    if (one->fate == Fate::implausible || size_of(one) <= 0) continue;
    const int today = one->start / kDay;
    const double size = size_of(one);
    std::vector<std::vector<double>> others;
    std::vector<double> bases;
    const auto nth = [](const std::vector<double>& sizes) {
      return sizes.size() < 4 ? 0 : std::max<std::size_t>(2, sizes.size() / 8) - 1;
    };
    for (int day = today - 14; day <= today + 14; ++day) {
      if (day == today || !days.contains(day)) continue;
      others.push_back(days[day]);
      bases.push_back(days[day][nth(days[day])]);
    }
    if (others.size() >= 6) {
      std::sort(bases.begin(), bases.end());
      const double middle = bases[bases.size() / 2];
      std::erase_if(others, [&](const auto& sizes) { return sizes[nth(sizes)] > 50 * middle; });
      std::vector<double> levels, smallest;
      for (const auto& sizes : others) {
        levels.push_back(sizes[sizes.size() - 1 - nth(sizes)]);
        smallest.push_back(sizes.front());
      }
      std::sort(levels.begin(), levels.end());
      std::sort(smallest.begin(), smallest.end());
      const auto some = std::max<std::size_t>(2, others.size() / 7);
      const double usual = levels[levels.size() - some], least = smallest[some];
      double largest = usual;
      for (const auto& sizes : others)
        if (sizes.back() <= 7 * usual) largest = std::max(largest, sizes.back());
      const bool huge = size > 7 * usual || size > 2 * largest;
      const bool as_thousandth = huge && size / 1000 >= least / 2;
      const bool as_thousandfold =
          size < least / 5 && size * 1000 >= least && size * 1000 <= 7 * usual;
      if (size > 100 * usual || as_thousandth || as_thousandfold) wrong.push_back(one);
      continue;
    }
    std::set<std::tuple<Minute, Minute, double>> few;
    for (const auto* other : ones) {
      const bool near = std::abs(other->start / kDay - today) <= 14;
      if (near && other->fate != Fate::implausible && size_of(other) > 0)
        few.emplace(other->start, other->end, size_of(other));
    }
    if (few.size() < 8) continue;
    std::vector<double> sizes;
    for (const auto& value : few) sizes.push_back(std::get<2>(value));
    std::sort(sizes.begin(), sizes.end());
    const double usual = sizes[sizes.size() * 3 / 4];
    if (size > 10'000 * usual || (size > 300 * usual && size / 1000 >= sizes.front() / 2))
      wrong.push_back(one);
  }
  for (auto* one : wrong) one->fate = Fate::implausible;
}

// Outliers of one register, by the months of UTC. What a course is has tests of its own: here it is
// of interest which readings decide on which, whatever their order.
inline void judge_register_slowly(const std::vector<Heard*>& ones) {
  const auto month_of = [](Minute at) {
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(instant_of(at))};
    return static_cast<int>(day.year()) * 12 + static_cast<int>(static_cast<unsigned>(day.month()));
  };
  std::map<Minute, const Heard*> last;  // received, of an instant
  for (const auto* one : ones) {
    if (one->fate == Fate::implausible) continue;
    auto& there = last[one->start];
    if (there == nullptr || there->received < one->received) there = one;
  }
  std::vector<Heard*> wrong;
  std::map<int, std::optional<double>> limits;  // of steps, by month
  for (auto* one : ones) {
    one->rise = one->fallen = false;
    if (one->fate == Fate::implausible) continue;
    std::vector<CoursePoint> points;
    std::size_t here = 0;
    for (const auto& [at, reading] : last) {
      if (std::abs(month_of(at) - month_of(one->start)) > 1) continue;
      if (at == one->start) here = points.size();
      points.push_back({instant_of(at), reading->value});
    }
    const auto judged = judge_course(points);
    limits[month_of(one->start)] = judged.rise_per_s;
    if (judged.on_course[here]) {
      one->fallen =
          judged.fallen_from && here >= *judged.fallen_from && one->value == points[here].value;
      continue;
    }
    std::optional<double> low, high;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (!judged.on_course[i]) continue;
      if (i < here) low = points[i].value;
      if (i > here && !high) high = points[i].value;
    }
    if (!low || !high || one->value < *low || one->value > *high) wrong.push_back(one);
  }
  for (auto* one : wrong) one->fate = Fate::implausible;
  // Steps out of all proportion, between those that count.
  std::map<Minute, Heard*> counting;
  for (auto* one : ones) {
    if (one->fate == Fate::implausible) continue;
    auto& there = counting[one->start];
    if (there == nullptr || there->received < one->received) there = one;
  }
  const Heard* before = nullptr;
  for (auto& [at, one] : counting) {
    const auto& limit = limits[month_of(at)];
    const bool near = before != nullptr && month_of(at) - month_of(before->start) <= 1;
    if (near && limit)
      one->rise =
          is_rise({instant_of(before->start), before->value}, {instant_of(at), one->value}, *limit);
    before = one;
  }
}

// From the latest received to the earliest. All times are minutes, so that no ends overlap by only
// two seconds.
inline void exclude_slowly(const std::vector<Heard*>& ones) {
  const auto overlap = [](const Heard* a, const Heard* b) {
    return a->start < b->end && b->start < a->end;
  };
  std::vector<Heard*> holders;                  // of their time
  std::map<Heard*, std::vector<Heard*>> finer;  // within it, later to be heard
  for (auto* one : ones) {
    const auto holder = std::find_if(holders.begin(), holders.end(),
                                     [&](const auto* other) { return overlap(one, other); });
    if (holder == holders.end()) {
      holders.push_back(one);
      continue;
    }
    one->fate = Fate::excluded;
    const bool within = one->start >= (*holder)->start && one->end <= (*holder)->end;
    if (within && 2 * (one->end - one->start) <= (*holder)->end - (*holder)->start)
      finer[*holder].push_back(one);
  }
  for (auto* holder : holders) {
    // What would count of the finer ones, did nothing hold their time.
    std::vector<Heard*> kept;
    for (auto* one : finer[holder])
      if (std::none_of(kept.begin(), kept.end(), [&](const auto* k) { return overlap(one, k); }))
        kept.push_back(one);
    Minute covered = 0;
    for (const auto* one : kept) covered += one->end - one->start;
    if (100 * covered < 99 * (holder->end - holder->start)) continue;
    holder->fate = Fate::excluded;
    for (auto* one : finer[holder]) one->fate = Fate::counts;
    exclude_slowly(finer[holder]);
  }
}

// docs/reference/kpi-rules.md section 3.
inline void settle_slowly(std::vector<Heard>& all) {
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.received < b.received; });
  std::map<std::tuple<std::string, std::string, Minute, Minute>, Heard*> counting;
  for (auto& one : all) {
    if (one.fate == Fate::implausible) continue;
    auto& holder = counting[{one.meter, one.quantity, one.start, one.end}];
    if (holder != nullptr && holder->value == one.value && holder->estimated == one.estimated) {
      one.fate = Fate::duplicate;
      continue;
    }
    if (holder != nullptr) holder->fate = Fate::superseded;
    holder = &one;
  }
  for (auto& [key, holder] : counting) {
    for (const auto& one : all) {
      const bool same_envelope = std::get<1>(one.received) == std::get<1>(holder->received);
      if (!same_envelope || one.fate == Fate::implausible || one.value == holder->value) continue;
      if (key == std::tuple(one.meter, one.quantity, one.start, one.end)) holder->disputed = true;
    }
  }
  std::map<std::pair<std::string, std::string>, std::vector<Heard*>> by_series;
  for (const auto& [key, one] : counting)
    if (one->end > one->start) by_series[{one->meter, one->quantity}].push_back(one);
  for (auto& [series, ones] : by_series) {
    std::sort(ones.begin(), ones.end(),
              [](const auto* a, const auto* b) { return a->received > b->received; });
    exclude_slowly(ones);
  }
}

// What was sent, settled, and in the order of time.
class Memory {
 public:
  explicit Memory(const std::vector<Envelope>& envelopes) {
    for (const auto& [batch, origin] : envelopes) {
      for (const auto& o : batch.observations) {
        Heard one{o.meter,
                  o.quantity,
                  minute_of(o.start),
                  minute_of(o.end),
                  o.value,
                  (o.flags & flag_estimated) != 0,
                  {origin.received_at, origin.leaf_index, o.message_index},
                  Fate::counts};
        const bool may_be_negative = o.kind == ValueKind::mean;
        if (o.value < 0 && !may_be_negative) one.fate = Fate::implausible;
        heard_.push_back(std::move(one));
      }
      for (const auto& f : batch.master_facts) {
        stated_.push_back({f.meter,
                           f.attribute,
                           f.value,
                           minute_of(f.valid_from),
                           f.valid_to ? std::optional(minute_of(*f.valid_to)) : std::nullopt,
                           {origin.received_at, origin.leaf_index, f.message_index}});
      }
    }
    judge_slowly();
    settle_slowly(heard_);
    std::stable_sort(heard_.begin(), heard_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.start, a.end) < std::tie(b.start, b.end);
    });
  }
  // By start. `visible`: those in whose windows a row shows them.
  std::vector<Heard> all(const std::string& quantity, const std::string& meter = "") const {
    std::vector<Heard> found;
    for (const auto& one : heard_)
      if (one.quantity == quantity && one.meter == meter) found.push_back(one);
    return found;
  }
  std::vector<Heard> counting(const std::string& quantity, const std::string& meter = "") const {
    auto found = all(quantity, meter);
    std::erase_if(found, [](const auto& one) { return one.fate != Fate::counts; });
    return found;
  }
  std::optional<std::string> text(const std::string& attribute, Minute at,
                                  const std::string& meter = "") const {
    const auto* holds = last_of(attribute, owner_of(attribute, meter), at);
    if (holds == nullptr || (holds->to && *holds->to <= at)) return std::nullopt;
    return holds->value;
  }
  // Of the latest valid_from, whether or not it has ended.
  std::optional<std::string> latest(const std::string& attribute,
                                    const std::string& meter = "") const {
    const auto* holds = last_of(attribute, owner_of(attribute, meter), kEnd);
    return holds == nullptr ? std::nullopt : std::optional(holds->value);
  }
  // A site's zone has a name of its own.
  std::string zone_of(const std::string& meter) const {
    auto at = meter;
    for (int sites = 0;; ++sites) {
      const auto* zone = last_of(sites == 0 ? "zone" : "site_zone", at, kEnd);
      const auto* site = last_of("at_site", at, kEnd);
      if (zone != nullptr) return zone->value;
      if (site == nullptr || sites == kSites) return "Europe/Madrid";  // the tenant's
      at = site->value;
    }
  }
  // Since when the latest statement holds.
  Minute since(const std::string& attribute, const std::string& meter) const {
    return last_of(attribute, meter, kEnd)->from;
  }
  std::optional<double> number(const std::string& attribute, Minute at,
                               const std::string& meter = "") const {
    const auto found = text(attribute, at, meter);
    return found ? std::optional(std::stod(*found)) : std::nullopt;
  }

 private:
  void judge_slowly() {
    std::map<std::pair<std::string, std::string>, std::vector<Heard*>> by_series;
    for (auto& one : heard_) by_series[{one.quantity, one.meter}].push_back(&one);
    for (const auto& [series, ones] : by_series) {
      if (series.first == "active_energy" || series.first == "active_power")
        judge_sizes_slowly(ones);
      if (series.first == "register") judge_register_slowly(ones);
    }
  }

  const Stated* last_of(const std::string& attribute, const std::string& meter, Minute at) const {
    const Stated* last = nullptr;
    for (const auto& one : stated_) {
      if (one.attribute != attribute || one.meter != meter || one.from > at) continue;
      if (last == nullptr ||
          std::tie(one.from, one.received) > std::tie(last->from, last->received))
        last = &one;
    }
    return last;
  }
  // The meter, or the first site that it is handed down from.
  std::string owner_of(const std::string& attribute, const std::string& meter) const {
    auto at = meter;
    for (int sites = 0; is_handed_down(attribute); ++sites) {
      if (last_of(attribute, at, kEnd) != nullptr) return at;
      const auto* site = last_of("at_site", at, kEnd);
      if (site == nullptr || sites == kSites) break;
      at = site->value;
    }
    return meter;
  }

  std::vector<Heard> heard_;
  std::vector<Stated> stated_;
};

inline std::optional<Minute> minutes_of(const std::optional<std::string>& duration) {
  if (!duration) return std::nullopt;
  const int number = std::stoi(duration->substr(2));
  return duration->back() == 'H' ? number * 60 : number;
}

inline bool is_visible(const Heard& one) {
  return one.fate == Fate::counts || one.fate == Fate::excluded || one.fate == Fate::implausible;
}

// ------------------------------------------------------------------------------------- comparison

using RowKey = std::tuple<std::string, WindowKind, Minute>;  // KPI, kind and start of the window

struct Row {
  std::optional<double> value;
  double completeness = 0;
  std::string status;
  Minute end = 0;
  std::map<std::string, std::string> attributes;
};

using Rows = std::map<RowKey, Row>;

inline std::string spelled(double number) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

inline std::string status_by(double completeness) {
  return completeness >= 1 ? "complete" : completeness >= 0.9 ? "partial" : "insufficient";
}

inline std::optional<double> quotient(double part, double whole) {
  return whole == 0 ? std::nullopt : std::optional(part / whole);
}

inline std::optional<double> only_if(bool known, double value) {
  return known ? std::optional(value) : std::nullopt;
}

// A window, and the rows that it gets.
struct Sheet {
  Rows& rows;
  WindowKind kind;
  Minute start, end;
  std::map<std::string, std::string> notes;

  Minute length() const { return end - start; }
  Minute overlap(Minute from, Minute to) const {
    return std::max(0, std::min(to, end) - std::max(from, start));
  }
  bool has(Minute at) const { return at >= start && at < end; }
  Row& put(const std::string& kpi, std::optional<double> value, double completeness) {
    auto& row = rows[{kpi, kind, start}];
    row = {value, completeness, status_by(completeness), end, notes};
    return row;
  }
  void lacks(const std::string& kpi, const std::string& what, double completeness) {
    auto& row = put(kpi, std::nullopt, completeness);
    row.status = "insufficient";
    row.attributes["missing"] = what;
  }
  void note(const std::string& name, int count) {
    if (count > 0) notes[name] = std::to_string(count);
  }
};

// In half minutes: what was before an exchange lies just before it.
inline int place_of(const Heard& value) {
  const bool just_before = value.fate == Fate::exchange && value.end > value.start;
  return just_before ? 2 * value.end - 1 : 2 * value.start;
}

// Windows with a row: those that a visible value acts on until `reach(value)`, and those between
// two that start no further apart than three days (hours), 31 days (days), two years (months) or
// ten years (years). An exchange is as good as a value for that, where there is any.
template <typename Reach>
std::set<std::pair<Minute, Minute>> windows_of(const WallClock& clock, WindowKind kind,
                                               const std::vector<Heard>& values, Reach&& reach) {
  std::set<std::pair<Minute, Minute>> windows;
  const Minute gap_max = kDay * (kind == WindowKind::hour    ? 3
                                 : kind == WindowKind::day   ? 31
                                 : kind == WindowKind::month ? 731
                                                             : 3653);
  if (std::none_of(values.begin(), values.end(), is_visible)) return windows;
  const Heard* before = nullptr;
  const auto add = [&](Minute from, Minute last) {
    for (auto window = clock.window(kind, from); window.first <= last;
         window = clock.window(kind, window.second))
      windows.insert(window);
  };
  for (const auto& value : values) {
    if (!is_visible(value) && value.fate != Fate::exchange) continue;
    if (is_visible(value)) add(value.start, std::max(value.start, reach(value) - 1));
    if (before != nullptr && place_of(value) - place_of(*before) <= 2 * gap_max)
      add(before->start, value.start);
    before = &value;
  }
  return windows;
}

inline Minute end_of(const Heard& value) { return value.end; }

inline bool nearly(double a, double b) {
  return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)});
}

inline std::string describe(const Row& row) {
  std::string text = (row.value ? spelled(*row.value) : "null") +
                     " c=" + spelled(row.completeness) + ' ' + row.status + " until " +
                     format_instant(instant_of(row.end));
  for (const auto& [name, value] : row.attributes) text += ' ' + name + '=' + value;
  return text;
}

// What differs, in words; empty: nothing. `kpis`: what the quantifier has of the
// meter, of which those in `unseen` are somebody else's matter.
inline std::vector<std::string> differences(const Rows& expected, const std::vector<KpiValue>& kpis,
                                            const std::set<std::string>& unseen) {
  std::vector<std::string> found;
  std::set<RowKey> seen;
  const auto say = [&](const RowKey& key, const std::string& what) {
    const auto& [kpi, kind, start] = key;
    found.push_back(kpi + " of the " + name_of(kind) + " from " +
                    format_instant(instant_of(start)) + ": " + what);
  };
  for (const auto& k : kpis) {
    if (unseen.contains(k.kpi)) continue;
    const RowKey key{k.kpi, k.window, minute_of(k.start)};
    seen.insert(key);
    const Row row{k.value, k.completeness, name_of(k.status), minute_of(k.end), k.attributes};
    const auto wanted = expected.find(key);
    if (wanted == expected.end()) {
      say(key, "should not be, is " + describe(row));
      continue;
    }
    auto other = wanted->second;
    // Of two values in one envelope one is wrong: whatever the row is, it is not complete.
    if (other.attributes.contains("disputed") && other.status == "complete")
      other.status = "partial";
    const bool same = row.value.has_value() == other.value.has_value() &&
                      (!row.value || nearly(*row.value, *other.value)) &&
                      nearly(row.completeness, other.completeness) && row.status == other.status &&
                      row.end == other.end && row.attributes == other.attributes;
    if (!same) say(key, "should be " + describe(other) + ", is " + describe(row));
  }
  for (const auto& [key, row] : expected)
    if (!seen.contains(key)) say(key, "is not there, should be " + describe(row));
  return found;
}

// -------------------------------------------------------------------------------------- running

// Cases of each kind; more when one is looking for something.
inline unsigned cases(unsigned usual) {
  const char* more = std::getenv("DISTRICT_ORACLE_CASES");  // NOLINT(concurrency-mt-unsafe)
  return more == nullptr ? usual : static_cast<unsigned>(std::stoul(more));
}

// Hands some of what is said of meters over to sites, through a chain of them, or a circle.
inline void move_to_sites(Dice& dice, Story& story, const std::vector<std::string>& meters) {
  const std::vector<std::string> sites = {"B1", "B2", "B3", "B4", "B5"};
  const auto place = [&](const std::string& meter, const std::string& site) {
    story.facts.push_back({"SITE", meter, "at_site", site, instant_of(story.begin), {}, 0});
    if (!dice.one_in(4)) return;
    // Elsewhere before, or one that the latest statement puts right.
    const auto& other = sites[static_cast<std::size_t>(dice.below(5))];
    story.facts.push_back({"SITE", meter, "at_site", other, instant_of(story.begin - kDay), {}, 0});
  };
  const auto length = static_cast<std::size_t>(1 + dice.below(5));
  for (std::size_t i = 0; i + 1 < length; ++i) place(sites[i], sites[i + 1]);
  if (dice.one_in(3))
    place(sites[length - 1], sites[static_cast<std::size_t>(dice.below(static_cast<int>(length)))]);
  // A site may be a meter itself: what changes of it comes with what changes of its own site.
  for (std::size_t i = 0; i < length; ++i) {
    for (auto left = dice.below(6); left > 0; --left) {
      const auto start = instant_of(story.begin + 60 * dice.below(3 * 24));
      story.observations.push_back({"SITE", sites[i], "active_energy", "kWh", ValueKind::interval,
                                    start, start + std::chrono::hours(1), 1, 0, 0});
    }
  }
  std::map<std::pair<std::string, std::string>, std::string> moved;  // all of an attribute
  for (const auto& meter : meters)
    if (!dice.one_in(3)) {
      moved[{meter, ""}] = sites.front();
      place(meter, sites.front());
    }
  for (auto& fact : story.facts) {
    const auto inside = moved.find({fact.meter, ""});
    if (inside == moved.end() || !is_handed_down(fact.attribute) || fact.attribute == "at_site")
      continue;
    // Two meters of a site may say different things: the same place, unless they stay.
    auto& to = moved[{fact.meter, fact.attribute}];
    if (to.empty())
      to = dice.one_in(2) ? fact.meter
                          : sites[static_cast<std::size_t>(dice.below(static_cast<int>(length)))];
    if (to != fact.meter && fact.attribute == "zone") fact.attribute = "site_zone";
    fact.meter = to;
  }
}

// What an administrator imports rather than a message states: each once, so that none is known
// already, in the order in which they come.
inline std::vector<Envelope> imports_of(Dice& dice, Story& story) {
  std::vector<Envelope> imports;
  const auto count = [&](const MasterFact& fact) {
    return std::count_if(story.facts.begin(), story.facts.end(), [&](const MasterFact& other) {
      return other.meter == fact.meter && other.attribute == fact.attribute &&
             other.valid_from == fact.valid_from;
    });
  };
  for (auto left = dice.below(4); left > 0 && !story.facts.empty(); --left) {
    const auto which = story.facts.begin() + dice.below(static_cast<int>(story.facts.size()));
    if (count(*which) > 1) continue;
    Envelope import;
    import.batch.tenant = "20";
    import.batch.master_facts = {*which};
    import.origin = {imports.size(), "site-import-" + std::to_string(imports.size()),
                     instant_of(story.begin + kDay)};
    imports.push_back(std::move(import));
    story.facts.erase(which);
  }
  return imports;
}

// As the quantifier works: several envelopes are ingested, then computed at once; imports are made
// between transactions, and in the pauses of computations; what they mark is computed when no
// envelope is waiting.
class Worker {
 public:
  // `imports`: that are made on the way. They are taken from the front.
  Worker(Dice& dice, std::vector<Envelope> imports) : dice_(dice), imports_(std::move(imports)) {}

  void take(const std::vector<Envelope>& envelopes, int group_max) {
    for (std::size_t i = 0; i < envelopes.size();) {
      begin();
      Touched touched;
      std::vector<Arrival> arrivals;
      for (auto left = 1 + dice_.below(group_max); left > 0 && i < envelopes.size(); --left, ++i) {
        arrivals.push_back({envelopes[i].batch, envelopes[i].origin});
        if (!dice_.one_in(3)) continue;  // some come together
        static_cast<void>(must(engine_.ingest(*transaction_, arrivals, touched)));
        arrivals.clear();
      }
      static_cast<void>(must(engine_.ingest(*transaction_, arrivals, touched)));
      static_cast<void>(must(engine_.recompute(*transaction_, touched, at("2026-01-01"))));
      commit();
      if (dice_.one_in(4)) import_next();
      if (dice_.one_in(4)) compute_stale();
    }
    while (!imports_.empty()) {
      import_next();
      if (dice_.one_in(2)) compute_stale();
    }
    compute_stale();
  }
  void recompute_all(const MeterKey& meter, Instant computed_at) {
    begin();
    static_cast<void>(must(engine_.recompute_between(*transaction_, meter, {}, {}, computed_at)));
    commit();
  }
  std::vector<KpiValue> kpis(const std::string& meter) {
    store::KpiFilter filter;
    filter.source = "SITE";
    filter.meter = meter;
    return must(store_.kpis(filter));
  }

 private:
  void begin() { transaction_.emplace(must(store::SeriesTransaction::begin(*database_))); }
  void commit() {
    static_cast<void>(must(transaction_->commit()));
    transaction_.reset();
  }
  Result<Ok> pause() {
    if (imports_.empty() || !dice_.one_in(3)) return Ok{};
    commit();
    import_next();
    begin();
    return Ok{};
  }
  void import_next() {
    if (imports_.empty()) return;
    const auto import = imports_.front();
    imports_.erase(imports_.begin());
    const auto report =
        must(import_statements(*archive_, *database_, import.batch.tenant,
                               import.batch.master_facts, import.origin.received_at));
    BOOST_REQUIRE_EQUAL(report.statements, import.batch.master_facts.size());
    BOOST_REQUIRE_EQUAL(report.leaf_index, import.origin.leaf_index);
  }
  void compute_stale() {
    while (true) {
      const auto stale = must(store_.stale());
      if (stale.empty()) return;
      begin();
      static_cast<void>(
          must(engine_.recompute_stale(*transaction_, stale.front(), at("2026-01-01"))));
      commit();
    }
  }

  Dice& dice_;
  std::vector<Envelope> imports_;
  std::unique_ptr<store::SeriesDatabase> database_ =
      must(store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create));
  std::unique_ptr<store::ArchiveDatabase> archive_ =
      must(store::ArchiveDatabase::open(store::Location::scratch(), store::OpenMode::create));
  store::SeriesReader store_{*database_};
  std::optional<store::SeriesTransaction> transaction_;
  Engine engine_{*database_, [](std::string_view) { return "Europe/Madrid"; },
                 [this] { return pause(); }};
};

inline std::set<std::string> pictures_of(const std::vector<KpiValue>& kpis) {
  std::set<std::string> pictures;
  for (const auto& k : kpis) {
    const Row row{k.value, k.completeness, name_of(k.status), minute_of(k.end), k.attributes};
    pictures.insert(k.kpi + " of the " + name_of(k.window) + " from " + format_instant(k.start) +
                    " in " + k.unit + ": " + describe(row));
  }
  return pictures;
}

// Rows that only one of them has.
inline void compare(const std::string& who, const std::set<std::string>& expected,
                    const std::set<std::string>& found) {
  std::vector<std::string> less, more;
  std::set_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                      std::back_inserter(less));
  std::set_difference(found.begin(), found.end(), expected.begin(), expected.end(),
                      std::back_inserter(more));
  for (std::size_t i = 0; i < std::min<std::size_t>(less.size(), 3); ++i)
    BOOST_ERROR(who << ": lacks " << less[i]);
  for (std::size_t i = 0; i < std::min<std::size_t>(more.size(), 3); ++i)
    BOOST_ERROR(who << ": has " << more[i]);
}

// Computes the KPIs of a story in four ways, which must give the same rows: live, one envelope
// after the other in any order; in groups in another order; in groups with imports of master data
// in between; and anew. They are held against what is expected, but
// for the KPIs `unseen`.
template <typename Expect>
void hold_against(unsigned seed, Dice& dice, Story story, Expect&& expect,
                  const std::vector<std::string>& meters = {""},
                  const std::set<std::string>& unseen = {}) {
  for (const auto& meter : meters)
    story.facts.push_back({"SITE", meter, "zone", story.zone, kEpoch, std::nullopt, 0});
  if (dice.one_in(2)) move_to_sites(dice, story, meters);
  const auto imports = imports_of(dice, story);
  const auto received = envelopes_of(dice, std::move(story));
  if (received.empty()) return;
  auto all = received;
  all.insert(all.end(), imports.begin(), imports.end());
  const Memory memory(all);
  const auto in_some_order = [&](std::vector<Envelope> envelopes) {
    if (dice.one_in(4)) return envelopes;
    // What was received first, with what is known from the start, stays so often enough.
    std::shuffle(envelopes.begin() + (dice.one_in(2) ? 1 : 0), envelopes.end(), dice.bits());
    return envelopes;
  };
  Worker live(dice, {}), grouped(dice, {}), interrupted(dice, imports);
  live.take(in_some_order(all), 1);
  grouped.take(in_some_order(all), dice.of({3, 10, 1000}));
  interrupted.take(in_some_order(received), dice.of({1, 3, 1000}));
  for (const auto& meter : meters) {
    const auto zone = memory.zone_of(meter);
    const auto name =
        "seed " + std::to_string(seed) + ", " + zone + (meter.empty() ? "" : ' ' + meter);
    const auto kpis = live.kpis(meter);
    const auto found = differences(expect(memory, wall_clock(zone), meter), kpis, unseen);
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 5); ++i)
      BOOST_ERROR(name << ": " << found[i]);
    const auto pictures = pictures_of(kpis);
    BOOST_CHECK_EQUAL(pictures.size(), kpis.size());
    compare(name + ", in groups", pictures, pictures_of(grouped.kpis(meter)));
    compare(name + ", with imports in between", pictures, pictures_of(interrupted.kpis(meter)));
    const auto anew = at("2030-01-01");
    live.recompute_all({"20", "SITE", meter}, anew);
    const auto again = live.kpis(meter);
    compare(name + ", computed anew", pictures, pictures_of(again));
    BOOST_CHECK_MESSAGE(std::none_of(again.begin(), again.end(),
                                     [&](const auto& kpi) { return kpi.computed_at == anew; }),
                        name << ": values change when they are computed anew");
  }
}

}  // namespace district::quantify::testing
