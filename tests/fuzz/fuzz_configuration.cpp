// The configuration: what is accepted is within every bound, and written out and read again it is
// the same.
// Input: a TOML file.
#include <cstdio>

#include "config/config.h"
#include "config/keys.h"
#include "fuzz_target.h"

namespace district::fuzz {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

void require_within(std::int64_t value, std::int64_t min, std::int64_t max,
                    const config::Key& key) {
  require(min <= value && value <= max, std::string(key.name) + " is out of range");
}

// As a TOML basic string.
std::string as_toml(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x20 && octet != 0x7f && c != '"' && c != '\\') {
      result += c;
      continue;
    }
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", octet);
    result += escaped;
  }
  return result + '"';
}

std::string written(config::Config& accepted) {
  std::string text;
  std::string_view section;
  for (const auto& key : config::all_keys()) {
    if (key.section != section) text += "[" + std::string(section = key.section) + "]\n";
    text += std::string(key.name) + " = ";
    text += std::visit(
        Overloaded{[&](const config::IntegerKey& k) {
                     require_within(k.value(accepted), k.min, k.max, key);
                     return std::to_string(k.value(accepted));
                   },
                   [&](const config::SecondsKey& k) {
                     require_within(k.value(accepted).count(), k.min, k.max, key);
                     return std::to_string(k.value(accepted).count());
                   },
                   [&](const config::BoolKey& k) {
                     return std::string(k.value(accepted) ? "true" : "false");
                   },
                   [&](const config::TextKey& k) {
                     require(k.complaint(k.value(accepted)) == nullptr, "a text that is refused");
                     return as_toml(k.value(accepted));
                   },
                   [&](const config::PathKey& k) { return as_toml(k.value(accepted).string()); }},
        key.kind);
    text += '\n';
  }
  return text;
}

}  // namespace

void fuzz(std::string_view input) {
  auto accepted = config::parse(std::string(input), "/etc/district", "district.toml");
  if (!accepted) {
    require(accepted.error().code == ErrorCode::config_invalid, "an error of another code");
    require(accepted.error().detail.starts_with("district.toml:"), accepted.error().detail);
    return;
  }
  const auto text = written(*accepted);
  auto again = config::parse(text, "/elsewhere", "district.toml");
  require(again.has_value(), "refused when written again: " + (again ? "" : again.error().detail));
  require(written(*again) == text, "another when written again");
  static_cast<void>(accepted->service_url());
}

}  // namespace district::fuzz
