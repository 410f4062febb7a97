#include "base/characters.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace district {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15, general category Cf; U+2028 and U+2029 are Zl and Zp.
constexpr std::array kFormat = {
    Range{0x00AD, 0x00AD},   Range{0x0600, 0x0605},   Range{0x061C, 0x061C},
    Range{0x06DD, 0x06DD},   Range{0x070F, 0x070F},   Range{0x0890, 0x0891},
    Range{0x08E2, 0x08E2},   Range{0x180E, 0x180E},   Range{0x200B, 0x200F},
    Range{0x2028, 0x202E},   Range{0x2060, 0x206F},   Range{0xFEFF, 0xFEFF},
    Range{0xFFF9, 0xFFFB},   Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD},
    Range{0x13430, 0x1343F}, Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A},
    Range{0xE0001, 0xE0001}, Range{0xE0020, 0xE007F}};

// Category Zs without U+0020.
constexpr std::array kBlanks = {Range{0x00A0, 0x00A0}, Range{0x1680, 0x1680},
                                Range{0x2000, 0x200A}, Range{0x202F, 0x202F},
                                Range{0x205F, 0x205F}, Range{0x3000, 0x3000}};

// Letters and marks that show nothing, the empty pattern of Braille among them.
constexpr std::array kEmpty = {Range{0x034F, 0x034F}, Range{0x115F, 0x1160},  Range{0x17B4, 0x17B5},
                               Range{0x2800, 0x2800}, Range{0x3164, 0x3164},  Range{0xFE00, 0xFE0F},
                               Range{0xFFA0, 0xFFA0}, Range{0xE0100, 0xE01EF}};

template <typename Ranges>
bool within(const Ranges& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range r) { return c >= r.first && c <= r.last; });
}

bool is_trail(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// In upper case, with zeros before it up to `digits`.
std::string hex(char32_t value, int digits) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%0*lX", digits, static_cast<unsigned long>(value));
  return text.data();
}

}  // namespace

std::optional<char32_t> take_character(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const auto broken = [&text]() -> std::optional<char32_t> {
    text.remove_prefix(1);
    return std::nullopt;
  };
  if (lead < 0x80) {
    text.remove_prefix(1);
    return lead;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || length > text.size()) return broken();
  char32_t c = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_trail(text[i])) return broken();
    c = (c << 6U) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  const bool overlong = (length == 3 && c < 0x800) || (length == 4 && c < 0x10000);
  if (overlong || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return broken();
  text.remove_prefix(length);
  return c;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (!take_character(text)) return false;
  }
  return true;
}

bool is_format(char32_t c) { return within(kFormat, c); }

bool is_unseen(char32_t c) { return is_format(c) || within(kBlanks, c) || within(kEmpty, c); }

std::string describe(char32_t c) {
  constexpr std::array kNames = {std::pair{char32_t{0x0000}, "a NUL"},
                                 std::pair{char32_t{0x001A}, "the end mark of DOS"},
                                 std::pair{char32_t{0x001B}, "an escape"},
                                 std::pair{char32_t{0x00A0}, "a no-break space"},
                                 std::pair{char32_t{0x00AD}, "a soft hyphen"},
                                 std::pair{char32_t{0x200B}, "a zero-width space"},
                                 std::pair{char32_t{0x200E}, "a left-to-right mark"},
                                 std::pair{char32_t{0x200F}, "a right-to-left mark"},
                                 std::pair{char32_t{0x202F}, "a narrow no-break space"},
                                 std::pair{char32_t{0x2060}, "a word joiner"},
                                 std::pair{char32_t{0x3000}, "a wide space"},
                                 std::pair{char32_t{0xFEFF}, "a byte order mark"}};
  const std::string number = "U+" + hex(c, 4);
  for (const auto& [known, name] : kNames) {
    if (known == c) return number + ", " + name;
  }
  return number;
}

std::string visible(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    const auto c = take_character(text);
    if (!c) {
      shown += "\\x{" + hex(static_cast<unsigned char>(before.front()), 2) + "}";
    } else if (is_control(*c) || is_unseen(*c)) {
      shown += "\\u{" + hex(*c, 1) + "}";
    } else {
      shown += before.substr(0, before.size() - text.size());
    }
  }
  return shown;
}

std::string outline_of(std::string_view name) {
  std::string outline;
  bool gap = false;
  while (!name.empty()) {
    const std::string_view before = name;
    const auto c = take_character(name);
    const bool blank =
        c && (*c == ' ' || *c == '\t' || *c == '\n' || *c == '\r' || within(kBlanks, *c));
    if (blank) {
      gap = !outline.empty();
      continue;
    }
    if (c && (is_unseen(*c) || is_control(*c))) continue;
    if (gap) outline += ' ';
    gap = false;
    for (const char octet : before.substr(0, before.size() - name.size())) {
      outline += octet >= 'A' && octet <= 'Z' ? static_cast<char>(octet - 'A' + 'a') : octet;
    }
  }
  return outline;
}

}  // namespace district
