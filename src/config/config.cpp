#include "config/config.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/near_name.h"
#include "config/keys.h"
#include "config/toml_text.h"

namespace district::config {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string dotted(const Key& key) {
  return std::string(key.section) + "." + std::string(key.name);
}

std::string at(const std::string& file, const toml::node& node) {
  return file + ":" + std::to_string(node.source().begin.line) + ": ";
}

const Key* find_key(std::string_view section, std::string_view name) {
  const auto keys = all_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const Key& key) {
    return key.section == section && key.name == name;
  });
  return found == keys.end() ? nullptr : &*found;
}

bool is_section(std::string_view section) {
  const auto keys = all_keys();
  return std::any_of(keys.begin(), keys.end(),
                     [&](const Key& key) { return key.section == section; });
}

// "did you mean listen.port? ", or nothing.
std::string near_key(const std::string& asked) {
  std::vector<std::string> known;
  for (const Key& key : all_keys()) known.push_back(dotted(key));
  return meant_hint(asked, known, {"", ""});
}

std::string near_section(const std::string& asked) {
  std::vector<std::string> known;
  for (const Key& key : all_keys()) known.emplace_back(key.section);
  return meant_hint(asked, known, {"[", "]"});
}

// What is wrong with the value, to follow the key's name in a sentence; nullopt: it is set.
using Complaint = std::optional<std::string>;

Complaint read_integer(const toml::node& node, std::int64_t min, std::int64_t max,
                       std::int64_t& out) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value) return "must be a whole number";
  if (*value < min || *value > max) {
    return "must be from " + std::to_string(min) + " to " + std::to_string(max);
  }
  out = *value;
  return std::nullopt;
}

Complaint set_value(const Key& key, const toml::node& node, const std::filesystem::path& folder,
                    Config& config) {
  return std::visit(Overloaded{[&](const IntegerKey& kind) -> Complaint {
                                 return read_integer(node, kind.min, kind.max, kind.value(config));
                               },
                               [&](const SecondsKey& kind) -> Complaint {
                                 std::int64_t count = 0;
                                 auto complaint = read_integer(node, kind.min, kind.max, count);
                                 if (!complaint) kind.value(config) = seconds(count);
                                 return complaint;
                               },
                               [&](const BoolKey& kind) -> Complaint {
                                 const auto value = node.value_exact<bool>();
                                 if (!value) return "must be true or false";
                                 kind.value(config) = *value;
                                 return std::nullopt;
                               },
                               [&](const TextKey& kind) -> Complaint {
                                 const auto value = node.value_exact<std::string>();
                                 if (!value) return "must be a text in quotes";
                                 if (const char* complaint = kind.complaint(*value))
                                   return complaint;
                                 kind.value(config) = *value;
                                 return std::nullopt;
                               },
                               [&](const PathKey& kind) -> Complaint {
                                 const auto value = node.value_exact<std::string>();
                                 if (!value) return "must be a path in quotes";
                                 const bool may_be_empty = kind.value(config).empty();
                                 if (value->empty() && !may_be_empty) return "must not be empty";
                                 kind.value(config) =
                                     value->empty() ? std::filesystem::path() : folder / *value;
                                 return std::nullopt;
                               }},
                    key.kind);
}

void move_paths_below(const std::filesystem::path& folder, Config& config) {
  for (const Key& key : all_keys()) {
    const auto* kind = std::get_if<PathKey>(&key.kind);
    if (kind == nullptr) continue;
    auto& path = kind->value(config);
    if (!path.empty()) path = folder / path;
  }
}

Result<Ok> read_section(const std::string& section, const toml::table& table,
                        const std::filesystem::path& folder, const std::string& file,
                        Config& config) {
  for (const auto& [name, node] : table) {
    const Key* key = find_key(section, name.str());
    if (key == nullptr) {
      const auto asked = section + "." + std::string(name.str());
      return fail(ErrorCode::config_invalid, at(file, node) + "unknown key " + asked,
                  near_key(asked) + "districtd --help-config lists all keys");
    }
    if (const auto complaint = set_value(*key, node, folder, config)) {
      return fail(ErrorCode::config_invalid, at(file, node) + dotted(*key) + " " + *complaint);
    }
  }
  return Ok{};
}

// What no key can say alone.
Result<Ok> check_relations(const Config& config, const std::string& file) {
  const auto& address = config.listen.address;
  if (config.listen.public_url.empty() && (address == "0.0.0.0" || address == "::")) {
    return fail(ErrorCode::config_invalid,
                file + ": listen.public_url must be set when listen.address is " + address,
                "set it to the URL that clients use, for example "
                "\"https://aggregation.example.org/services/aggregation\"");
  }
  if (config.tls.second_certificate.empty() != config.tls.second_key.empty()) {
    return fail(ErrorCode::config_invalid,
                file + ": tls.second_certificate and tls.second_key belong together",
                "set both or neither");
  }
  const auto& legacy = config.legacy;
  if (legacy.enabled && legacy.port != 0 && legacy.port == config.listen.port &&
      legacy.address == address) {
    return fail(ErrorCode::config_invalid,
                file + ": legacy.port is the port of [listen], at the same address",
                "the two speak TLS differently; give each a port of its own");
  }
  return Ok{};
}

