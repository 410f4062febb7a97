// The standards' tables and other settings of KPIs as a TOML file, usually `standards.toml` in the
// data folder. What it does not say is as model/standards.h has it.
//
//   night_start_hour = 23
//   heating_base = 17
//   heating_season_first = "10-15"  # month and day
//   [comfort.I]                     # categories I to IV of EN 16798-1, degrees Celsius
//   heating = [21, 25]
//   cooling = [23.5, 25.5]
//   adaptive = [-3, 2]
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/standards.h"

namespace district::config {

// No file: the defaults. Errors: file_unreadable; config_invalid, naming the line: not TOML, an
// unknown key, a value of another type or out of its range, two keys that contradict each other.
Result<Standards> load_standards(const std::filesystem::path& path);

// The keys beside [comfort], for the reference.
struct StandardsKey {
  std::string name, unit, standard, range;  // standard: the default
  std::string meaning;                      // Markdown
};
std::vector<StandardsKey> standards_keys();

}  // namespace district::config
