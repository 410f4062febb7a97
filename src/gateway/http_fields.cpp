#include "gateway/http_fields.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace district::gateway {
namespace {

using namespace std::string_view_literals;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<Instant> parse_http_date(std::string_view text) {
  using namespace std::chrono;
  constexpr auto kForm = "Sun, 06 Nov 1994 08:49:37 GMT"sv;
  constexpr std::array kMonths = {"Jan"sv, "Feb"sv, "Mar"sv, "Apr"sv, "May"sv, "Jun"sv,
                                  "Jul"sv, "Aug"sv, "Sep"sv, "Oct"sv, "Nov"sv, "Dec"sv};
  if (text.size() != kForm.size()) return std::nullopt;
  for (const std::size_t i : {3U, 4U, 7U, 11U, 16U, 19U, 22U, 25U, 26U, 27U, 28U})
    if (text[i] != kForm[i]) return std::nullopt;
  const auto name = std::ranges::find(kMonths, text.substr(8, 3));
  if (name == kMonths.end()) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) {
    const auto digits = text.substr(at, count);
    int value = -1;
    if (all_digits(digits)) std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  };
  const int day_number = number(5, 2);
  const int year_number = number(12, 4);
  const int h = number(17, 2);
  const int m = number(20, 2);
  const int s = number(23, 2);
  if (day_number < 1 || year_number < 1 || h < 0 || m < 0 || s < 0) return std::nullopt;
  const year_month_day date{year{year_number},
                            month{static_cast<unsigned>(name - kMonths.begin() + 1)},
                            day{static_cast<unsigned>(day_number)}};
  if (!date.ok() || h > 23 || m > 59 || s > 60) return std::nullopt;
  return Instant{sys_days{date}} + hours{h} + minutes{m} + seconds{s};
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Instant now) {
  using std::chrono::seconds;
  if (all_digits(text)) {
    long value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{}) return kRetryAfterMax;  // more than a long can hold
    return std::min(seconds{value}, kRetryAfterMax);
  }
  const auto date = parse_http_date(text);
  if (!date) return std::nullopt;
  const auto wait = std::chrono::ceil<seconds>(*date - now);
  return std::clamp(wait, seconds{0}, kRetryAfterMax);
}

}  // namespace district::gateway