std::string type_name(const Key& key) {
  return std::visit(
      Overloaded{[](const IntegerKey&) { return "integer"; },
                 [](const SecondsKey&) { return "integer"; },
                 [](const BoolKey&) { return "boolean"; }, [](const TextKey&) { return "string"; },
                 [](const PathKey&) { return "string"; }},
      key.kind);
}

std::string default_text(const Key& key) {
  Config standard;
  return std::visit(
      Overloaded{
          [&](const IntegerKey& kind) { return std::to_string(kind.value(standard)); },
          [&](const SecondsKey& kind) { return std::to_string(kind.value(standard).count()); },
          [&](const BoolKey& kind) { return std::string(kind.value(standard) ? "true" : "false"); },
          [&](const TextKey& kind) { return '"' + kind.value(standard) + '"'; },
          [&](const PathKey& kind) { return '"' + kind.value(standard).string() + '"'; }},
      key.kind);
}

}  // namespace

std::string Config::service_url() const {
  if (!listen.public_url.empty()) return listen.public_url;
  const bool is_v6 = listen.address.find(':') != std::string::npos;
  const auto host = is_v6 ? '[' + listen.address + ']' : listen.address;
  return "https://" + host + ':' + std::to_string(listen.port) + "/services/aggregation";
}

std::string Config::base_url() const {
  const auto url = service_url();
  const auto path = url.find('/', url.find("://") + std::string_view("://").size());
  return url.substr(0, path);
}

Result<Config> load(const std::filesystem::path& file) {
  DISTRICT_TRY(const auto text, read_file(file, limits::kTomlFileBytesMax));
  return parse(text, file.parent_path(), file.string());
}

Result<Config> parse(const std::string& text, const std::filesystem::path& folder,
                     const std::string& name) {
  DISTRICT_TRY(const auto root, parse_toml(text, name, ":"));
  Config config;
  move_paths_below(folder, config);
  for (const auto& [section, node] : root) {
    const std::string section_name(section.str());
    if (!is_section(section_name)) {
      return fail(ErrorCode::config_invalid,
                  at(name, node) + "unknown " +
                      (node.is_table() ? "section [" + section_name + "]" : "key " + section_name),
                  (node.is_table() ? near_section(section_name) : near_key(section_name)) +
                      "districtd --help-config lists all sections and keys");
    }
    if (!node.is_table()) {
      return fail(ErrorCode::config_invalid, at(name, node) + section_name + " is a section",
                  "write [" + section_name + "] in a line of its own, then its keys");
    }
    DISTRICT_CHECK(read_section(section_name, *node.as_table(), folder, name, config));
  }
  DISTRICT_CHECK(check_relations(config, name));
  return config;
}

std::vector<std::string> changed_keys(Config before, Config now) {
  std::vector<std::string> changed;
  for (const Key& key : all_keys()) {
    const bool same = std::visit(
        [&](const auto& kind) { return kind.value(before) == kind.value(now); }, key.kind);
    if (!same) changed.push_back(dotted(key));
  }
  return changed;
}

Config demo_config(const std::filesystem::path& folder) {
  Config config;
  move_paths_below(folder, config);
  return config;
}

std::string reference_markdown() {
  std::string text =
      "# Configuration\n\n"
      "`districtd --config FILE` and `districtctl --config FILE` read the same TOML file. Every "
      "key\n"
      "may be left out. Relative paths are relative to the folder of the file. An unknown key, a\n"
      "wrong type or a value out of range is an error that names file, line and key.\n\n"
      "This page is generated from the table in `src/config/keys.cpp`.\n";
  std::string_view section;
  for (const Key& key : all_keys()) {
    if (key.section != section) {
      section = key.section;
      text += "\n## [" + std::string(section) + "]\n\n";
      text += "| key | type | unit | default | range | meaning |\n|---|---|---|---|---|---|\n";
    }
    const auto range =
        std::visit(Overloaded{[](const auto&) { return std::string(); },
                              [](const IntegerKey& k) {
                                return std::to_string(k.min) + " to " + std::to_string(k.max);
                              },
                              [](const SecondsKey& k) {
                                return std::to_string(k.min) + " to " + std::to_string(k.max);
                              }},
                   key.kind);
    text += "| `" + std::string(key.name) + "` | " + type_name(key) + " | " +
            std::string(key.unit) + " | `" + default_text(key) + "` | " + range + " | " +
            std::string(key.text) + " |\n";
  }
  return text;
}

}  // namespace district::config
