#include "config/standards_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <variant>

#include "config/toml_text.h"

namespace district::config {
namespace {

// Where a key's value lives, in the file's unit and as Standards has it.
struct HourKey {
  int Standards::*member;
};
struct NumberKey {
  double Standards::*member;
};
struct LengthKey {
  Duration Standards::*member;
  Duration unit;
};
struct DateKey {
  std::chrono::month_day Standards::*member;
};

struct Key {
  const char* name;
  std::variant<HourKey, NumberKey, LengthKey, DateKey> kind;
  double min, max;
  const char* unit;
  const char* meaning;
};

using std::chrono::hours;
using std::chrono::minutes;

// clang-format off
const std::array kKeys{
  Key{"night_start_hour", HourKey{&Standards::night_start_hour}, 0, 23, "local hour",
      "Night energy: first hour of the night."},
  Key{"night_end_hour", HourKey{&Standards::night_end_hour}, 0, 24, "local hour",
      "Night energy: hour at which the night ends."},
  Key{"day_burning_start_hour", HourKey{&Standards::day_burning_start_hour}, 0, 23, "local hour",
      "`day_burning_hours`: from when on no street lamp should burn."},
  Key{"day_burning_end_hour", HourKey{&Standards::day_burning_end_hour}, 1, 24, "local hour",
      "`day_burning_hours`: until when."},
  Key{"heating_base", NumberKey{&Standards::heating_base}, -50, 50, "Cel",
      "Base of `hdd18_kd` and `kwh_per_hdd`: 15.5 is usual in the United Kingdom, 17 in Danish graddage. Their rows have `base_c` where it is not 18. Eurostat's are not set."},
  Key{"cooling_base", NumberKey{&Standards::cooling_base}, -50, 50, "Cel",
      "Base of `cdd21_kd`, whose rows have `base_c` where it is not 21."},
  Key{"eurostat_heating_threshold", NumberKey{&Standards::eurostat_heating_threshold}, -50, 50, "Cel",
      "`hdd_eurostat_kd` counts days up to this mean."},
  Key{"eurostat_cooling_threshold", NumberKey{&Standards::eurostat_cooling_threshold}, -50, 50, "Cel",
      "`cdd_eurostat_kd` counts days from this mean on."},
  Key{"degree_days_min", NumberKey{&Standards::degree_days_min}, 0, 10000, "K.d",
      "`kwh_per_hdd` is null with fewer degree days."},
  Key{"heating_season_first", DateKey{&Standards::heating_first}, 0, 0, "month-day",
      "Comfort: first day of the heating season, by the local date."},
  Key{"heating_season_last", DateKey{&Standards::heating_last}, 0, 0, "month-day",
      "Comfort: its last day; the rest of the year is the cooling season."},
  Key{"adaptive_slope", NumberKey{&Standards::adaptive_slope}, 0, 2, "1",
      "Adaptive comfort temperature: factor of the running mean."},
  Key{"adaptive_offset", NumberKey{&Standards::adaptive_offset}, -50, 50, "Cel",
      "Adaptive comfort temperature: what is added to it."},
  Key{"adaptive_low", NumberKey{&Standards::adaptive_low}, -50, 50, "Cel",
      "Lowest running mean at which the adaptive limits apply."},
  Key{"adaptive_high", NumberKey{&Standards::adaptive_high}, -50, 50, "Cel",
      "Highest one."},
  Key{"register_gap_hours", LengthKey{&Standards::register_gap_max, hours(1)}, 0.01, 8784, "h",
      "`consumption` is `estimated` when a boundary of its window lies in a longer gap between readings; longer gaps do not count as covered."},
  Key{"nominal_step_minutes", LengthKey{&Standards::nominal_step, minutes(1)}, 0.01, 1440, "min",
      "Sampled power: the step of meters whose master data have no `nominal_step`."},
  Key{"hold_steps", NumberKey{&Standards::hold_steps}, 1, 1000, "steps",
      "Sampled power: how long a sample is held at most, and never longer than two days."},
  Key{"cvrmse_max", NumberKey{&Standards::cvrmse_max}, 0, 10, "1",
      "A weather model with a larger `cvrmse` is marked `weak_model`."},
  Key{"nmbe_max", NumberKey{&Standards::nmbe_max}, 0, 10, "1",
      "The same for the size of `nmbe`."},
};
// clang-format on

std::string spell(double number) {
  std::array<char, 32> text{};
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), problem == std::errc() ? end : text.data()};
}

std::string spell(const std::chrono::month_day& date) {
  std::array<char, 16> text{};
  const auto written = std::snprintf(text.data(), text.size(), "\"%02u-%02u\"",
                                     unsigned{date.month()}, unsigned{date.day()});
  return {text.data(), static_cast<std::size_t>(std::max(written, 0))};
}

