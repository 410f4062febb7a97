// Windows of the site's calendar: hours of UTC, days and months of the site's zone, half-open. A
// local day has 23 or 25 hours where the clocks change.
// Source: kpis.md section 1.
// Threads: any.
#pragma once

#include <string>

#include "base/error.h"
#include "base/time.h"
#include "model/kpi.h"

namespace date {
class time_zone;
}

namespace district::quantify {

struct Window {
  WindowKind kind = WindowKind::hour;
  Instant start{}, end{};
  auto operator<=>(const Window&) const = default;
  Duration length() const { return end - start; }
};

class Calendar {
 public:
  // `zone`: an IANA name. Errors: quantify_failed when the system knows no such zone.
  static Result<Calendar> of(const std::string& zone);

  Window window(WindowKind kind, Instant at) const;  // the one that holds the instant
  Window after(const Window& window) const;          // the next one of its kind

  // Of the wall clock, 0 to 23.
  int hour(Instant at) const;
  // When the wall clock shows the full hour (0 to 24) on the local day of `at`.
  Instant at_hour(Instant at, int hour) const;

 private:
  explicit Calendar(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_;  // of date's database, which lives as long as the program
};

}  // namespace district::quantify
