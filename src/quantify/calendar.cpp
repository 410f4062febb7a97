#include "quantify/calendar.h"

#include <date/date.h>
#include <date/tz.h>

#include <exception>

namespace district::quantify {
namespace {

using LocalDays = date::local_days;

LocalDays local_day(const date::time_zone& zone, Instant at) {
  return date::floor<date::days>(zone.to_local(at));
}

// A local time that the clocks skip is the moment at which they do; of two the first.
Instant to_instant(const date::time_zone& zone, LocalDays day, int hour) {
  const auto local = date::local_time<Duration>(day + std::chrono::hours(hour));
  return zone.to_sys(local, date::choose::earliest);
}

LocalDays first_of_month(const date::year_month& month) { return LocalDays(month / 1); }

}  // namespace

Result<Calendar> Calendar::of(const std::string& zone) {
  try {
    return Calendar(date::locate_zone(zone));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::quantify_failed, "no time zone \"" + zone + "\": " + problem.what(),
                "use an IANA name such as Europe/Madrid; the package tzdata must be installed");
  }
}

Window Calendar::window(WindowKind kind, Instant at) const {
  if (kind == WindowKind::hour) {
    const auto start = date::floor<std::chrono::hours>(at);
    return {kind, start, start + std::chrono::hours(1)};
  }
  const auto day = local_day(*zone_, at);
  if (kind == WindowKind::day) {
    return {kind, to_instant(*zone_, day, 0), to_instant(*zone_, day + date::days(1), 0)};
  }
  const date::year_month_day date(day);
  const auto month = date.year() / date.month();
  return {kind, to_instant(*zone_, first_of_month(month), 0),
          to_instant(*zone_, first_of_month(month + date::months(1)), 0)};
}

Window Calendar::after(const Window& window) const { return this->window(window.kind, window.end); }

int Calendar::hour(Instant at) const {
  const auto local = zone_->to_local(at);
  const auto since_midnight = local - date::floor<date::days>(local);
  return static_cast<int>(date::floor<std::chrono::hours>(since_midnight).count());
}

Instant Calendar::at_hour(Instant at, int hour) const {
  return to_instant(*zone_, local_day(*zone_, at), hour);
}

}  // namespace district::quantify
