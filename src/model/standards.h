// What the standards leave to settings: limits, base temperatures, hours. docs/reference/kpis.md
// lists them. `standards.toml` in the data folder (config/standards_file.h) replaces the defaults;
// after a change, `districtctl kpi recompute` applies it to what is there.
#pragma once

#include <array>
#include <chrono>

#include "base/time.h"

namespace district {

// Indoor temperatures in degrees Celsius that a category of comfort allows, both included.
struct ComfortLimits {
  double low = 0, high = 0;
};

// EN 16798-1, residential, one category.
struct ComfortCategory {
  ComfortLimits heating, cooling;
  // From the comfort temperature of the adaptive model; both 0: the category has none.
  ComfortLimits adaptive;
};

struct Standards {
  // Local hours of the night, and those of the day in which no street lamp should burn.
  int night_start_hour = 22, night_end_hour = 6;
  int day_burning_start_hour = 10, day_burning_end_hour = 16;

  // Degree days, in degrees Celsius. Eurostat's have bases of their own, which nobody sets.
  double heating_base = 18, cooling_base = 21;
  double eurostat_heating_threshold = 15, eurostat_cooling_threshold = 24;
  double degree_days_min = 20;  // energy per degree day is null below, in K d

  // Comfort: categories I to IV. Heating season by local dates, first and last day included.
  std::array<ComfortCategory, 4> comfort{{
      {{21, 25}, {23.5, 25.5}, {-3, 2}},
      {{20, 25}, {23, 26}, {-4, 3}},
      {{18, 25}, {22, 27}, {-5, 4}},
      {{17, 25}, {21, 28}, {0, 0}},
  }};
  std::chrono::month_day heating_first = std::chrono::October / 1;
  std::chrono::month_day heating_last = std::chrono::April / 30;
  double adaptive_slope = 0.33, adaptive_offset = 18.8;
  double adaptive_low = 10, adaptive_high = 30;  // running means at which it applies

  // Registers: a boundary inside a longer gap makes consumption an estimate.
  Duration register_gap_max = std::chrono::hours(6);
  // Sampled power: the step where master data does not say, and for how many of them a sample is
  // held at most, though never longer than two days.
  Duration nominal_step = std::chrono::minutes(15);
  double hold_steps = 2;
  // A model is weak beyond these, as fractions (ASHRAE Guideline 14).
  double cvrmse_max = 0.30, nmbe_max = 0.10;
};

}  // namespace district
