// White space as XML means it (space, tab, CR, LF; XML 1.0 section 2.3), and spellings of names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace district {

constexpr bool is_xml_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Without white space at either end.
std::string_view trim_xml_space(std::string_view text);

// The value of an xs:token: no white space at the ends, single spaces within (XML Schema Part 2,
// section 4.3.6, collapse).
std::string collapse_xml_space(std::string_view text);

// The items of a list that white space separates, such as a PrefixList.
std::vector<std::string> split_at_xml_space(std::string_view text);

// "window_start" to "windowStart": the JSON name of a CSV column.
std::string camel_case(std::string_view snake_case);

}  // namespace district
