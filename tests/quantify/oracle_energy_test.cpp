// Metered energy, prices, CO2 and their quality against a slow second opinion (oracle.h).
#include <boost/test/unit_test.hpp>

#include <numeric>

#include "oracle.h"
#include "oracle_quality.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;

namespace {

// The value that holds over all of the period.
std::optional<double> over(const std::vector<Heard>& values, const Heard& period) {
  for (const auto& one : values)
    if (one.start <= period.start && one.end >= period.end) return one.value;
  return std::nullopt;
}

struct Sums {
  double energy = 0, night = 0, cost = 0, priced_kwh = 0, co2 = 0, price_sum = 0;
  Minute covered = 0, priced = 0, factored = 0, price_covered = 0;
  int prices = 0;
  std::vector<double> demands;
  std::optional<double> peak;
  Minute peak_at = 0;
};

Sums sums_of(const Sheet& sheet, const Memory& memory, const WallClock& clock) {
  Sums sums;
  const auto prices = memory.counting("energy_price"), factors = memory.counting("co2_factor");
  for (const auto& one : memory.counting("active_energy")) {
    const auto part = sheet.overlap(one.start, one.end);
    if (part == 0) continue;
    const double energy = one.value * part / (one.end - one.start);
    sums.energy += energy;
    sums.covered += part;
    const int hour = clock.hour(one.start);
    if (hour >= 22 || hour < 6) sums.night += energy;
    if (const auto price = over(prices, one)) {
      sums.cost += energy * *price;
      sums.priced_kwh += energy;
      sums.priced += part;
    }
    auto factor = over(factors, one);
    if (!factor) factor = memory.number("co2_factor_kg_per_kwh", one.start);
    if (factor) {
      sums.co2 += energy * *factor;
      sums.factored += part;
    }
    if (!sheet.has(one.start)) continue;
    const double demand = one.value / in_hours(one.end - one.start);
    sums.demands.push_back(demand);
    if (sums.peak && demand <= *sums.peak) continue;
    sums.peak = demand;
    sums.peak_at = one.start;
  }
  for (const auto& price : prices) {
    sums.price_covered += sheet.overlap(price.start, price.end);
    if (!sheet.has(price.start)) continue;
    sums.price_sum += price.value;
    ++sums.prices;
  }
  return sums;
}

void put_costs(Sheet& sheet, const Sums& sums, bool prices_there) {
  const double length = sheet.length();
  const bool of_hour = sheet.kind == WindowKind::hour;
  for (const std::string kpi : {"cost_eur", "mean_price_eur_kwh"}) {
    if (!prices_there || (sums.covered > 0 && sums.priced == 0)) {
      if (prices_there || !of_hour) sheet.lacks(kpi, "energy_price", 0);
      continue;
    }
    const auto cost = sums.priced > 0 ? std::optional(sums.cost) : std::nullopt;
    sheet.put(kpi, kpi == "cost_eur" ? cost : quotient(sums.cost, sums.priced_kwh),
              sums.priced / length);
  }
  if (of_hour) return;
  if (!prices_there) {
    sheet.lacks("time_avg_price_eur_kwh", "energy_price", 0);
    return;
  }
  sheet.put("time_avg_price_eur_kwh", quotient(sums.price_sum, sums.prices),
            sums.price_covered / length);
}

void put_areas(Sheet& sheet, const Sums& sums, const Memory& memory, double c) {
  const auto area = memory.number("floor_area_m2", sheet.end - 1);
  const bool lighting = memory.text("medium", sheet.end - 1) == "lighting";
  const auto put = [&](const char* kpi, bool known, double kwh) {
    if (!area) return sheet.lacks(kpi, "floor_area_m2", c);
    sheet.put(kpi, only_if(known, kwh / area.value_or(0)), c);
  };
  const bool some = sums.covered > 0, year = sheet.kind == WindowKind::year;
  if (year) put("eui_kwh_m2a", c >= 0.9, sums.energy / c);
  if (!lighting) return;
  if (year) put("leni_kwh_m2a", c >= 0.9, sums.energy / c);
  put("lighting_energy_intensity_kwh_m2", some, sums.energy);
  put("leni_annualised_kwh_m2a", some, sums.energy * 8760 / in_hours(sums.covered));
}

void put_energy(Sheet& sheet, const Memory& memory, const WallClock& clock) {
  const auto sums = sums_of(sheet, memory, clock);
  const double c = static_cast<double>(sums.covered) / sheet.length();
  const bool some = sums.covered > 0, of_hour = sheet.kind == WindowKind::hour;
  const auto energy = some ? std::optional(sums.energy) : std::nullopt;
  const auto mean = some ? std::optional(sums.energy / in_hours(sums.covered)) : std::nullopt;
  auto& row = sheet.put("energy_kwh", energy, c);
  if (!of_hour) {
    row.attributes["hours_expected"] = spelled(in_hours(sheet.length()));
    row.attributes["hours_present"] = spelled(in_hours(sums.covered));
  }
  auto& peak = sheet.put("peak_kw", sums.peak, c);
  if (sums.peak && (!of_hour || sums.peak_at != sheet.start))
    peak.attributes["peak_at_utc"] = format_instant(instant_of(sums.peak_at), 0);
  sheet.put("load_factor", mean && sums.peak ? quotient(*mean, *sums.peak) : std::nullopt, c);
  put_costs(sheet, sums, !memory.all("energy_price").empty());
  if (!some || sums.factored > 0) {
    sheet.put("co2_kg", some ? std::optional(sums.co2) : std::nullopt,
              static_cast<double>(sums.factored) / sheet.length());
  } else if (!of_hour) {
    sheet.lacks("co2_kg", "co2_factor_kg_per_kwh", 0);
  }
  if (of_hour) return;
  sheet.put("energy_estimate_kwh", c >= 0.9 ? std::optional(sums.energy / c) : std::nullopt, c);
  sheet.put("mean_kw", mean, c);
  sheet.put("night_kwh", some ? std::optional(sums.night) : std::nullopt, c);
  sheet.put("night_share", some ? quotient(sums.night, sums.energy) : std::nullopt, c);
  if (sheet.kind == WindowKind::day) return;
  const bool ranks = !sums.demands.empty();
  sheet.put("base_load_kw", ranks ? std::optional(quantile(sums.demands, 0.025)) : std::nullopt, c);
  sheet.put("near_peak_kw", ranks ? std::optional(quantile(sums.demands, 0.975)) : std::nullopt, c);
  sheet.lacks("kwh_per_hdd", "temperature_out", c);
  put_areas(sheet, sums, memory, c);
}

Rows expected_of(const Memory& memory, const WallClock& clock, const std::string&) {
  Rows rows;
  const auto values = memory.all("active_energy");
  for (const auto kind : kWindows) {
    for (const auto& [start, end] : windows_of(clock, kind, values, end_of)) {
      Sheet sheet{rows, kind, start, end, {}};
      const auto count = [&](auto&& which) {
        return static_cast<int>(std::count_if(values.begin(), values.end(), [&](const auto& one) {
          return sheet.overlap(one.start, one.end) > 0 && which(one);
        }));
      };
      sheet.note("excluded_overlaps",
                 count([](const auto& v) { return v.fate == Fate::excluded; }));
      sheet.note("implausible", count([](const auto& v) { return v.fate == Fate::implausible; }));
      sheet.note("estimated_values",
                 count([](const auto& v) { return v.fate == Fate::counts && v.estimated; }));
      sheet.note("disputed",
                 count([](const auto& v) { return v.fate == Fate::counts && v.disputed; }));
      put_energy(sheet, memory, clock);
    }
  }
  put_quality(rows, memory, clock, values, end_of, std::nullopt);
  return rows;
}

Observation value_of(const char* quantity, const char* unit, ValueKind kind, Minute start,
                     Minute length, double value) {
  return {"SITE", "", quantity, unit, kind, instant_of(start), instant_of(start + length),
          value,  0,  0};
}

// Values of one quantity: with holes, revisions, duplicates, overlaps, and now and then a long one.
template <typename Value>
void add_series(Dice& dice, Story& story, const Observation& like, Minute step, Value&& value) {
  const Minute begin = story.begin + (dice.one_in(2) ? 0 : dice.below(60));
  const Minute end = begin + dice.of({600, kDay, 2 * kDay, 3 * kDay});
  const int holes = dice.of({2, 10, 1000});
  const auto add = [&](Minute start, Minute length) {
    auto one = like;
    one.start = instant_of(start);
    one.end = instant_of(start + length);
    one.value = value();
    if (dice.one_in(30)) one.flags = flag_estimated;
    story.observations.push_back(one);
    while (dice.one_in(5)) {
      if (dice.one_in(2)) one.value = value();
      if (dice.one_in(3)) one.flags ^= flag_estimated;
      story.observations.push_back(one);
    }
  };
  for (Minute start = begin; start < end; start += step) {
    if (!dice.one_in(holes)) add(start, step);
    if (dice.one_in(40)) add(start - dice.below(step), dice.of({step / 2, step * 2, step, 7, 5}));
  }
  if (dice.one_in(4))
    add(begin + dice.below(3 * kDay), dice.of({3 * 60, kDay, 3 * kDay, 20 * kDay}));
  if (dice.one_in(8))
    add(begin + kDay * dice.of({29, 31, 32, 80, 365, 367, 400}) + dice.below(60), step);
  if (!dice.one_in(12)) return;
  // A year of long periods.
  for (Minute start = begin - 370 * kDay; start < begin - kDay; start += 10 * kDay)
    if (!dice.one_in(20)) add(start, 10 * kDay);
}

Story some_story(Dice& dice) {
  auto story = some_place(dice);
  const auto step = dice.of({15, 30, 60, 60, 60, 90, 7, 50, 95});
  add_series(
      dice, story, value_of("active_energy", "kWh", ValueKind::interval, 0, 0, 0), step, [&] {
        return dice.one_in(60) ? -1
                               : dice.of({0.0, 0.25, 1.0, 1.5, 3.0, 3.0, 0.1 * dice.below(50)});
      });
  if (dice.one_in(2)) {
    add_series(dice, story, value_of("energy_price", "EUR/kWh", ValueKind::mean, 0, 0, 0),
               dice.one_in(2) ? step : 60, [&] { return 0.05 * (dice.below(10) - 3); });
  }
  if (dice.one_in(4)) {
    add_series(dice, story, value_of("co2_factor", "kg/kWh", ValueKind::mean, 0, 0, 0), 60,
               [&] { return 0.05 * dice.below(10); });
  }
  const auto some_time = [&] { return story.begin + 30 * dice.below(6 * 48); };
  for (int i = dice.below(4); i > 0; --i)
    story.facts.push_back(
        stated(dice, "", "co2_factor_kg_per_kwh", dice.of({"0.25", "0.5", "0"}), some_time()));
  for (int i = dice.below(3); i > 0; --i)
    story.facts.push_back(stated(dice, "", "floor_area_m2", dice.of({"100", "250"}), some_time()));
  if (dice.one_in(3)) story.facts.push_back(stated(dice, "", "medium", "lighting", some_time()));
  if (dice.one_in(3))
    story.facts.push_back(
        stated(dice, "", "nominal_step", dice.of({"PT15M", "PT1H"}), some_time()));
  return story;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(oracle)

BOOST_AUTO_TEST_CASE(metered_energy_is_what_a_slow_second_opinion_says) {
  for (unsigned seed = 1; seed <= cases(12); ++seed) {
    Dice dice(seed);
    hold_against(seed, dice, some_story(dice), expected_of);
  }
}

BOOST_AUTO_TEST_SUITE_END()
