#include "config/tenant_file.h"

#include <set>

#include "config/toml_text.h"

namespace district::config {
namespace {

std::string at_line(const std::string& path, const toml::source_region& source) {
  return path + " line " + std::to_string(source.begin.line);
}

// The settings of one file, read key by key; every error names the file and, where known, the line.
class TenantTable {
 public:
  TenantTable(const std::string& path, const toml::table& table) : path_(path), table_(table) {}

  Result<std::string> text(std::string_view key) const {
    const auto* node = table_.get(key);
    if (node == nullptr) {
      return fail(ErrorCode::config_invalid, path_ + " has no '" + std::string(key) + "'");
    }
    const auto value = node->value_exact<std::string>();
    if (!value) {
      return fail(ErrorCode::config_invalid,
                  at_line(path_, node->source()) + ": '" + std::string(key) + "' is not a text");
    }
    return *value;
  }

  // Empty when the key is absent.
  Result<std::vector<std::string>> texts(std::string_view key) const {
    std::vector<std::string> values;
    const auto* node = table_.get(key);
    if (node == nullptr) return values;
    const auto* array = node->as_array();
    const auto wrong = [&] {
      return fail(ErrorCode::config_invalid, at_line(path_, node->source()) + ": '" +
                                                 std::string(key) + "' is not a list of texts");
    };
    if (array == nullptr) return wrong();
    for (const auto& item : *array) {
      const auto value = item.value_exact<std::string>();
      if (!value) return wrong();
      values.push_back(*value);
    }
    return values;
  }

  Result<Ok> check_keys() const {
    static const std::set<std::string_view> known{"code", "name", "zone", "content_types",
                                                  "sources"};
    for (const auto& [key, node] : table_) {
      if (known.contains(key.str())) continue;
      return fail(ErrorCode::config_invalid,
                  at_line(path_, key.source()) + ": unknown key '" + std::string(key.str()) + "'",
                  "a tenant has code, name, zone, content_types and sources");
    }
    return Ok{};
  }

 private:
  const std::string& path_;
  const toml::table& table_;
};

}  // namespace

Result<Tenant> load_tenant_file(const std::string& path) {
  DISTRICT_TRY(const auto table, load_toml(path));
  const TenantTable settings(path, table);
  DISTRICT_CHECK(settings.check_keys());
  Tenant tenant;
  DISTRICT_TRY(tenant.code, settings.text("code"));
  DISTRICT_TRY(tenant.name, settings.text("name"));
  DISTRICT_TRY(tenant.zone, settings.text("zone"));
  DISTRICT_TRY(tenant.content_types, settings.texts("content_types"));
  DISTRICT_TRY(tenant.sources, settings.texts("sources"));
  if (tenant.content_types.empty()) {
    return fail(ErrorCode::config_invalid, path + " has no 'content_types'",
                "list the types and versions that the tenant may send, e.g. \"001/002\"");
  }
  return tenant;
}

}  // namespace district::config
