// UTF-8, octet by octet. Source: RFC 3629 section 4. Threads: any.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace district {

// Whether a character continues with this octet.
constexpr bool is_trail(char octet) { return (static_cast<unsigned char>(octet) & 0xC0U) == 0x80U; }

// Octets of the character at the start; 0: they are not UTF-8 (overlong forms, surrogates and what
// lies beyond U+10FFFF are not), or the character is cut. `text` must not be empty.
constexpr std::size_t character_length(std::string_view text) {
  const auto octet = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = octet(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_trail(text[i])) return 0;
  }
  const bool overlong = (lead == 0xE0 && octet(1) < 0xA0) || (lead == 0xF0 && octet(1) < 0x90);
  const bool surrogate = lead == 0xED && octet(1) > 0x9F;
  const bool beyond = lead == 0xF4 && octet(1) > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

// Takes the next character off the front; nothing where the octets are not UTF-8, and then one
// octet is taken. `text` must not be empty.
std::optional<char32_t> take_character(std::string_view& text);

bool is_utf8(std::string_view text);

// The beginning of the text, of at most so many octets, that does not end within a character.
std::string_view cut(std::string_view text, std::size_t octets_max);

}  // namespace district
