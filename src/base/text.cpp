#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/characters.h"
#include "base/utf8.h"

namespace district {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Calls `each(octets, character)`; a character of broken octets is none.
template <typename Each>
void for_each_character(std::string_view utf8, Each each) {
  while (!utf8.empty()) {
    const std::string_view before = utf8;
    const auto character = take_character(utf8);
    each(before.substr(0, before.size() - utf8.size()), character);
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
