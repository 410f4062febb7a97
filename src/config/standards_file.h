// The standards' tables and other settings of KPIs as a TOML file, usually `standards.toml` in the
// data folder. What it does not say is as model/standards.h has it.
//
//   night_start_hour = 23
//   heating_base = 17
//   [comfort.I]                     # categories I to IV of EN 16798-1, degrees Celsius
//   heating = [21, 25]
//   cooling = [23.5, 25.5]
//   adaptive = [-3, 2]
#pragma once

#include <filesystem>

#include "base/error.h"
#include "model/standards.h"

namespace district::config {

// No file: the defaults. Errors: file_unreadable; config_invalid, naming the line: not TOML, an
// unknown key, a value of another type or out of its range.
Result<Standards> load_standards(const std::filesystem::path& path);

}  // namespace district::config
