#include "config/site_file.h"

#include <array>
#include <charconv>
#include <optional>
#include <sstream>

#include "config/toml_text.h"

namespace district::config {
namespace {

constexpr std::array kKinds = {"site", "building", "meter"};

std::string spell(double number) {
  std::array<char, 64> text{};
  const auto [end, problem] =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  return {text.data(), problem == std::errc() ? end : text.data()};
}

// Days begin at midnight UTC; a time of day needs an offset.
std::optional<std::string> spell(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto whole = node.value_exact<std::int64_t>()) return std::to_string(*whole);
  if (const auto number = node.value_exact<double>()) return spell(*number);
  std::ostringstream out;
  if (const auto day = node.value_exact<toml::date>()) {
    out << *day << "T00:00:00Z";
    return out.str();
  }
  if (const auto time = node.value_exact<toml::date_time>(); time && time->offset) {
    out << *time;
    return out.str();
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const std::string& path, const toml::table& table) : path_(path), table_(table) {}

  Result<SiteFile> read() {
    SiteFile file;
    for (const auto& [key, node] : table_) {
      if (is_kind(key.str())) continue;
      if (key == "tenant" || key == "source" || key == "valid_from") {
        if (spell(node)) continue;
        return wrong(node, "'" + std::string(key.str()) + "' is no text and no day");
      }
      return wrong(node, "unknown key '" + std::string(key.str()) + "'");
    }
    file.tenant = top("tenant").value_or("");
    if (file.tenant.empty())
      return fail(ErrorCode::config_invalid, path_ + " has no 'tenant'",
                  "write tenant = \"20\" in the first line");
    for (const char* kind : kKinds) DISTRICT_CHECK(read_kind(kind, file));
    if (file.records.empty())
      return fail(ErrorCode::config_invalid, path_ + " has no [[site]], [[building]] or [[meter]]");
    return file;
  }

 private:
  static bool is_kind(std::string_view key) {
    for (const char* kind : kKinds)
      if (key == kind) return true;
    return false;
  }
  std::optional<std::string> top(const char* key) const {
    const auto* node = table_.get(key);
    return node == nullptr ? std::nullopt : spell(*node);
  }
  tl::unexpected<Error> wrong(const toml::node& at, const std::string& what) const {
    return fail(ErrorCode::config_invalid,
                path_ + " line " + std::to_string(at.source().begin.line) + ": " + what,
                "xsd/content/002-001.xsd and docs/how-to/describe-a-site.md have the keys");
  }

  Result<Ok> read_kind(const char* kind, SiteFile& file) {
    const auto* node = table_.get(kind);
    if (node == nullptr) return Ok{};
    const auto* array = node->as_array();
    if (array == nullptr) return wrong(*node, "write [[" + std::string(kind) + "]]");
    for (const auto& item : *array) {
      const auto* table = item.as_table();
      if (table == nullptr) return wrong(item, "write [[" + std::string(kind) + "]]");
      DISTRICT_CHECK(read_record(kind, *table, file));
    }
    return Ok{};
  }

  Result<Ok> read_record(const char* kind, const toml::table& table, SiteFile& file) {
    SiteRecord record{kind, top("source").value_or(""), 0, {}};
    record.line = static_cast<long>(table.source().begin.line);
    bool has_start = false;
    for (const auto& [key, node] : table) {
      const auto text = spell(node);
      if (!text) return wrong(node, "'" + std::string(key.str()) + "' is no text, number or day");
      if (key == "source") {
        record.source = *text;
        continue;
      }
      has_start = has_start || key == "valid_from";
      record.fields.emplace_back(key.str(), *text);
    }
    if (record.source.empty()) return wrong(table, std::string(kind) + " has no 'source'");
    if (!has_start) {
      const auto start = top("valid_from");
      if (!start) return wrong(table, std::string(kind) + " has no 'valid_from'");
      record.fields.emplace_back("valid_from", *start);
    }
    file.records.push_back(std::move(record));
    return Ok{};
  }

  const std::string& path_;
  const toml::table& table_;
};

}  // namespace

Result<SiteFile> load_site_file(const std::string& path) {
  DISTRICT_TRY(const auto table, load_toml(path));
  return Reader(path, table).read();
}

}  // namespace district::config
