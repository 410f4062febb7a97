#include "base/characters.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/utf8.h"

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

// Letters and marks that show nothing.
constexpr std::array kEmpty = {Range{0x034F, 0x034F},  Range{0x115F, 0x1160}, Range{0x17B4, 0x17B5},
                               Range{0x3164, 0x3164},  Range{0xFE00, 0xFE0F}, Range{0xFFA0, 0xFFA0},
                               Range{0xE0100, 0xE01EF}};
constexpr char32_t kEmptyBraille = 0x2800;  // a pattern without dots

// Further ones that are ignored by default; surrogates, private use, noncharacters. The planes
// beyond the third have nothing but tags, variation selectors and private use.
constexpr std::array kMeaningless = {Range{0x180B, 0x180F},   Range{0xD800, 0xF8FF},
                                     Range{0xFDD0, 0xFDEF},   Range{0xFFF0, 0xFFF8},
                                     Range{0xFFFE, 0xFFFF},   Range{0x1FFFE, 0x1FFFF},
                                     Range{0x2FFFE, 0x2FFFF}, Range{0x3FFFE, 0x10FFFF}};

template <typename Ranges>
bool within(const Ranges& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range r) { return c >= r.first && c <= r.last; });
}

// In upper case, with zeros before it up to `digits`.
std::string hex(char32_t value, int digits) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%0*lX", digits, static_cast<unsigned long>(value));
  return text.data();
}

}  // namespace

bool is_format(char32_t c) { return within(kFormat, c); }

bool is_unseen(char32_t c) {
  return is_format(c) || within(kBlanks, c) || within(kEmpty, c) || c == kEmptyBraille;
}

bool is_hidden(char32_t c) {
  if (c < 0x7F) return c < 0x20;
  return is_control(c) || is_format(c) || within(kEmpty, c) || within(kMeaningless, c);
}

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
