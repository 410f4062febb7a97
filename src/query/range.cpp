#include "query/range.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace district::query {

std::optional<Range> range_of(std::string_view text, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const auto unit = text.substr(0, kUnit.size());
  const bool octets = std::ranges::equal(unit, kUnit, {}, [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (!octets) return std::nullopt;
  text = trim_xml_space(text.substr(kUnit.size()));
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  // nullopt: it is no number. One that is too large counts as endless.
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos) return {};
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return read.ec == std::errc() ? value : std::numeric_limits<std::uint64_t>::max();
  };
  const auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
  if (dash == 0) {
    if (!last) return std::nullopt;
    const auto tail = std::min(*last, size);
    return Range{size - tail, tail};
  }
  const bool open = dash + 1 == text.size();
  if (!first || (!last && !open) || (last && *last < *first)) return std::nullopt;
  if (*first >= size) return Range{};
  return Range{*first, (last ? std::min(*last, size - 1) : size - 1) - *first + 1};
}

}  // namespace district::query
