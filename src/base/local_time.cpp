#include "base/local_time.h"

#include <date/tz.h>

#include <exception>

namespace district {
namespace {

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Every name of the database is spelled so: Europe/Madrid, Etc/GMT+1, America/Port-au-Prince. What
// else the folder of zones has is not: localtime, posixrules, right/, posix/, tzdata.zi.
bool is_spelled_as_zone(std::string_view name) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
  constexpr std::size_t kLongest = 64;  // the longest has 32
  if (name.empty() || name.size() > kLongest) return false;
  if (name.find_first_not_of(kAllowed) != std::string_view::npos) return false;
  char before = '/';
  for (const char c : name) {
    if (before == '/' && !is_upper(c)) return false;
    before = c;
  }
  return before != '/';
}

}  // namespace

const date::time_zone* find_zone(const std::string& name) {
  // Factory is the placeholder of a machine on which nobody has set the zone.
  if (!is_spelled_as_zone(name) || name == "Factory") return nullptr;
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

Result<LocalTime> LocalTime::of(const std::string& zone) {
  if (const auto* found = find_zone(zone)) return LocalTime(found);
  return fail(ErrorCode::admin_invalid, "there is no time zone '" + zone + "'",
              "use a name of the IANA database, such as Europe/Madrid (timedatectl list-timezones "
              "shows them; package tzdata); 'districtctl tenant add' mends a tenant's");
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
