#include "base/ulid.h"

#include <cstdint>

namespace district {
namespace {
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
}

std::string make_ulid(Instant at, const std::array<std::byte, 10>& random) {
  auto millis = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch().count());
  std::string text(26, '0');
  for (std::size_t i = 10; i-- > 0; millis >>= 5U) text[i] = kAlphabet[millis & 31U];
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      bits = (bits << 8U) | std::to_integer<std::uint64_t>(random[half * 5 + i]);
    }
    for (std::size_t i = 8; i-- > 0; bits >>= 5U) text[10 + half * 8 + i] = kAlphabet[bits & 31U];
  }
  return text;
}

bool is_ulid(std::string_view text) {
  return text.size() == 26 && text[0] <= '7' &&
         text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

std::optional<Instant> time_of_ulid(std::string_view text) {
  if (!is_ulid(text)) return std::nullopt;
  std::int64_t millis = 0;
  for (const char c : text.substr(0, 10))
    millis = millis * 32 + static_cast<std::int64_t>(kAlphabet.find(c));
  return Instant{std::chrono::milliseconds{millis}};
}

}  // namespace district
