#include "series/course.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace district::series {
namespace {

// Fewer steps up say little about what is usual.
constexpr std::size_t kStepsMin = 8;
// How many falls wait for the register to come back. When there are more, the earliest counts as a
// reset. This bounds the work that a sender of nothing but falls can cause.
constexpr std::size_t kFallsMax = 32;
// How often displaced readings are taken up again, for the same reason.
constexpr std::size_t kTakenUpMax = 32;
// So many readings are believed even when more contradict them, up to kBelievedFactor times as
// many. Fewer readings are believed only as the majority, since the readings to be judged may begin
// with bad ones.
constexpr std::size_t kBelieved = 6, kBelievedFactor = 64;

double rate(const CoursePoint& from, const CoursePoint& to) {
  return (to.value - from.value) / std::chrono::duration<double>(to.at - from.at).count();
}

double quantile(std::vector<double>& rates, std::size_t part, std::size_t whole) {
  const auto at = rates.begin() + static_cast<std::ptrdiff_t>(rates.size() * part / whole);
  std::nth_element(rates.begin(), at, rates.end());
  return *at;
}

// The rates of the steps up between neighbouring readings.
std::vector<double> rates_up(std::span<const CoursePoint> readings) {
  std::vector<double> rates;
  for (std::size_t i = 1; i < readings.size(); ++i)
    if (readings[i].value > readings[i - 1].value)
      rates.push_back(rate(readings[i - 1], readings[i]));
  return rates;
}

// The course up to a reading, as judged by that reading and those before it.
class Course {
 public:
  explicit Course(std::span<const CoursePoint> readings) : readings_(readings) {
    auto rates = rates_up(readings);
    if (rates.size() >= kStepsMin) usual_rate_ = 2 * quantile(rates, 1, 2);
    for (const auto& reading : readings) values_.push_back(reading.value);
    std::sort(values_.begin(), values_.end());
  }

  void take(std::size_t reading) {
    const double value = readings_[reading].value;
    if (!course_.empty() && value < top()) {
      if (!fall_back(value)) open_fall();
    } else {
      come_back(reading);
    }
    course_.push_back(reading);
  }

  const std::vector<std::size_t>& readings() const { return course_; }
  std::optional<std::size_t> fallen_from() const {
    return falls_.empty() ? std::nullopt : std::optional(course_[falls_.front()]);
  }

 private:
  // Where the register came back after a fall: the place of the reading that came back, and the low
  // readings that it displaced from the course.
  struct Return {
    std::size_t place = 0;
    std::vector<std::size_t> displaced;
  };

  double value_at(std::size_t place) const { return readings_[course_[place]].value; }
  double top() const { return value_at(course_.size() - 1); }

  void cut(std::size_t size) {
    course_.resize(size);
    while (!falls_.empty() && falls_.back() >= size) falls_.pop_back();
    while (!returns_.empty() && returns_.back().place >= size) returns_.pop_back();
  }

  // Notes a fall at the place where the next reading will be.
  void open_fall() {
    falls_.push_back(course_.size());
    if (falls_.size() <= kFallsMax) return;
    floor_ = falls_.front();
    falls_.erase(falls_.begin());
    forget_returns();
  }

  void forget_returns() {
    std::erase_if(returns_, [this](const Return& one) { return one.place < floor_; });
  }

  // The last place, not before `floor_`, with a value of at most `value`. Between falls values only
  // grow, so that a binary search finds it.
  std::optional<std::size_t> last_not_above(double value) const {
    auto end = course_.size();
    for (auto fall = falls_.size(); end > floor_;) {
      const auto begin = fall > 0 ? falls_[--fall] : floor_;
      if (value_at(begin) <= value) {
        const auto above = std::partition_point(
            course_.begin() + static_cast<std::ptrdiff_t>(begin),
            course_.begin() + static_cast<std::ptrdiff_t>(end),
            [&](std::size_t reading) { return readings_[reading].value <= value; });
        return static_cast<std::size_t>(above - course_.begin()) - 1;
      }
      end = begin;
    }
    return std::nullopt;
  }

  // Whether a step between two readings is a jump. `growth` is the part of the step that lies on
  // the way, whose length is `height`.
  bool is_jump(std::size_t from, std::size_t to, double growth, double height) const {
    if (growth <= height / 2) return false;
    const bool usual = usual_rate_ && rate(readings_[from], readings_[to]) <= *usual_rate_;
    return growth >= height || !usual;
  }

  // Whether `kept` readings may stand when they make `others` outliers.
  static bool believed(std::size_t kept, std::size_t others) {
    return kept >= others || (kept >= kBelieved && kept >= others / kBelievedFactor);
  }
  // Whether at least half of all readings are below the value, or not below it.
  bool most_are_below(double value) const { return 2 * below(value) >= values_.size(); }
  bool most_are_above(double value) const { return 2 * below(value) <= values_.size(); }
  std::size_t below(double value) const {
    return static_cast<std::size_t>(std::lower_bound(values_.begin(), values_.end(), value) -
                                    values_.begin());
  }

  // Whether the values in [begin, end), which only grow, pass the middle of the way in a jump. The
  // way begins at `low`.
  bool jumps_between(std::size_t begin, std::size_t end, double low, double height) const {
    const auto past = std::partition_point(
        course_.begin() + static_cast<std::ptrdiff_t>(begin),
        course_.begin() + static_cast<std::ptrdiff_t>(end),
        [&](std::size_t reading) { return readings_[reading].value <= low + height / 2; });
    const auto place = static_cast<std::size_t>(past - course_.begin());
    if (place == begin || place == end) return false;
    return is_jump(course_[place - 1], course_[place], value_at(place) - value_at(place - 1),
                   height);
  }

