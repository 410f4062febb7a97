// Values of the HTTP header fields of an answer. Source: RFC 9110 sections 5.6.7 and 10.2.3.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace district::gateway {

// An HTTP date in its only current form, IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Instant> parse_http_date(std::string_view text);

// Retry-After: seconds, or a date, which is given as seconds after `now`. At least 0 and at most
// kRetryAfterMax, since a server must not make us sleep for years. nullopt: it is neither.
inline constexpr std::chrono::seconds kRetryAfterMax{24 * 3600};
std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Instant now);

}  // namespace district::gateway
