// Quantities that KPIs use, each in one unit.
#pragma once

#include <optional>
#include <string_view>

namespace district::kpi {

struct Conversion {
  std::string_view unit;  // what the value is stored in
  double factor = 1;      // stored value = factor * sent value
};

// An unknown quantity keeps its unit. nullopt: a known quantity in a unit that cannot be converted.
std::optional<Conversion> conversion(std::string_view quantity, std::string_view unit);

}  // namespace district::kpi