  // The register falls to `value`. true: it falls back to where it was before a jump up, and what
  // lies in between is not on the course.
  bool fall_back(double value) {
    const auto before = last_not_above(value);
    if (take_up_displaced(value, before)) return true;
    if (!before) return false;
    const auto end = next_fall(*before);
    const double low = value_at(*before), height = value_at(end - 1) - low;
    if (end - 1 == *before || value - low >= height / 2) return false;
    if (!jumps_between(*before, end, low, height)) return false;
    const auto kept = *before + 1 - floor_, others = course_.size() - (*before + 1);
    if (!believed(kept, others) && !most_are_below(low + height / 2)) return false;
    cut(*before + 1);
    return true;
  }

  std::size_t next_fall(std::size_t place) const {
    const auto fall = std::upper_bound(falls_.begin(), falls_.end(), place);
    return fall == falls_.end() ? course_.size() : *fall;
  }

  // The register is low again, so it had not come back: what looked so was a high reading. The low
  // readings that this one had displaced are taken up again.
  bool take_up_displaced(double value, std::optional<std::size_t> before) {
    for (auto back = returns_.size(); back-- > 0 && taken_up_ < kTakenUpMax;) {
      const auto place = returns_[back].place;
      if (before && place <= *before + 1) return false;
      const auto displaced = returns_[back].displaced;
      if (!believed(displaced.size(), course_.size() - place)) continue;
      const auto fits = [&](std::size_t reading) { return readings_[reading].value <= value; };
      const auto last = std::find_if(displaced.rbegin(), displaced.rend(), fits);
      if (last == displaced.rend()) continue;
      ++taken_up_;
      cut(place);
      open_fall();
      course_.push_back(displaced.front());
      for (auto low = displaced.begin() + 1; low < last.base(); ++low) {
        if (readings_[*low].value < top() || readings_[*low].value > value) continue;
        course_.push_back(*low);
      }
      if (top() > value) course_.back() = *last;
      return true;
    }
    return false;
  }

  // The register grows. If it passes what it was before a fall, it may have come back.
  void come_back(std::size_t reading) {
    const double value = readings_[reading].value;
    std::vector<std::size_t> displaced;
    while (!falls_.empty() && value >= value_at(falls_.back() - 1)) {
      const auto fall = falls_.back();
      if (!came_in_a_jump(fall, reading) || !may_return(fall)) {
        floor_ = fall;  // it was reset, and begins anew
        falls_.clear();
        forget_returns();
        break;
      }
      displaced.insert(displaced.begin(), course_.begin() + static_cast<std::ptrdiff_t>(fall),
                       course_.end());
      cut(fall);
    }
    if (!displaced.empty()) returns_.push_back({course_.size(), std::move(displaced)});
  }

  bool came_in_a_jump(std::size_t fall, std::size_t reading) const {
    const double goal = value_at(fall - 1), low = value_at(fall), height = goal - low;
    const double growth = goal - top();
    return is_jump(course_.back(), reading, growth, height) ||
           jumps_between(fall, course_.size(), low, height);
  }

  // Whether the readings before a fall outweigh those after it.
  bool may_return(std::size_t fall) const {
    const double middle = (value_at(fall - 1) + value_at(fall)) / 2;
    return believed(fall - floor_, course_.size() - fall) || most_are_above(middle);
  }

  std::span<const CoursePoint> readings_;
  std::vector<double> values_;  // of readings_, sorted
  std::optional<double> usual_rate_;
  std::vector<std::size_t> course_;  // readings, by time
  std::size_t floor_ = 0;            // the register does not go back to readings before this place
  std::vector<std::size_t> falls_;   // places after floor_ whose reading is below the one before
  std::vector<Return> returns_;      // by place
  std::size_t taken_up_ = 0;
};

}  // namespace

Judged judge_course(std::span<const CoursePoint> readings) {
  Judged result{std::vector<bool>(readings.size(), true), std::nullopt, std::nullopt};
  bool falls = false;
  for (std::size_t i = 1; i < readings.size() && !falls; ++i)
    falls = readings[i].value < readings[i - 1].value;
  if (falls) {
    Course course(readings);
    for (std::size_t i = 0; i < readings.size(); ++i) course.take(i);
    result.on_course.assign(readings.size(), false);
    result.fallen_from = course.fallen_from();
    const auto& kept = course.readings();
    for (std::size_t i = 0; i < kept.size(); ++i) {
      result.on_course[kept[i]] = true;
      // A reading that lies between two of the course in value as in time was good after all.
      if (i + 1 == kept.size()) continue;
      double low = readings[kept[i]].value;
      for (auto between = kept[i] + 1; between < kept[i + 1]; ++between) {
        const double value = readings[between].value;
        if (value < low || value > readings[kept[i + 1]].value) continue;
        result.on_course[between] = true;
        low = value;
      }
    }
  }
  std::vector<CoursePoint> course;
  for (std::size_t i = 0; i < readings.size(); ++i)
    if (result.on_course[i]) course.push_back(readings[i]);
  auto rates = rates_up(course);
  if (rates.size() >= kStepsMin) result.rise_per_s = kRiseFactor * quantile(rates, 3, 4);
  return result;
}

bool is_rise(const CoursePoint& before, const CoursePoint& after, double rise_per_s) {
  return rate(before, after) > rise_per_s;
}

}  // namespace district::series
