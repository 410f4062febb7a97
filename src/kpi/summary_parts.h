// Small things that several summaries need. Private to kpi/.
#pragma once

#include <algorithm>
#include <chrono>

#include "kpi/summary.h"

namespace district::kpi {

inline double hours(Duration duration) {
  return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}
inline Duration overlap(Instant start, Instant end, const Window& window) {
  return std::max(Duration{}, std::min(end, window.end) - std::max(start, window.start));
}
inline bool starts_in(Instant start, const Window& window) {
  return start >= window.start && start < window.end;
}
inline bool counts(const ValueVersion& version) {
  return version.state == MeasurementState::current;
}
// Counts in `noted` what people should know of a version. true: the version counts.
inline bool take_note(Noted& noted, const ValueVersion& version) {
  if (version.state == MeasurementState::excluded) ++noted.excluded;
  if (version.state == MeasurementState::implausible) ++noted.implausible;
  if (!counts(version)) return false;
  if (version.flags & flag_estimated) ++noted.estimated;
  if (version.flags & flag_disputed) ++noted.disputed;
  return true;
}
// Calls each(day) for the local days that the window overlaps, in order.
template <typename Each>
void each_day(const Window& window, const Calendar& calendar, Each&& each) {
  for (auto day = calendar.window(WindowKind::day, window.start); day.start < window.end;
       day = calendar.after(day)) {
    each(day);
  }
}

}  // namespace district::kpi
