// Windows of the site's calendar: hours of UTC, days, months and years of the site's zone,
// half-open. A local day has 23 or 25 hours where the clocks change.
// Source: docs/reference/kpi-rules.md section 2.
// Threads: any.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/kpi.h"

namespace date {
class time_zone;
}

namespace district::kpi {

struct Window {
  WindowKind kind = WindowKind::hour;
  Instant start{}, end{};
  auto operator<=>(const Window&) const = default;
  Duration length() const { return end - start; }
};

// true for hours to years. The windows of models are periods that master data state.
constexpr bool by_calendar(WindowKind kind) {
  return kind != WindowKind::baseline && kind != WindowKind::reporting;
}

class Calendar {
 public:
  // `zone`: an IANA name. Errors: quantify_failed when the system knows no such zone.
  static Result<Calendar> of(const std::string& zone);

  // The window that contains the instant; its kind is one of hour to year.
  Window window(WindowKind kind, Instant at) const;
  Window after(const Window& window) const;  // the next one of its kind

  // The hour that the wall clock shows, 0 to 23.
  int hour(Instant at) const;
  // When the wall clock shows the full hour (0 to 24) on the local day of `at`.
  Instant at_hour(Instant at, int hour) const;
  std::chrono::year_month_day date(Instant at) const;
  // Parses "2021-01-01/2021-12-31": local days, both included. nullopt: it does not have this form.
  std::optional<Window> days(WindowKind kind, std::string_view from_to) const;

 private:
  struct Offset {
    Instant from{};
    Duration offset{};  // local time - UTC
  };
  explicit Calendar(const date::time_zone* zone);
  Duration offset(Instant at) const;
  std::chrono::sys_days local_day(Instant at) const;  // as if UTC
  Instant to_instant(std::chrono::sys_days day, int hour) const;

  const date::time_zone* zone_;  // of date's database, which lives as long as the program
  std::shared_ptr<const std::vector<Offset>> offsets_;  // looked up once: a year has 8760 hours
};

}  // namespace district::kpi
