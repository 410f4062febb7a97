// Instants in microseconds of UTC, their XML spelling, and the clock that tests can set.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace district {

using Duration = std::chrono::microseconds;
// UTC, microseconds since 1970-01-01T00:00:00Z without leap seconds.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

inline std::int64_t to_micros(Instant instant) { return instant.time_since_epoch().count(); }
inline Instant from_micros(std::int64_t micros) { return Instant{Duration{micros}}; }

// xs:dateTime (XML Schema Part 2, section 3.2.7) with a zone. Any number of fraction digits (beyond
// microseconds they are cut off), any offset up to 14:00, 24:00:00 as the start of the next day,
// seconds below 60, the calendar checked. Years 0001 to 9999.
// nullopt: not such a value. no zone, too, unless `zone_given` is passed, which is then set to
// false and the value read as UTC.
std::optional<Instant> parse_date_time(std::string_view text, bool* zone_given = nullptr);

// 2026-11-20T10:15:00.123456Z; fraction_digits 0 to 6, cut off rather than rounded.
std::string format_instant(Instant instant, int fraction_digits = 6);

// A day or an instant as people type it on a command line: 2018-03-01 (midnight UTC) or an
// xs:dateTime with a zone.
std::optional<Instant> parse_day_or_instant(std::string_view text);

// Threads: now() may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

// Stands still at one instant: for replays and tests.
class FixedClock final : public Clock {
 public:
  explicit FixedClock(Instant at) : at_(at) {}
  Instant now() const override { return at_; }

 private:
  Instant at_;
};

// The system's time plus a constant: for tests of a whole server at another date.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(Duration shift) : shift_(shift) {}
  Instant now() const override;

 private:
  Duration shift_;
};

}  // namespace district
