#include "kpi/calendar.h"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>

#include "base/local_time.h"

namespace district::kpi {
namespace {

using namespace std::chrono_literals;
using std::chrono::floor;
using std::chrono::sys_days;
using std::chrono::year_month_day;

// The changes of the clock between these are looked up once. An offset before or after them is
// looked up each time.
constexpr Instant kKnownFrom = sys_days{std::chrono::year{1999} / 1 / 1};
constexpr Instant kKnownTo = sys_days{std::chrono::year{2060} / 1 / 1};

Instant to_sys(const date::time_zone& zone, sys_days day, int hour) {
  const auto local = date::local_time<Duration>(day.time_since_epoch() + std::chrono::hours(hour));
  // A local time that the clocks skip is taken as the moment when they do; of one that comes twice,
  // the first is taken.
  return zone.to_sys(local, date::choose::earliest);
}

std::optional<sys_days> parse_day(std::string_view text) {
  if (text.size() != 10) return std::nullopt;
  const auto instant = parse_day_or_instant(text);
  return instant ? std::optional(floor<std::chrono::days>(*instant)) : std::nullopt;
}

}  // namespace

Calendar::Calendar(const date::time_zone* zone) : zone_(zone) {
  std::vector<Offset> offsets;
  for (auto at = kKnownFrom; at < kKnownTo;) {
    const auto info = zone->get_info(floor<std::chrono::seconds>(at));
    offsets.push_back({at, info.offset});
    at = info.end;
  }
  offsets_ = std::make_shared<const std::vector<Offset>>(std::move(offsets));
}

Result<Calendar> Calendar::of(const std::string& zone) {
  if (const auto* found = find_zone(zone)) return Calendar(found);
  return fail(ErrorCode::quantify_failed, "there is no time zone \"" + zone + "\"",
              "use an IANA name such as Europe/Madrid; the package tzdata must be installed");
}

Duration Calendar::offset(Instant at) const {
  if (at < kKnownFrom || at >= kKnownTo)
    return zone_->get_info(floor<std::chrono::seconds>(at)).offset;
  const auto after = std::partition_point(offsets_->begin(), offsets_->end(),
                                          [at](const Offset& o) { return o.from <= at; });
  return std::prev(after)->offset;
}

sys_days Calendar::local_day(Instant at) const { return floor<std::chrono::days>(at + offset(at)); }

Instant Calendar::to_instant(sys_days day, int hour) const {
  const Instant as_if_utc = day + std::chrono::hours(hour);
  // No zone is further than this from UTC, so the offset there shows a change of the clock in
  // between.
  const auto before = offset(as_if_utc - 26h);
  if (before == offset(as_if_utc + 26h)) return as_if_utc - before;
  return to_sys(*zone_, day, hour);
}

Window Calendar::window(WindowKind kind, Instant at) const {
  if (kind == WindowKind::hour) {
    const auto start = floor<std::chrono::hours>(at);
    return {kind, start, start + 1h};
  }
  const auto day = local_day(at);
  if (kind == WindowKind::day) {
    return {kind, to_instant(day, 0), to_instant(day + std::chrono::days(1), 0)};
  }
  const year_month_day date(day);
  if (kind == WindowKind::month) {
    const auto month = date.year() / date.month();
    return {kind, to_instant(month / 1, 0), to_instant((month + std::chrono::months(1)) / 1, 0)};
  }
  return {kind, to_instant(date.year() / 1 / 1, 0),
          to_instant((date.year() + std::chrono::years(1)) / 1 / 1, 0)};
}

Window Calendar::after(const Window& window) const { return this->window(window.kind, window.end); }

int Calendar::hour(Instant at) const {
  const auto local = at + offset(at);
  return static_cast<int>((local - floor<std::chrono::days>(local)) / 1h);
}

Instant Calendar::at_hour(Instant at, int hour) const { return to_instant(local_day(at), hour); }

year_month_day Calendar::date(Instant at) const { return year_month_day(local_day(at)); }

std::optional<Window> Calendar::days(WindowKind kind, std::string_view from_to) const {
  const auto slash = from_to.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto first = parse_day(from_to.substr(0, slash));
  const auto last = parse_day(from_to.substr(slash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Window{kind, to_instant(*first, 0), to_instant(*last + std::chrono::days(1), 0)};
}

}  // namespace district::kpi
