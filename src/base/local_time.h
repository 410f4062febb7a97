// Wall-clock dates of a time zone, for days that people name and for labels.
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace date {
class time_zone;
}

namespace district {

// A zone of the IANA time zone database, as the system has it, by its name; nullptr: there is none.
// `localtime` and other names whose meaning depends on the machine are none, nor are files beside
// the zones. Lives as long as the program.
const date::time_zone* find_zone(const std::string& name);

class LocalTime {
 public:
  // Errors: admin_invalid when find_zone() does not know it.
  static Result<LocalTime> of(const std::string& zone);

  std::string day(Instant at) const;     // 2018-03-25
  std::string month(Instant at) const;   // 2018-03
  std::string minute(Instant at) const;  // 2018-03-25 14:00
  // xs:dateTime with the offset from UTC: 2018-03-25T14:00:00+02:00. Six digits of a second where
  // it is not a whole one.
  std::string date_time(Instant at) const;
  // A day as people type it, 2018-03-25, which begins at its local midnight, or an xs:dateTime with
  // a zone.
  std::optional<Instant> parse_day_or_instant(std::string_view text) const;

 private:
  explicit LocalTime(const date::time_zone* zone) : zone_(zone) {}
  std::string format(const char* pattern, Instant at) const;
  const date::time_zone* zone_;  // of date's database, which lives as long as the program
};

}  // namespace district