std::string default_of(const Key& key) {
  const Standards standards;
  if (const auto* hour = std::get_if<HourKey>(&key.kind))
    return std::to_string(standards.*hour->member);
  if (const auto* number = std::get_if<NumberKey>(&key.kind))
    return spell(standards.*number->member);
  if (const auto* length = std::get_if<LengthKey>(&key.kind))
    return std::to_string(standards.*length->member / length->unit);
  return spell(standards.*std::get<DateKey>(key.kind).member);
}

constexpr std::array kCategories = {"I", "II", "III", "IV"};

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  Result<Standards> read(const toml::table& table) {
    for (const auto& [key, node] : table) DISTRICT_CHECK(read_key(key.str(), node));
    if (const auto* contradiction = contradiction_in(standards_))
      return fail(ErrorCode::config_invalid, path_ + ": " + contradiction);
    return standards_;
  }

 private:
  tl::unexpected<Error> wrong(const toml::node& at, const std::string& what) const {
    return fail(ErrorCode::config_invalid,
                path_ + " line " + std::to_string(at.source().begin.line) + ": " + what);
  }

  static const char* contradiction_in(const Standards& s) {
    if (s.night_start_hour == s.night_end_hour) return "the night has no hour";
    if (s.day_burning_start_hour >= s.day_burning_end_hour)
      return "day_burning_start_hour is not before day_burning_end_hour";
    if (s.adaptive_low > s.adaptive_high) return "adaptive_low is above adaptive_high";
    return nullptr;
  }

  Result<Ok> read_key(std::string_view name, const toml::node& node) {
    for (const auto& key : kKeys) {
      if (name != key.name) continue;
      if (const auto* date = std::get_if<DateKey>(&key.kind)) return read_date(node, *date);
      return read_number(node, key);
    }
    const auto* table = node.as_table();
    if (name != "comfort" || table == nullptr)
      return wrong(node, "unknown key '" + std::string(name) + "'");
    for (const auto& [category, limits] : *table)
      DISTRICT_CHECK(read_category(category.str(), limits));
    return Ok{};
  }

  Result<Ok> read_number(const toml::node& node, const Key& key) {
    const auto* hour = std::get_if<HourKey>(&key.kind);
    const auto number = node.value<double>();
    const bool fits = number && *number >= key.min && *number <= key.max &&  // false for NaN
                      (hour == nullptr || node.is_integer());
    if (!fits) {
      return wrong(node, std::string(key.name) + " is not " +
                             (hour == nullptr ? "a number" : "a whole number") + " from " +
                             spell(key.min) + " to " + spell(key.max) + ", in " + key.unit);
    }
    if (hour != nullptr) standards_.*hour->member = static_cast<int>(*number);
    if (const auto* plain = std::get_if<NumberKey>(&key.kind)) standards_.*plain->member = *number;
    if (const auto* length = std::get_if<LengthKey>(&key.kind))
      standards_.*length->member = std::chrono::round<Duration>(*number * length->unit);
    return Ok{};
  }

  Result<Ok> read_date(const toml::node& node, const DateKey& key) {
    const auto text = node.value_exact<std::string>().value_or("");
    const bool shaped = text.size() == 5 && text[2] == '-' &&
                        text.find_first_not_of("0123456789-") == std::string::npos;
    const auto part = [&text](std::size_t at) {
      return static_cast<unsigned>((text[at] - '0') * 10 + text[at + 1] - '0');
    };
    if (shaped && text.find('-', 3) == std::string::npos && text[0] != '-' && text[1] != '-') {
      const auto date = std::chrono::month(part(0)) / std::chrono::day(part(3));
      if (date.ok()) {
        standards_.*key.member = date;
        return Ok{};
      }
    }
    return wrong(node, "not a day of the year such as \"10-01\", month first");
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
    const auto sane = [](double degrees) { return degrees >= -100 && degrees <= 100; };
    if (!high || !sane(*low) || !sane(*high) || *high < *low)
      return wrong(node, "limits are [low, high], in degrees Celsius");
    limits = {*low, *high};
    return Ok{};
  }

  std::string path_;
  Standards standards_;
};

}  // namespace

std::vector<StandardsKey> standards_keys() {
  std::vector<StandardsKey> keys;
  for (const auto& key : kKeys) {
    const bool date = std::holds_alternative<DateKey>(key.kind);
    keys.push_back({key.name, key.unit, default_of(key),
                    date ? "a day of the year" : spell(key.min) + " to " + spell(key.max),
                    key.meaning});
  }
  return keys;
}

Result<Standards> load_standards(const std::filesystem::path& path) {
  std::error_code status;
  if (!std::filesystem::exists(path, status)) return Standards{};
  DISTRICT_TRY(const auto table, load_toml(path.string()));
  return Reader(path.string()).read(table);
}

}  // namespace district::config
