#include "gateway/measure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/characters.h"
#include "base/utf8.h"

namespace district::gateway {
namespace {

using namespace std::string_view_literals;

// xsd/types.xsd: the largest value of a FiniteDouble and of a Quantity.
constexpr double kValueMax = 1e15;
constexpr std::size_t kShownOctetsMax = 60;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool all_digits(std::string_view text) { return std::ranges::all_of(text, is_digit); }

// The parts of a number. `exponent` is empty when it has none.
struct Parts {
  std::string_view sign, whole, fraction, exponent;
};

std::optional<Parts> parts_of(std::string_view text) {
  Parts parts;
  if (text.starts_with('-') || text.starts_with('+')) {
    parts.sign = text.substr(0, 1);
    text.remove_prefix(1);
  }
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    parts.exponent = text.substr(e + 1);
    text = text.substr(0, e);
    auto digits = parts.exponent;
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (digits.empty() || !all_digits(digits)) return std::nullopt;
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  parts.whole = text.substr(0, point);
  parts.fraction = text.substr(std::min(point + 1, text.size()));
  if (parts.whole.empty() && parts.fraction.empty()) return std::nullopt;
  if (!all_digits(parts.whole) || !all_digits(parts.fraction)) return std::nullopt;
  return parts;
}

// Writes a number without its exponent. It is not zero and fits a double, so the result has at most
// some 340 digits more than the text.
std::string plain_digits(const Parts& parts) {
  int exponent = 0;
  const auto spelled = parts.exponent.substr(parts.exponent.starts_with('+') ? 1 : 0);
  std::from_chars(spelled.data(), spelled.data() + spelled.size(), exponent);
  std::string digits = std::string(parts.whole).append(parts.fraction);
  auto point = static_cast<std::ptrdiff_t>(parts.whole.size()) + exponent;
  if (point < 0) {
    digits.insert(0, static_cast<std::size_t>(-point), '0');
    point = 0;
  }
  const auto size = static_cast<std::size_t>(point);
  if (size > digits.size()) digits.append(size - digits.size(), '0');
  std::string whole = digits.substr(0, size);
  std::string fraction = digits.substr(size);
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  fraction.erase(fraction.find_last_not_of('0') + 1);
  std::string plain = parts.sign == "-" ? "-" : "";
  plain += whole.empty() ? "0" : whole;
  return fraction.empty() ? plain : plain + "." + fraction;
}

// Leaves out marks between groups of digits: blanks of any kind, apostrophes, underscores.
std::string without_group_marks(std::string_view text) {
  std::string rest;
  while (!text.empty()) {
    const std::string_view before = text;
    const auto c = take_character(text);
    const bool mark = c && (*c == ' ' || *c == '\'' || *c == '_' || *c == 0x2019 || is_unseen(*c));
    if (mark) continue;
    if (c == char32_t{0x2212} || c == char32_t{0x2013}) {  // a minus sign, an en dash
      rest += '-';
      continue;
    }
    rest += before.substr(0, before.size() - text.size());
  }
  return rest;
}

bool has_groups_of_three(std::string_view text, char mark) {
  const auto first = text.find(mark);
  if (first == 0 || first > 3 || text.front() == '0') return false;
  for (std::size_t at = first; at != std::string_view::npos;) {
    const auto next = text.find(mark, at + 1);
    if (std::min(next, text.size()) - at != 4) return false;
    at = next;
  }
  return true;
}

// What to write in place of a number with commas. Empty when that cannot be told.
std::string with_point(const std::string& text) {
  const auto comma = text.rfind(',');
  const auto point = text.rfind('.');
  if (comma == std::string::npos && std::ranges::count(text, '.') < 2) return text;
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  const std::string_view number = std::string_view(text).substr(sign);
  const bool many_points = std::ranges::count(text, '.') > 1;
  const bool many_commas = std::ranges::count(text, ',') > 1;
  if (many_points && many_commas) return {};
  char group = 0;  // the mark to leave out; the other is the decimal point
  if (many_points || (comma != std::string::npos && point != std::string::npos && point < comma))
    group = '.';
  if (many_commas || (comma != std::string::npos && point != std::string::npos && comma < point))
    group = ',';
  const auto whole = number.substr(0, number.find(group == '.' ? ',' : '.'));
  if (group != 0 && !has_groups_of_three(whole, group)) return {};
  std::string result;
  for (const char c : text) {
    if (c == group) continue;
    result += c == ',' ? '.' : c;
  }
  return result;
}

std::string as_hexadecimal(std::string_view text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return {};
  std::uint64_t value = 0;
  const auto [end, problem] =
      std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
  const bool whole = problem == std::errc{} && end == text.data() + text.size() && text.size() > 2;
  return whole && static_cast<double>(value) <= kValueMax ? std::to_string(value) : std::string();
}

bool says_nothing(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  if (lower.starts_with('-') || lower.starts_with('+')) lower.erase(0, 1);
  constexpr std::array kWords = {"nan"sv,    "inf"sv,    "infinity"sv, "null"sv,    "none"sv,
                                 "nil"sv,    "n/a"sv,    "na"sv,       "#n/a"sv,    "-"sv,
                                 ""sv,       "?"sv,      "null."sv,    "1.#qnan"sv, "1.#ind"sv,
                                 "1.#inf"sv, "missing"sv};
  return std::ranges::find(kWords, lower) != kWords.end() || lower.starts_with('#');
}

// What to do about a text that is no number. Empty when that cannot be guessed.
std::string advice(std::string_view text) {
  if (says_nothing(text)) return "leave the row out where there is no value";
  if (const auto value = as_hexadecimal(text); !value.empty()) return "write " + value;
  const std::string tight = without_group_marks(text);
  auto number_end = std::min(tight.find_first_not_of("0123456789+-.,eE"), tight.size());
  while (number_end > 0 && (tight[number_end - 1] == 'e' || tight[number_end - 1] == 'E'))
    --number_end;  // of "EUR"
  const auto number = with_point(tight.substr(0, number_end));
  if (number.empty() || !parts_of(number)) return {};
  if (number_end != tight.size())
    return "write the number alone, in the unit of the column: " + number;
  // 1,234 has a decimal comma in one country and groups of thousands in another.
  const auto start = tight.find_first_of("0123456789");
  const std::string_view digits = std::string_view(tight).substr(std::min(start, tight.size()));
  const bool ambiguous = std::ranges::count(tight, ',') == 1 &&
                         tight.find('.') == std::string::npos && has_groups_of_three(digits, ',') &&
                         tight.find_first_of("eE") == std::string::npos;
  if (!ambiguous) return "write " + number;
  std::string grouped = tight;
  std::erase(grouped, ',');
  return "write " + number + ", or " + grouped + " where the comma separates thousands";
}

tl::unexpected<Error> no_number(std::string_view text) {
  const auto shown = visible(text.substr(0, kShownOctetsMax));
  const auto what_to_do = advice(text.substr(0, kShownOctetsMax));
  return fail(ErrorCode::gateway_input,
              shown + " is no decimal number" + (what_to_do.empty() ? "" : ": " + what_to_do));
}

}  // namespace

std::optional<double> value_of(std::string_view number) {
  if (!parts_of(number)) return std::nullopt;
  if (number.starts_with('+')) number.remove_prefix(1);
  double value = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (problem != std::errc{} || end != number.data() + number.size()) return std::nullopt;
  return value;
}

Result<std::string> read_measure(std::string_view text) {
  const auto parts = parts_of(text);
  if (!parts) return no_number(text);
  const auto value = value_of(text);
  if (!value || std::abs(*value) > kValueMax) {
    return fail(ErrorCode::gateway_input,
                visible(text.substr(0, kShownOctetsMax)) +
                    " is out of range: a measure has at most 1e15 either way, and a size that a "
                    "double can hold");
  }
  if (parts->exponent.empty()) return std::string(text);
  return *value == 0 ? "0" : plain_digits(*parts);  // a zero may have any exponent
}

}  // namespace district::gateway
