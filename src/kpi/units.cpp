#include "kpi/units.h"

namespace district::kpi {
namespace {

struct Known {
  std::string_view quantity, sent, stored;
  double factor;
};

constexpr Known kKnown[] = {
    {"active_energy", "kWh", "kWh", 1},
    {"active_energy", "Wh", "kWh", 1e-3},
    {"active_energy", "MWh", "kWh", 1e3},
    {"active_power", "W", "W", 1},
    {"active_power", "kW", "W", 1e3},
    {"active_power", "MW", "W", 1e6},
    {"energy_price", "EUR/kWh", "EUR/kWh", 1},
    {"energy_price", "EUR/MWh", "EUR/kWh", 1e-3},
    {"co2_factor", "kg/kWh", "kg/kWh", 1},
    {"co2_factor", "g/kWh", "kg/kWh", 1e-3},
    {"temperature_in", "Cel", "Cel", 1},
    {"temperature_out", "Cel", "Cel", 1},
    {"illuminance", "lx", "lx", 1},
    {"register", "meter", "meter", 1},
};

}  // namespace

std::optional<Conversion> conversion(std::string_view quantity, std::string_view unit) {
  bool quantity_known = false;
  for (const auto& known : kKnown) {
    if (known.quantity != quantity) continue;
    quantity_known = true;
    if (known.sent == unit) return Conversion{known.stored, known.factor};
  }
  if (quantity_known) return std::nullopt;
  return Conversion{unit, 1};
}

}  // namespace district::kpi
