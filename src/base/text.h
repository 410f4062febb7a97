// White space as XML means it (space, tab, CR, LF; XML 1.0 section 2.3), spellings of names, and
// which characters of others may be shown.
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

// Text that others chose, as it may stand in one line on a terminal or in a log. What cannot be
// seen, or changes how the rest is seen, becomes U+FFFD: whatever is_hidden() of
// base/characters.h holds for, and broken UTF-8.
std::string printable(std::string_view utf8);
// Whether printable() would leave it as it is.
bool is_printable(std::string_view utf8);
// A JSON text whose strings have those characters as \uXXXX, so that it says the same and is safe
// to show. `json`: well-formed, in UTF-8.
std::string with_escapes(std::string_view json);

// A text as a cell of CSV that people open in a spreadsheet or on a terminal (ADR 0020): printable,
// and with an apostrophe before it where a spreadsheet would take it for a formula, which begins
// with = + - or @. Numbers stay as they are. Without one apostrophe, where any stand before such a
// character, it is the text again.
std::string csv_text(std::string_view utf8);

}  // namespace district
