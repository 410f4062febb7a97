// Sums over the values in a window, from which KPIs are made. Each family of KPIs has its own
// summary.
// Pure functions of the values, the master data, the calendar and the settings of the standards.
// Source: docs/reference/kpi-rules.md sections 7 to 14.
// Threads: any.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "kpi/calendar.h"
#include "kpi/master_data.h"
#include "kpi/weather_model.h"
#include "model/measurement.h"
#include "model/standards.h"

namespace district::kpi {

// The values of one input, by start, over the time that the windows to be computed need.
struct InputValues {
  bool there = false;  // the meter has such a series
  Duration longest{};
  std::span<const ValueVersion> versions;
  // The values that may overlap [from, to).
  std::span<const ValueVersion> overlapping(Instant from, Instant to) const;
};

// A reading of a register, or of its predecessor before an exchange.
struct Reading {
  Instant at{};
  double value = 0;
  std::optional<double> modulus;  // of the register that is read
  bool estimated = false;
  bool new_meter = false;    // the first of another meter: no difference across it is taken
  bool implausible = false;  // only its number is reported
  bool rise = false;         // the step up to it is implausible
  bool disputed = false;     // its envelope also gives another value for the same instant
  bool fallen = false;       // the register fell before it, and has not come back
};

// The meter that replaced this one: its latest replaces_meter names this meter, after this meter
// was itself installed. Of several such meters it is the one with the earliest exchange, and at the
// same instant the first by name. Each of them goes on from the register of this meter.
struct Successor {
  std::string number;
  Instant exchanged_at{};
  std::optional<double> final_register;  // of this meter
};

struct Material {
  const Calendar& calendar;
  const MasterData& master;
  const Standards& standards;
  std::vector<InputValues> inputs;  // as the family defines them
  std::vector<Reading> readings;    // of registers, with one before and one after the windows
  std::optional<Successor> successor;
};

struct Peak {
  double value = 0;
  Instant at{};
};

// How many values of the window people should know about.
struct Noted {
  std::size_t estimated = 0;    // by the gateway
  std::size_t disputed = 0;     // their envelope also gives another value for the same period
  std::size_t excluded = 0;     // left out because one received later overlaps them
  std::size_t implausible = 0;  // set aside by a rule of plausibility
};

// Metered energy, interval by interval, with prices and CO2 factors where there are some.
struct EnergySummary {
  double energy_kwh = 0;
  Duration covered{};
  double night_kwh = 0;
  std::optional<Peak> peak;  // kW, of the intervals that start in the window
  // Percentiles of those, in months and years.
  std::optional<double> low_demand_kw, high_demand_kw;
  double cost_eur = 0, priced_kwh = 0;
  Duration priced{};     // covered by energy with a price
  double price_sum = 0;  // of the prices that start in the window
  std::size_t prices = 0;
  Duration price_covered{};
  double co2_kg = 0;
  Duration factored{};  // covered by energy with a CO2 factor
};

// Power sampled at instants. Each sample holds until the next.
struct PowerSummary {
  double energy_kwh = 0;
  Duration covered{};
  std::optional<Peak> peak;     // W
  bool threshold_known = true;  // for every sample
  Duration on{};
  double on_kwh = 0;
  Duration day_on{};
  // Measured illuminance, weighted by the time for which it held while the lamps were on.
  double illuminance_lx_h = 0, lit_hours = 0;
};

// A register that is read now and then.
struct RegisterSummary {
  std::optional<double> consumption;  // null: a boundary lies outside the readings
  bool boundary_in_gap = false;
  bool unit_changed = false;
  std::optional<std::string> unit;
  Duration covered{};  // in gaps that are not too long
  std::size_t readings = 0;
  // In the pairs of readings that touch the window: rollovers, other falls, and implausible rises.
  std::size_t rollovers = 0, anomalies = 0, rises = 0;
  Duration unexplained{};         // the time of anomalies and rises
  bool mostly_set_aside = false;  // more readings in the window are implausible than count
  bool continued = false;         // no value: another meter goes on from within the window
  bool exchanged = false;         // the window has readings of two meters
};

// Outdoor temperature by local days.
struct WeatherSummary {
  double temperature_sum = 0;  // of the means of valid days
  std::size_t valid_days = 0, expected_days = 0;
  double heating_kd = 0, cooling_kd = 0, eurostat_heating_kd = 0, eurostat_cooling_kd = 0;
};

struct ComfortSummary {
  Duration covered{};
  double degree_hours = 0;
  std::array<Duration, 4> within{};  // categories I to IV
  Duration below_second{}, above_second{};
  double degree_hours_below = 0, degree_hours_above = 0;
  Duration adaptive{};
  std::array<Duration, 3> adaptive_within{};  // categories I to III
};

struct QualitySummary {
  bool instants = false;  // readings or samples, which cover time by their step
  bool sampled = false;   // power, whose step has a default
  // The time for which there is a value. Null when it is not known for how long a value stands.
  std::optional<Duration> covered;
  std::size_t received = 0, superseded = 0, within_1h = 0, within_24h = 0;
  std::optional<double> latency_median_s, latency_p95_s, latency_max_s;
};

struct ModelSummary {
  std::optional<std::string> missing;  // master data, or the part of the baseline that is too short
  std::size_t baseline_days = 0, baseline_expected = 0;
  std::optional<WeatherModel> model;
  std::optional<double> normalised;  // of the named year
  // Days of the reporting period that have both energy and temperature.
  std::size_t reporting_days = 0, reporting_expected = 0;
  double actual = 0, predicted = 0, squared_error = 0;
};

struct WindowSummary {
  Window window;
  const Material* material = nullptr;
  Noted noted;
  EnergySummary energy;
  PowerSummary power;
  RegisterSummary registers;
  WeatherSummary weather;
  ComfortSummary comfort;
  QualitySummary quality;
  ModelSummary model;
};

// One function for each family, in summary_*.cpp. Each sets its summary and `noted`; the caller has
// set `window` and `material`. The inputs are in the order of the family's definition.
void summarise_energy(
    WindowSummary& window_summary);  // energy, price, CO2 factor, outdoor temperature
void summarise_power(WindowSummary& window_summary);  // power, illuminance
void summarise_register(WindowSummary& window_summary);
void summarise_weather(WindowSummary& window_summary);  // outdoor temperature
void summarise_comfort(WindowSummary& window_summary);  // indoor, outdoor temperature
void summarise_quality(WindowSummary& window_summary);  // energy
void summarise_register_quality(WindowSummary& window_summary);
void summarise_sampled_quality(WindowSummary& window_summary);  // power
void summarise_model(WindowSummary& window_summary);            // energy, outdoor temperature

// A baseline, reporting period or normal period that is longer has no model.
inline constexpr Duration kModelPeriodMax = std::chrono::hours(24 * 3660);
inline bool has_model(const Window& period) { return period.length() <= kModelPeriodMax; }

inline constexpr Duration kHoldMax = std::chrono::hours(48);  // whatever the step is
// How long a sample of power that was taken at the instant is held at most: twice the nominal step,
// or as many times as the settings say.
Duration hold_at(const MasterData& master, const Standards& standards, Instant at);

// Degree days of the window from an input of outdoor temperatures.
WeatherSummary weather_of(const Window& window, const Material& material,
                          const InputValues& outdoor);

// Linear interpolation between order statistics, Hyndman-Fan type 7. `values` is not empty; its
// order changes.
double percentile(std::vector<double>& values, double share);

}  // namespace district::kpi
