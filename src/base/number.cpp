#include "base/number.h"

#include <charconv>
#include <cstdlib>
#include <string>
#include <system_error>

namespace district {

std::optional<double> parse_finite_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  // Else "+-4", "inf" and "nan" would be numbers.
  const char first = text.empty() ? '\0' : text.front();
  if (first != '.' && (first < '0' || first > '9')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (stop != end) return std::nullopt;
  if (status == std::errc::result_out_of_range) {
    if (std::strtod(std::string(text).c_str(), nullptr) > 1) return std::nullopt;
    value = 0;
  } else if (status != std::errc{}) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

}  // namespace district
