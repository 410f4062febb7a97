// What the values in one window come to, before it is a KPI: one summary for each family of KPIs.
// Pure functions of the values, the master data and the calendar.
// Source: kpis.md sections 1, 2, 5 and 6.
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "quantify/calendar.h"
#include "quantify/master_data.h"
#include "store/series_store.h"

namespace district::quantify {

// Settings that kpis.md leaves open, with its values.
inline constexpr int kNightStartHour = 22;  // local; night is [22, 6)
inline constexpr int kNightEndHour = 6;
inline constexpr int kDayBurningStartHour = 10;  // local; lamps on in [10, 16) hint at a fault
inline constexpr int kDayBurningEndHour = 16;
inline constexpr Duration kNominalStepDefault = std::chrono::minutes(15);
inline constexpr Duration kRegisterGapMax = std::chrono::hours(6);

// How long a sample of power taken at the instant is held at most: twice the nominal step.
Duration hold_at(const MasterData& master, Instant at);

struct Peak {
  double value = 0;
  Instant at{};
};

// Metered energy, interval by interval, with prices where there are some.
struct EnergySummary {
  double energy_kwh = 0;
  Duration covered{};
  double night_kwh = 0;
  std::optional<Peak> peak;        // kW, of the intervals that start in the window
  std::vector<double> demands_kw;  // of the same intervals, in ascending order; for months only
  double cost_eur = 0, priced_kwh = 0;
  Duration priced{};     // covered by energy with a price
  double price_sum = 0;  // of the prices that start in the window
  std::size_t prices = 0;
  Duration price_covered{};
  std::size_t estimated = 0;  // intervals that the gateway estimated
  std::size_t excluded = 0;   // intervals left out because a later received one overlaps them
};

// Power sampled at instants, each held until the next.
struct PowerSummary {
  double energy_kwh = 0;
  Duration covered{};
  std::optional<Peak> peak;     // W
  bool threshold_known = true;  // for every sample
  Duration on{};
  double on_kwh = 0;
  Duration day_on{};
  std::optional<double> installed_w;
  std::size_t estimated = 0;
};

// A register that is read now and then.
struct RegisterSummary {
  std::optional<double> consumption;  // null: a boundary lies outside the readings
  bool boundary_in_gap = false;
  bool unit_changed = false;
  std::optional<std::string> unit;
  Duration covered{};  // in gaps of at most kRegisterGapMax
  std::size_t readings = 0;
  std::size_t rollovers = 0, anomalies = 0;  // among the pairs of readings that touch the window
  std::size_t estimated = 0;
};

struct Evidence {
  Window window;
  EnergySummary energy;
  PowerSummary power;
  RegisterSummary registers;
};

// The values by start. `energy` and `prices`: all that overlap the window; `samples`: those from
// one hold before it; `readings`: all in it, with the last before and the first after it.
EnergySummary summarise_energy(const Window& window, std::span<const store::Value> energy,
                               std::span<const store::Value> prices, const Calendar& calendar);
PowerSummary summarise_power(const Window& window, std::span<const store::Value> samples,
                             const MasterData& master, const Calendar& calendar);
RegisterSummary summarise_register(const Window& window, std::span<const store::Value> readings,
                                   const MasterData& master);

// Linear interpolation between order statistics, Hyndman-Fan type 7. `ascending` is not empty.
double percentile(std::span<const double> ascending, double share);

}  // namespace district::quantify
