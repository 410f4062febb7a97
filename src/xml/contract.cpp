#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "xml/document.h"
#include "xml/schema.h"

namespace district::xml {

// Written by cmake/embed.py, sorted by name.
extern const std::span<const std::pair<std::string_view, std::string_view>> kContractFiles;

namespace {

std::map<std::string, std::string, std::less<>>& added_files() {
  static std::map<std::string, std::string, std::less<>> files;
  return files;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::optional<std::string_view> contract_file(std::string_view name) {
  const auto at = std::ranges::lower_bound(kContractFiles, name, {},
                                           [](const auto& file) { return file.first; });
  if (at != kContractFiles.end() && at->first == name) return at->second;
  const auto added = added_files().find(name);
  return added == added_files().end() ? std::nullopt
                                      : std::optional<std::string_view>(added->second);
}

std::vector<std::string_view> contract_files() {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : kContractFiles) names.push_back(name);
  for (const auto& [name, text] : added_files()) names.push_back(name);
  return names;
}

Result<Ok> add_contract_file(const std::string& name, std::string text) {
  if (contract_file(name))
    return fail(ErrorCode::config_invalid, "there is a schema " + name + " already",
                "give it another version: a schema that has been used is never changed");
  added_files().emplace(name, std::move(text));
  return Ok{};
}

std::optional<std::string> published_contract_file(std::string_view name,
                                                   std::string_view public_url) {
  const auto file = contract_file(name);
  if (!file) return std::nullopt;
  // A client would resolve a relative place against the path of the service, which has no files.
  constexpr std::string_view kPlace = "schemaLocation=\"";
  std::string text(*file);
  for (const std::string_view relative : {"../", ""}) {
    for (const auto other : contract_files()) {
      text = replace_all(std::move(text),
                         std::string(kPlace).append(relative).append(other).append("\""),
                         std::string(kPlace).append("PUBLIC_URL?xsd=").append(other).append("\""));
    }
  }
  return replace_all(std::move(text), "PUBLIC_URL", escape_attribute(public_url));
}

}  // namespace district::xml
