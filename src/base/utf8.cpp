#include "base/utf8.h"

#include <algorithm>

namespace district {

std::optional<char32_t> take_character(std::string_view& text) {
  const std::size_t length = character_length(text);
  const auto octets = text.substr(0, std::max<std::size_t>(length, 1));
  text.remove_prefix(octets.size());
  if (length == 0) return std::nullopt;
  const auto lead = static_cast<unsigned char>(octets.front());
  if (length == 1) return lead;
  char32_t character = lead & (0xFFU >> (length + 1));
  for (const char trail : octets.substr(1))
    character = (character << 6U) | (static_cast<unsigned char>(trail) & 0x3FU);
  return character;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view cut(std::string_view text, std::size_t octets_max) {
  if (text.size() <= octets_max) return text;
  while (octets_max > 0 && is_trail(text[octets_max])) --octets_max;
  return text.substr(0, octets_max);
}

}  // namespace district
