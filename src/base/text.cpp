#include "base/text.h"

#include <algorithm>

namespace district {

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

}  // namespace district
