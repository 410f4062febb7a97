// The value of a Content-Type header field, taken apart.
// Source: RFC 9110 sections 5.6 and 8.3.1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace district::receive {

struct MediaType {
  std::string name;  // "text/xml", lower case
  // In their order; names in lower case, values without quotes and otherwise as sent.
  std::vector<std::pair<std::string, std::string>> parameters;

  // nullptr: no such parameter. `parameter` in lower case.
  const std::string* find(std::string_view parameter) const;
};

// nullopt: not of the grammar, a parameter given twice, or more than 16 of them.
std::optional<MediaType> parse_media_type(std::string_view text);

// ASCII only, as HTTP's names are.
std::string to_lower(std::string_view text);
// Without the spaces and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace district::receive
