#include "base/time.h"

#include <cstdint>
#include <cstdio>

#include "base/text.h"

namespace district {
namespace {

// Reads exactly `count` digits at `position` and moves it on.
std::optional<int> digits(std::string_view text, std::size_t& position, std::size_t count) {
  if (position + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char c = text[position + i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  position += count;
  return value;
}

bool take(std::string_view text, std::size_t& position, char expected) {
  if (position >= text.size() || text[position] != expected) return false;
  ++position;
  return true;
}

// Microseconds of a fraction after the point; digits beyond the sixth are cut off.
std::optional<std::int64_t> fraction_micros(std::string_view text, std::size_t& position) {
  std::int64_t micros = 0;
  std::size_t count = 0;
  for (; position < text.size() && text[position] >= '0' && text[position] <= '9'; ++position) {
    if (count++ < 6) micros = micros * 10 + (text[position] - '0');
  }
  if (count == 0) return std::nullopt;
  for (; count < 6; ++count) micros *= 10;
  return micros;
}

// What follows the time: Z or an offset of at most 14:00; nothing only where `zone_given` allows.
std::optional<std::chrono::minutes> zone_offset(std::string_view text, std::size_t& position,
                                                bool* zone_given) {
  if (zone_given != nullptr) *zone_given = position < text.size();
  if (position == text.size()) {
    if (zone_given == nullptr) return std::nullopt;
    return std::chrono::minutes{0};
  }
  if (take(text, position, 'Z')) return std::chrono::minutes{0};
  const bool east = take(text, position, '+');
  if (!east && !take(text, position, '-')) return std::nullopt;
  const auto hours = digits(text, position, 2);
  if (!hours || !take(text, position, ':')) return std::nullopt;
  const auto minutes = digits(text, position, 2);
  if (!minutes || *minutes > 59 || *hours > 14 || (*hours == 14 && *minutes != 0)) {
    return std::nullopt;
  }
  const int total = *hours * 60 + *minutes;
  return std::chrono::minutes{east ? total : -total};
}

}  // namespace

std::optional<Instant> parse_date_time(std::string_view text, bool* zone_given) {
  using namespace std::chrono;
  text = trim_xml_space(text);
  std::size_t at = 0;
  const auto y = digits(text, at, 4);
  if (!y || *y == 0 || !take(text, at, '-')) return std::nullopt;
  const auto mo = digits(text, at, 2);
  if (!mo || !take(text, at, '-')) return std::nullopt;
  const auto d = digits(text, at, 2);
  if (!d || !take(text, at, 'T')) return std::nullopt;
  const auto h = digits(text, at, 2);
  if (!h || !take(text, at, ':')) return std::nullopt;
  const auto mi = digits(text, at, 2);
  if (!mi || !take(text, at, ':')) return std::nullopt;
  const auto s = digits(text, at, 2);
  if (!s) return std::nullopt;
  std::int64_t micros = 0;
  if (take(text, at, '.')) {
    const auto fraction = fraction_micros(text, at);
    if (!fraction) return std::nullopt;
    micros = *fraction;
  }
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)},
                            day{static_cast<unsigned>(*d)}};
  if (!date.ok() || *mi > 59 || *s > 59 || *h > 24) return std::nullopt;
  if (*h == 24 && (*mi != 0 || *s != 0 || micros != 0)) return std::nullopt;
  const auto offset = zone_offset(text, at, zone_given);
  if (!offset || at != text.size()) return std::nullopt;
  return Instant{sys_days{date}} + hours{*h} + minutes{*mi} + seconds{*s} + Duration{micros} -
         *offset;
}

std::string format_instant(Instant instant, int fraction_digits) {
  using namespace std::chrono;
  const auto day_start = floor<days>(instant);
  const year_month_day date{day_start};
  const hh_mm_ss time{instant - day_start};
  char text[64];
  int length = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  std::string result(text, static_cast<std::size_t>(length));
  if (fraction_digits > 0) {
    length = std::snprintf(text, sizeof text, ".%06d", static_cast<int>(time.subseconds().count()));
    result.append(text, static_cast<std::size_t>(1 + (fraction_digits < 6 ? fraction_digits : 6)));
  }
  return result + "Z";
}

std::optional<Instant> parse_day_or_instant(std::string_view text) {
  if (text.size() == 10) return parse_date_time(std::string(text) + "T00:00:00Z");
  return parse_date_time(text);
}

Instant SystemClock::now() const {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

Instant ShiftedClock::now() const { return SystemClock{}.now() + shift_; }

}  // namespace district
