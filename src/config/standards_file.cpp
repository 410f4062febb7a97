#include "config/standards_file.h"

#include <toml++/toml.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace district::config {
namespace {

struct HourKey {
  const char* name;
  int Standards::*member;
};
constexpr std::array kHours = {
    HourKey{"night_start_hour", &Standards::night_start_hour},
    HourKey{"night_end_hour", &Standards::night_end_hour},
    HourKey{"day_burning_start_hour", &Standards::day_burning_start_hour},
    HourKey{"day_burning_end_hour", &Standards::day_burning_end_hour},
};

struct NumberKey {
  const char* name;
  double Standards::*member;
};
constexpr std::array kNumbers = {
    NumberKey{"heating_base", &Standards::heating_base},
    NumberKey{"cooling_base", &Standards::cooling_base},
    NumberKey{"eurostat_heating_threshold", &Standards::eurostat_heating_threshold},
    NumberKey{"eurostat_cooling_threshold", &Standards::eurostat_cooling_threshold},
    NumberKey{"degree_days_min", &Standards::degree_days_min},
    NumberKey{"adaptive_slope", &Standards::adaptive_slope},
    NumberKey{"adaptive_offset", &Standards::adaptive_offset},
    NumberKey{"adaptive_low", &Standards::adaptive_low},
    NumberKey{"adaptive_high", &Standards::adaptive_high},
    NumberKey{"cvrmse_max", &Standards::cvrmse_max},
    NumberKey{"nmbe_max", &Standards::nmbe_max},
};

constexpr std::array kCategories = {"I", "II", "III", "IV"};

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<Standards> read(const toml::table& table) {
    for (const auto& [key, node] : table) DISTRICT_CHECK(read_key(key.str(), node));
    return standards_;
  }

 private:
  tl::unexpected<Error> wrong(const toml::node& at, const std::string& what) const {
    return fail(ErrorCode::config_invalid,
                path_ + " line " + std::to_string(at.source().begin.line) + ": " + what);
  }

  Result<Ok> read_key(std::string_view name, const toml::node& node) {
    for (const auto& key : kHours) {
      if (name != key.name) continue;
      const auto hour = node.value_exact<std::int64_t>();
      if (!hour || *hour < 0 || *hour > 24) return wrong(node, "not an hour from 0 to 24");
      standards_.*key.member = static_cast<int>(*hour);
      return Ok{};
    }
    for (const auto& key : kNumbers) {
      if (name != key.name) continue;
      const auto number = node.value<double>();
      if (!number) return wrong(node, "not a number");
      standards_.*key.member = *number;
      return Ok{};
    }
    const auto* table = node.as_table();
    if (name != "comfort" || table == nullptr)
      return wrong(node, "unknown key '" + std::string(name) + "'");
    for (const auto& [category, limits] : *table)
      DISTRICT_CHECK(read_category(category.str(), limits));
    return Ok{};
  }

  Result<Ok> read_category(std::string_view name, const toml::node& node) {
    const auto* table = node.as_table();
    for (std::size_t i = 0; i < kCategories.size(); ++i) {
      if (name != kCategories[i] || table == nullptr) continue;
      auto& category = standards_.comfort[i];
      for (const auto& [key, limits] : *table) {
        auto* target = key == "heating"    ? &category.heating
                       : key == "cooling"  ? &category.cooling
                       : key == "adaptive" ? &category.adaptive
                                           : nullptr;
        if (target == nullptr) return wrong(limits, "a category has heating, cooling and adaptive");
        DISTRICT_CHECK(read_limits(limits, *target));
      }
      return Ok{};
    }
    return wrong(node, "categories are [comfort.I] to [comfort.IV]");
  }

  Result<Ok> read_limits(const toml::node& node, ComfortLimits& limits) const {
    const auto* array = node.as_array();
    const auto low = array != nullptr && array->size() == 2 ? (*array)[0].value<double>()
                                                            : std::optional<double>();
    const auto high = low ? (*array)[1].value<double>() : std::optional<double>();
    if (!high || *high < *low) return wrong(node, "limits are [low, high]");
    limits = {*low, *high};
    return Ok{};
  }

  std::string path_;
  Standards standards_;
};

}  // namespace

Result<Standards> load_standards(const std::filesystem::path& path) {
  std::error_code status;
  if (!std::filesystem::exists(path, status)) return Standards{};
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (!stream || !(text << stream.rdbuf()))
    return fail(ErrorCode::file_unreadable, "cannot read " + path.string());
  try {
    const auto table = toml::parse(text.str(), path.string());
    return Reader(path.string()).read(table);
  } catch (const toml::parse_error& problem) {
    return fail(ErrorCode::config_invalid, path.string() + " line " +
                                               std::to_string(problem.source().begin.line) + ": " +
                                               std::string(problem.description()));
  }
}

}  // namespace district::config
