#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace district {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

struct Range {
  char32_t first, last;
};

// What printable() replaces, in order.
constexpr std::array<Range, 32> kHidden{
    {{0x0, 0x1F},
     {0x7F, 0x9F},
     {0xAD, 0xAD},
     {0x34F, 0x34F},
     {0x600, 0x605},
     {0x61C, 0x61C},
     {0x6DD, 0x6DD},
     {0x70F, 0x70F},
     {0x890, 0x891},
     {0x8E2, 0x8E2},
     {0x115F, 0x1160},
     {0x17B4, 0x17B5},
     {0x180B, 0x180F},
     {0x200B, 0x200F},
     {0x2028, 0x202E},
     {0x2060, 0x206F},
     {0x3164, 0x3164},
     {0xD800, 0xF8FF},
     {0xFDD0, 0xFDEF},
     {0xFE00, 0xFE0F},
     {0xFEFF, 0xFEFF},
     {0xFFA0, 0xFFA0},
     {0xFFF0, 0xFFFB},
     {0xFFFE, 0xFFFF},
     {0x110BD, 0x110BD},
     {0x110CD, 0x110CD},
     {0x13430, 0x13438},
     {0x1BCA0, 0x1BCA3},
     {0x1D173, 0x1D17A},
     {0x1FFFE, 0x1FFFF},
     {0x2FFFE, 0x2FFFF},
     // The planes beyond have nothing but tags, variation selectors and private use.
     {0x3FFFE, 0x10FFFF}}};

bool is_hidden(char32_t character) {
  const auto* const found =
      std::ranges::lower_bound(kHidden, character, std::less<>(), &Range::last);
  return found != kHidden.end() && character >= found->first;
}

struct Character {
  char32_t value = 0;
  std::size_t length = 0;  // octets
};

// The first character; none where the octets are not UTF-8. Source: RFC 3629 section 4.
std::optional<Character> first_of(std::string_view utf8) {
  const auto octet = [utf8](std::size_t i) { return static_cast<unsigned char>(utf8[i]); };
  const auto lead = octet(0);
  if (lead < 0x80) return Character{lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || utf8.size() < length) return std::nullopt;
  char32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((octet(i) & 0xC0U) != 0x80U) return std::nullopt;
    value = value << 6U | (octet(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLeast[length] || value > 0x10FFFF || surrogate) return std::nullopt;
  return Character{value, length};
}

// Calls `each(octets, character)`; a character of broken octets is none.
template <typename Each>
void for_each_character(std::string_view utf8, Each each) {
  while (!utf8.empty()) {
    const auto character = first_of(utf8);
    const auto length = character ? character->length : 1;
    each(utf8.substr(0, length),
         character ? std::optional(character->value) : std::optional<char32_t>());
    utf8.remove_prefix(length);
  }
}

void append_escape(std::string& json, char32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  json += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    json += kDigits[static_cast<std::size_t>(unit >> static_cast<unsigned>(shift)) & 0xFU];
  }
}

// The wide ones are signs as well where such characters are typed.
constexpr std::array<std::string_view, 8> kFormulaSigns{"=",      "+",      "-",      "@",
                                                        "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Neither inf nor nan, nor a second sign.
  return problem == std::errc() && end == text.data() + text.size() &&
         std::string_view("0123456789.").find(text.front()) != std::string_view::npos;
}

}  // namespace

std::string_view trim_xml_space(std::string_view text) {
  while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_xml_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string collapse_xml_space(std::string_view text) {
  std::string result;
  bool gap = false;
  for (const char c : text) {
    if (is_xml_space(c)) {
      gap = !result.empty();
      continue;
    }
    if (gap) result += ' ';
    gap = false;
    result += c;
  }
  return result;
}

std::vector<std::string> split_at_xml_space(std::string_view text) {
  std::vector<std::string> items;
  for (auto at = text.begin(); at != text.end();) {
    at = std::find_if_not(at, text.end(), is_xml_space);
    const auto end = std::find_if(at, text.end(), is_xml_space);
    if (at != end) items.emplace_back(at, end);
    at = end;
  }
  return items;
}

std::string camel_case(std::string_view snake_case) {
  std::string camel;
  bool upper = false;
  for (const char c : snake_case) {
    if (c == '_') {
      upper = true;
      continue;
    }
    const bool lower_letter = c >= 'a' && c <= 'z';
    camel += upper && lower_letter ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return camel;
}

std::string printable(std::string_view utf8) {
  std::string shown;
  shown.reserve(utf8.size());
  for_each_character(utf8, [&shown](std::string_view octets, std::optional<char32_t> character) {
    shown += !character || is_hidden(*character) ? kReplacement : octets;
  });
  return shown;
}

bool is_printable(std::string_view utf8) {
  bool all = true;
  for_each_character(utf8, [&all](std::string_view, std::optional<char32_t> character) {
    all = all && character && !is_hidden(*character);
  });
  return all;
}

std::string with_escapes(std::string_view json) {
  std::string safe;
  safe.reserve(json.size());
  for_each_character(json, [&safe](std::string_view octets, std::optional<char32_t> character) {
    // In well-formed JSON, controls below a space are only white space between its parts.
    if (!character) {
      safe += kReplacement;
    } else if (*character < 0x20 || !is_hidden(*character)) {
      safe += octets;
    } else if (*character < 0x10000) {
      append_escape(safe, *character);
    } else {
      append_escape(safe, 0xD7C0 + (*character >> 10U));
      append_escape(safe, 0xDC00 + (*character & 0x3FFU));
    }
  });
  return safe;
}

std::string csv_text(std::string_view utf8) {
  auto text = printable(utf8);
  const std::string_view rest =
      std::string_view(text).substr(std::min(text.find_first_not_of('\''), text.size()));
  const bool formula = std::ranges::any_of(
      kFormulaSigns, [rest](std::string_view sign) { return rest.starts_with(sign); });
  if (formula && !is_number(text)) text.insert(text.begin(), '\'');
  return text;
}

}  // namespace district
