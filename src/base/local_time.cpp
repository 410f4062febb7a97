#include "base/local_time.h"

#include <date/tz.h>

#include <exception>

namespace district {

Result<LocalTime> LocalTime::of(const std::string& zone) {
  try {
    return LocalTime(date::locate_zone(zone));
  } catch (const std::exception&) {
    return fail(
        ErrorCode::admin_invalid, "the system knows no time zone '" + zone + "'",
        "install the package tzdata, or mend the tenant's zone by 'districtctl tenant add'");
  }
}

std::string LocalTime::format(const char* pattern, Instant at) const {
  return date::format(pattern, date::make_zoned(zone_, date::floor<std::chrono::seconds>(at)));
}

std::string LocalTime::day(Instant at) const { return format("%F", at); }
std::string LocalTime::month(Instant at) const { return format("%Y-%m", at); }
std::string LocalTime::minute(Instant at) const { return format("%F %R", at); }

std::string LocalTime::date_time(Instant at) const {
  const auto whole = date::floor<std::chrono::seconds>(at);
  return at == whole ? date::format("%FT%T%Ez", date::make_zoned(zone_, whole))
                     : date::format("%FT%T%Ez", date::make_zoned(zone_, at));
}

std::optional<Instant> LocalTime::parse_day_or_instant(std::string_view text) const {
  const auto instant = district::parse_day_or_instant(text);
  constexpr std::size_t kDayLength = 10;  // 2018-03-25
  if (!instant || text.size() != kDayLength) return instant;
  const date::local_days midnight{date::floor<date::days>(*instant).time_since_epoch()};
  return std::chrono::time_point_cast<Duration>(zone_->to_sys(midnight, date::choose::earliest));
}

}  // namespace district
