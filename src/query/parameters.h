// The query component of a target, decoded and checked against the names that a resource knows.
// Source: RFC 3986 section 2.1; WHATWG URL, application/x-www-form-urlencoded ("+" is a blank).
// Threads: any.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace district::query {

// nullopt: there is a "%" without two hexadecimal digits, or the octets are not UTF-8 text without
// control characters.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank);
std::string percent_encoded(std::string_view text);

class Parameters {
 public:
  // Errors: admin_invalid (it cannot be decoded, or has a name twice).
  static Result<Parameters> parse(std::string_view query);

  // A parameter without a value has the empty text.
  std::optional<std::string> text(std::string_view name) const;
  // `usual`: the number if it is not given. Errors: admin_invalid (not a whole number from 1 to
  // `most`).
  Result<std::size_t> number(std::string_view name, std::size_t usual, std::size_t most) const;

  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }
  std::string encoded() const;  // by name

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace district::query
