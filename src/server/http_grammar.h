// Which octets the grammar of HTTP allows where. Private to server/.
#pragma once

#include <string_view>

namespace district::server {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

// RFC 9110 section 5.6.2.
constexpr bool is_token_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110 section 5.5: VCHAR, obs-text, and space and tab within.
constexpr bool is_value_char(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet >= 0x20 && octet != 0x7f) || c == '\t';
}

// Whatever RFC 3986 allows in a URI, save "#": a fragment is never sent.
constexpr bool is_target_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("-._~%!$&'()*+,;=:@/?[]").find(c) != std::string_view::npos;
}

// RFC 3986 section 3.2.2.
constexpr bool is_reg_name_char(char c) {
  return is_alphanumeric(c) ||
         std::string_view("-._~%!$&'()*+,;=").find(c) != std::string_view::npos;
}

}  // namespace district::server
