#include "query/parameters.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/utf8.h"

namespace district::query {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

bool is_text(const std::string& text) {
  const bool plain = std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return plain && is_utf8(text);
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto octet = from_hex(text.substr(i + 1, 2));
    if (!octet || octet->size() != 1) return std::nullopt;
    decoded += static_cast<char>(octet->front());
    i += 2;
  }
  return is_text(decoded) ? std::optional(std::move(decoded)) : std::nullopt;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto octet = static_cast<std::byte>(c);
      encoded += '%' + to_hex({&octet, 1});
    }
  }
  return encoded;
}

Result<Parameters> Parameters::parse(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) {
      return fail(ErrorCode::admin_invalid, "the query cannot be decoded",
                  "percent-encode what is no letter or digit, as UTF-8");
    }
    if (!parameters.values_.emplace(*name, *std::move(value)).second) {
      return fail(ErrorCode::admin_invalid, "parameter '" + *name + "' is given twice",
                  "give each parameter once");
    }
  }
  return parameters;
}

std::optional<std::string> Parameters::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::size_t> Parameters::number(std::string_view name, std::size_t usual,
                                       std::size_t most) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return usual;
  const auto& text = found->second;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number >= 1 && number <= most) {
    return number;
  }
  return fail(ErrorCode::admin_invalid,
              std::string(name) + " must be a whole number from 1 to " + std::to_string(most));
}

std::string Parameters::encoded() const {
  std::string query;
  for (const auto& [name, value] : values_) {
    if (!query.empty()) query += '&';
    query += percent_encoded(name) + '=' + percent_encoded(value);
  }
  return query;
}

}  // namespace district::query
