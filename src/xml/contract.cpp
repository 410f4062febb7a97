#include <algorithm>
#include <span>
#include <utility>

#include "xml/document.h"
#include "xml/schema.h"

namespace district::xml {

// Written by cmake/embed.py, sorted by name.
extern const std::span<const std::pair<std::string_view, std::string_view>> kContractFiles;

namespace {

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
  if (at == kContractFiles.end() || at->first != name) return std::nullopt;
  return at->second;
}

std::vector<std::string_view> contract_files() {
  std::vector<std::string_view> names;
  for (const auto& [name, text] : kContractFiles) names.push_back(name);
  return names;
}

std::optional<std::string> published_contract_file(std::string_view name,
                                                   std::string_view public_url) {
  const auto file = contract_file(name);
  if (!file) return std::nullopt;
  // A client would resolve a relative place against the path of the service, which has no files.
  constexpr std::string_view kPlace = "schemaLocation=\"";
  std::string text(*file);
  for (const std::string_view relative : {"../", ""}) {
    for (const auto& [other, ignored] : kContractFiles) {
      text = replace_all(std::move(text),
                         std::string(kPlace).append(relative).append(other).append("\""),
                         std::string(kPlace).append("PUBLIC_URL?xsd=").append(other).append("\""));
    }
  }
  return replace_all(std::move(text), "PUBLIC_URL", escape_attribute(public_url));
}

}  // namespace district::xml
