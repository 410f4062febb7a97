#include "quantify/engine.h"

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "fixture.h"
#include "kpi/catalogue.h"
#include "store/transaction.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto kHour = WindowKind::hour;
constexpr auto kDay = WindowKind::day;
constexpr auto kMonth = WindowKind::month;
constexpr const char* kJune1 = "2018-05-31T22:00:00Z";  // 1 June in Madrid; June's start

std::vector<Observation> numbered(std::vector<Observation> observations) {
  std::uint32_t index = 0;
  for (auto& observation : observations) observation.message_index = ++index;
  return observations;
}

// Hours of the day from 00:00 UTC with the same energy.
std::vector<Observation> hours(const char* day, int count, double kwh) {
  std::vector<Observation> observations;
  for (int i = 0; i < count; ++i) {
    observations.push_back(energy(day, day, kwh));
    observations.back().start += i * 1h;
    observations.back().end += (i + 1) * 1h;
  }
  return numbered(observations);
}

std::uint64_t count(Scratch& scratch, MeasurementState state) {
  return must(scratch.store.counts()).measurements[state];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(engine)

BOOST_AUTO_TEST_CASE(the_catalogue_is_sound) {
  std::set<std::pair<Family, std::string_view>> seen;
  for (const auto& definition : catalogue()) {
    BOOST_TEST_CONTEXT(definition.id) {
      BOOST_TEST(seen.emplace(definition.family, definition.id).second);
      BOOST_TEST(!definition.formula.empty());
      BOOST_TEST(!definition.source.empty());
      BOOST_TEST(!definition.windows.empty());
    }
  }
  for (const auto& family : families()) BOOST_TEST((&definition_of(family.family) == &family));
}

BOOST_AUTO_TEST_CASE(a_resent_equal_value_is_a_duplicate_and_changes_no_kpi) {
  Scratch scratch;
  scratch.send("2018-06-02", {energy("2018-06-01T10:00:00Z", "2018-06-01T11:00:00Z", 5)});
  scratch.send("2018-06-03", {energy("2018-06-01T10:00:00Z", "2018-06-01T11:00:00Z", 5)});
  const auto day = scratch.get("energy_kwh", kDay, kJune1);
  BOOST_TEST(*day.value == 5);
  BOOST_TEST(day.revision == 1U);
  BOOST_TEST((day.computed_at == at("2018-06-02")));
  BOOST_TEST(count(scratch, MeasurementState::duplicate) == 1U);
}

BOOST_AUTO_TEST_CASE(a_correction_supersedes_and_raises_the_revision_of_its_windows) {
  Scratch scratch;
  scratch.send("2018-06-03", hours("2018-06-01", 3, 5));
  scratch.send("2018-06-04", {energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 7)});
  for (const auto& [kind, start] :
       {std::pair(kHour, "2018-06-01T01:00:00Z"), {kDay, kJune1}, {kMonth, kJune1}}) {
    const auto changed = scratch.get("energy_kwh", kind, start);
    BOOST_TEST(changed.revision == 2U);
    BOOST_TEST((changed.computed_at == at("2018-06-04")));
  }
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 17);
  const auto other = scratch.get("energy_kwh", kHour, "2018-06-01T00:00:00Z");
  BOOST_TEST(other.revision == 1U);
  BOOST_TEST((other.computed_at == at("2018-06-03")));
  BOOST_TEST(count(scratch, MeasurementState::superseded) == 1U);
}

BOOST_AUTO_TEST_CASE(a_value_received_earlier_but_processed_later_does_not_win) {
  Scratch scratch;
  scratch.send("2018-06-04", {energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 7)});
  scratch.send("2018-06-03", {energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 5)});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 7);
  BOOST_TEST(scratch.get("energy_kwh", kDay, kJune1).revision == 1U);
}

BOOST_AUTO_TEST_CASE(in_one_request_the_later_message_wins) {
  Scratch scratch;
  scratch.send("2018-06-04", {energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 7, 1),
                              energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 3, 2)});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 3);
}

BOOST_AUTO_TEST_CASE(no_energy_is_counted_twice_where_intervals_overlap) {
  Scratch scratch;
  scratch.send("2018-06-03", hours("2018-06-01", 4, 5));
  scratch.send("2018-06-04", {energy("2018-06-01T01:30:00Z", "2018-06-01T02:30:00Z", 1)});
  const auto day = scratch.get("energy_kwh", kDay, kJune1);
  BOOST_TEST(*day.value == 5 + 1 + 5);
  BOOST_TEST(day.attributes.at("excluded_overlaps") == "2");
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T01:00:00Z") == 0.5);
  BOOST_TEST(scratch.get("energy_kwh", kHour, "2018-06-01T01:00:00Z").completeness == 0.5);
  BOOST_TEST(count(scratch, MeasurementState::excluded) == 2U);
}

BOOST_AUTO_TEST_CASE(
    a_period_across_a_boundary_is_apportioned_and_its_demand_belongs_to_its_start) {
  Scratch scratch;
  scratch.send("2018-06-03", {energy("2018-06-01T10:30:00Z", "2018-06-01T12:00:00Z", 3)});
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T10:00:00Z") == 1);
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T11:00:00Z") == 2);
  BOOST_TEST(scratch.value("peak_kw", kHour, "2018-06-01T10:00:00Z") == 2);
  BOOST_TEST(!scratch.get("peak_kw", kHour, "2018-06-01T11:00:00Z").value.has_value());
}

BOOST_AUTO_TEST_CASE(zero_is_a_value_and_absence_is_not) {
  Scratch scratch;
  scratch.send("2018-06-03", {energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 0),
                              energy("2018-06-01T03:00:00Z", "2018-06-01T04:00:00Z", 0, 2)});
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T00:00:00Z") == 0);
  BOOST_TEST(!scratch.get("load_factor", kHour, "2018-06-01T00:00:00Z").value.has_value());
  BOOST_TEST(!scratch.get("night_share", kDay, kJune1).value.has_value());
  const auto gap = scratch.get("energy_kwh", kHour, "2018-06-01T01:00:00Z");
  BOOST_TEST(!gap.value.has_value());
  BOOST_TEST(gap.completeness == 0);
  BOOST_TEST((gap.status == KpiStatus::insufficient));
}

BOOST_AUTO_TEST_CASE(cost_counts_only_periods_with_a_price_and_prices_may_be_negative) {
  Scratch scratch;
  auto values = hours("2018-06-01", 3, 2);
  values.push_back(price("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 0.1));
  values.push_back(price("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", -0.3));
  scratch.send("2018-06-03", numbered(values));
  BOOST_TEST(std::abs(scratch.value("cost_eur", kDay, kJune1) + 0.4) < 1e-12);
  BOOST_TEST(std::abs(scratch.value("mean_price_eur_kwh", kDay, kJune1) + 0.1) < 1e-12);
  BOOST_TEST(std::abs(scratch.value("time_avg_price_eur_kwh", kDay, kJune1) + 0.1) < 1e-12);
  BOOST_TEST(scratch.get("cost_eur", kDay, kJune1).completeness == 2.0 / 24);
  const auto unpriced = scratch.get("cost_eur", kHour, "2018-06-01T02:00:00Z");
  BOOST_TEST(!unpriced.value.has_value());
  BOOST_TEST(unpriced.attributes.at("missing") == "energy_price");
}

BOOST_AUTO_TEST_CASE(the_first_price_of_a_meter_shows_in_windows_that_it_does_not_touch) {
  const auto june2 = "2018-06-01T22:00:00Z";
  Scratch scratch;
  scratch.send("2018-06-04", hours("2018-06-01", 24, 2));
  BOOST_TEST(!scratch.find("cost_eur", kHour, "2018-06-01T02:00:00Z").has_value());
  BOOST_TEST(scratch.get("time_avg_price_eur_kwh", kDay, kJune1).attributes.contains("missing"));
  scratch.send("2018-06-04", {price("2018-06-01T22:00:00Z", "2018-06-01T23:00:00Z", 0.1)});
  BOOST_TEST(scratch.value("cost_eur", kDay, june2) == 0.2);
  // As they would be had the price come first.
  BOOST_TEST(scratch.find("cost_eur", kHour, "2018-06-01T02:00:00Z").has_value());
  BOOST_TEST(!scratch.get("time_avg_price_eur_kwh", kDay, kJune1).attributes.contains("missing"));
}

BOOST_AUTO_TEST_CASE(the_25_hour_day_is_complete_with_25_values) {
  Scratch scratch;
  auto values = hours("2018-10-27", 60, 1);
  scratch.send("2018-11-03", values);
  const auto day = scratch.get("energy_kwh", kDay, "2018-10-27T22:00:00Z");
  BOOST_TEST(*day.value == 25);
  BOOST_TEST((day.status == KpiStatus::complete));
  BOOST_TEST(scratch.value("night_kwh", kDay, "2018-10-27T22:00:00Z") == 9);
}

BOOST_AUTO_TEST_CASE(without_a_threshold_there_are_no_burning_hours_but_energy) {
  Scratch scratch;
  scratch.send("2018-06-02",
               {power("2018-06-01T12:00:00Z", 1000), power("2018-06-01T12:15:00Z", 2000, 2)});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 0.25 + 1);  // the last one is held 30 min
  BOOST_TEST(!scratch.get("operating_hours", kDay, kJune1).value.has_value());
  BOOST_TEST(scratch.get("operating_hours", kDay, kJune1).attributes.at("missing") ==
             "on_threshold_w");
  BOOST_TEST(scratch.get("full_load_hours", kDay, kJune1).attributes.at("missing") ==
             "installed_power_w");

  scratch.send(
      "2018-06-03", {},
      {fact("LAMPS", "", "on_threshold_w", "1000"), fact("LAMPS", "", "nominal_step", "PT1H")});
  BOOST_TEST(scratch.value("operating_hours", kDay, kJune1) ==
             2);  // above the threshold, not at it
  BOOST_TEST(scratch.value("day_burning_hours", kDay, kJune1) == 1.75);  // until 16:00 in Madrid
  BOOST_TEST(scratch.value("standby_energy_kwh", kDay, kJune1) == 0.25);
}

BOOST_AUTO_TEST_CASE(a_sample_acts_on_the_windows_that_it_is_held_into) {
  Scratch scratch;
  scratch.send("2018-06-02", {power("2018-06-01T12:45:00Z", 1000)});
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T13:00:00Z") == 0.25);
  // The next sample ends it.
  scratch.send("2018-06-02", {power("2018-06-01T12:50:00Z", 0)});
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T13:00:00Z") == 0);
}

BOOST_AUTO_TEST_CASE(a_sample_of_a_longer_step_gives_way_to_one_of_a_shorter_step) {
  const auto later = "2018-06-01T20:00:00Z";
  Scratch scratch;
  scratch.send("2018-06-02", {power("2018-06-01T12:00:00Z", 1000)},
               {fact("LAMPS", "", "nominal_step", "PT6H"),
                fact("LAMPS", "", "nominal_step", "PT15M", "2018-06-01T12:30:00Z")});
  BOOST_TEST(scratch.value("energy_kwh", kHour, later) == 1);  // held for twelve hours
  scratch.send("2018-06-02", {power("2018-06-01T13:00:00Z", 500)});
  BOOST_TEST(scratch.value("energy_kwh", kHour, "2018-06-01T13:00:00Z") == 0.25);
  BOOST_TEST(!scratch.get("energy_kwh", kHour, later).value.has_value());
}

BOOST_AUTO_TEST_CASE(base_load_and_near_peak_are_percentiles_of_the_months_demands) {
  Scratch scratch;
  auto values = hours("2018-06-01", 41, 0);
  for (std::size_t i = 0; i < values.size(); ++i) values[i].value = static_cast<double>(i);
  scratch.send("2018-06-03", values);
  BOOST_TEST(std::abs(scratch.value("base_load_kw", kMonth, kJune1) - 1) < 1e-9);
  BOOST_TEST(std::abs(scratch.value("near_peak_kw", kMonth, kJune1) - 39) < 1e-9);
  BOOST_TEST(!scratch.find("base_load_kw", kDay, kJune1));
}

BOOST_AUTO_TEST_CASE(metered_energy_takes_precedence_over_energy_from_power) {
  Scratch scratch;
  auto sample = power("2018-06-01T12:00:00Z", 1000);
  sample.source = "SHOP";
  scratch.send("2018-06-02", {sample});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 0.5);
  scratch.send("2018-06-03", {energy("2018-06-01T12:00:00Z", "2018-06-01T13:00:00Z", 0.7)});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 0.7);
  BOOST_TEST(scratch.value("peak_w", kDay, kJune1) == 1000);
}

BOOST_AUTO_TEST_CASE(registers_roll_over_by_their_modulus_and_other_falls_are_anomalies) {
  const auto values = {reading("2018-06-01T00:00:00Z", 990), reading("2018-06-01T01:00:00Z", 10, 2),
                       reading("2018-06-01T02:00:00Z", 5, 3),
                       reading("2018-06-01T03:00:00Z", 8, 4)};
  Scratch scratch;
  scratch.send(
      "2018-06-02", values,
      {fact("HOUSE", "W1", "register_modulus", "1000"), fact("HOUSE", "W1", "unit", "m3")});
  const auto across = scratch.get("consumption", kHour, "2018-06-01T00:00:00Z");
  BOOST_TEST(*across.value == 20);
  BOOST_TEST(across.unit == "m3");
  BOOST_TEST(across.attributes.at("rollovers") == "1");
  const auto fallen = scratch.get("consumption", kHour, "2018-06-01T01:00:00Z");
  BOOST_TEST(*fallen.value == 0);
  BOOST_TEST(fallen.attributes.at("anomalies") == "1");
  BOOST_TEST(scratch.value("consumption", kHour, "2018-06-01T02:00:00Z") == 3);

  Scratch without;
  without.send("2018-06-02", values);
  const auto unknown = without.get("consumption", kHour, "2018-06-01T00:00:00Z");
  BOOST_TEST(*unknown.value == 0);
  BOOST_TEST(unknown.attributes.at("anomalies") == "1");
  BOOST_TEST(unknown.attributes.at("missing") == "unit");
}

BOOST_AUTO_TEST_CASE(a_reading_at_the_start_of_a_window_is_noted_like_any_other) {
  Scratch scratch;
  auto estimated = reading("2018-06-01T12:00:00Z", 100);
  estimated.flags = flag_estimated;
  scratch.send("2018-06-02", {estimated, reading("2018-06-01T13:00:00Z", -1, 2),
                              reading("2018-06-01T14:00:00Z", 102, 3)});
  BOOST_TEST(scratch.get("consumption", kHour, "2018-06-01T12:00:00Z")
                 .attributes.contains("estimated_values"));
  BOOST_TEST(
      scratch.get("consumption", kHour, "2018-06-01T13:00:00Z").attributes.contains("implausible"));
}

BOOST_AUTO_TEST_CASE(a_boundary_in_a_long_gap_is_estimated_and_one_outside_is_null) {
  Scratch scratch;
  scratch.send("2018-06-05",
               {reading("2018-05-31T22:00:00Z", 0), reading("2018-06-01T20:00:00Z", 22, 2),
                reading("2018-06-02T04:00:00Z", 30, 3), reading("2018-06-02T10:00:00Z", 36, 4)});
  const auto first = scratch.get("consumption", kDay, kJune1);
  BOOST_TEST(*first.value == 24);
  BOOST_TEST((first.status == KpiStatus::estimated));
  BOOST_TEST(first.completeness == 0);  // both gaps are longer than six hours
  BOOST_TEST(first.attributes.at("readings") == "2");
  const auto second = scratch.get("consumption", kDay, "2018-06-01T22:00:00Z");
  BOOST_TEST(!second.value.has_value());
  BOOST_TEST((second.status == KpiStatus::insufficient));
  BOOST_TEST(second.completeness == 0.25);
  const auto hour = scratch.get("consumption", kHour, "2018-06-02T05:00:00Z");
  BOOST_TEST((hour.status == KpiStatus::complete));  // the gap of just six hours is none
  // A reading in the gap turns the estimate into a fact.
  scratch.send("2018-06-06", {reading("2018-06-01T22:00:00Z", 23)});
  BOOST_TEST(scratch.value("consumption", kDay, kJune1) == 23);
  BOOST_TEST((scratch.get("consumption", kDay, kJune1).status == KpiStatus::complete));
}

BOOST_AUTO_TEST_CASE(units_are_converted_where_that_is_trivial_and_refused_where_not) {
  Scratch scratch;
  auto watt_hours = energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 5000);
  watt_hours.unit = "Wh";
  auto therms = energy("2018-06-01T01:00:00Z", "2018-06-01T02:00:00Z", 1, 2);
  therms.unit = "therm";
  scratch.send("2018-06-02", {watt_hours, therms});
  BOOST_TEST(scratch.value("energy_kwh", kDay, kJune1) == 5);
  BOOST_TEST(count(scratch, MeasurementState::unusable) == 1U);
}

BOOST_AUTO_TEST_CASE(implausible_times_are_kept_but_start_no_windows) {
  Scratch scratch;
  scratch.send("2018-06-02", {energy("1970-01-01T00:00:00Z", "1970-01-01T01:00:00Z", 1),
                              energy("2018-01-01T00:00:00Z", "2018-06-01T00:00:00Z", 1, 2),
                              energy("2019-01-01T00:00:00Z", "2019-01-01T01:00:00Z", 1, 3),
                              energy("2018-06-01T02:00:00Z", "2018-06-01T01:00:00Z", 1, 4)});
  BOOST_TEST(count(scratch, MeasurementState::unusable) == 4U);
  BOOST_TEST(must(scratch.store.kpis({})).empty());
}

BOOST_AUTO_TEST_CASE(gaps_get_rows_only_up_to_a_length) {
  Scratch scratch;
  scratch.send("2018-06-02", {energy("2017-01-01T00:00:00Z", "2017-01-01T01:00:00Z", 1),
                              energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 1, 2)});
  BOOST_TEST(!scratch.find("energy_kwh", kHour, "2017-08-01T00:00:00Z"));
  BOOST_TEST(!scratch.find("energy_kwh", kDay, "2017-07-31T22:00:00Z"));
  BOOST_TEST(!scratch.get("energy_kwh", kMonth, "2017-07-31T22:00:00Z").value.has_value());
}

// Values that lie anywhere in a few years, of many sources, as a sender may scatter them.
BOOST_AUTO_TEST_CASE(rows_stay_in_proportion_to_the_values_however_they_are_scattered) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    Scratch scratch;
    std::mt19937 random(seed);
    std::vector<Observation> scattered;
    for (std::uint32_t message = 1; message <= 200; ++message) {
      const auto start = at("2015-01-01") + 1h * static_cast<int>(random() % 20'000);
      const auto source = "S" + std::to_string(random() % 30);
      scattered.push_back({source, "", "active_energy", "kWh", ValueKind::interval, start,
                           start + 1h, 1, message, 0});
    }
    scratch.send("2018-06-02", scattered);
    std::map<std::pair<WindowKind, std::string>, std::size_t> rows;  // of each kind and KPI
    for (const auto& kpi : must(scratch.store.kpis({}))) ++rows[{kpi.window, kpi.kpi}];
    for (const auto& [of, count] : rows) BOOST_TEST(count <= kGapWindowsMax * scattered.size());
    // Nearly all of the gaps are longer than three days.
    BOOST_TEST((rows[{kHour, "energy_kwh"}]) < 15 * scattered.size());
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_source_is_flagged_until_master_data_names_it) {
  Scratch scratch;
  scratch.send("2018-06-02", {energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 1)});
  BOOST_TEST(
      (must(scratch.store.measurements({})).front().observation.flags & flag_unknown_source) != 0U);
  BOOST_TEST(must(scratch.store.counts()).unknown_sources == 1U);
  scratch.send("2018-06-03", {}, {fact("SHOP", "", "medium", "power")});
  BOOST_TEST(
      (must(scratch.store.measurements({})).front().observation.flags & flag_unknown_source) == 0U);
  BOOST_TEST(must(scratch.store.counts()).unknown_sources == 0U);
}

BOOST_AUTO_TEST_CASE(an_estimate_of_the_gateway_shows_in_the_kpi) {
  Scratch scratch;
  auto estimated = energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 1);
  estimated.flags = flag_estimated;
  scratch.send("2018-06-02", {estimated});
  BOOST_TEST(scratch.get("energy_kwh", kMonth, kJune1).attributes.at("estimated_values") == "1");
}

BOOST_AUTO_TEST_CASE(
    two_values_for_one_period_in_one_envelope_show_in_the_kpi_until_a_third_comes) {
  Scratch scratch;
  scratch.send("2018-06-02", {energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 3.5, 1),
                              energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 0, 2)});
  const auto disputed = scratch.get("energy_kwh", kHour, "2018-06-01T00:00:00Z");
  BOOST_TEST(*disputed.value == 0);
  BOOST_TEST(disputed.attributes.at("disputed") == "1");
  BOOST_TEST((disputed.status == KpiStatus::partial));
  scratch.send("2018-06-03", {energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 3.5)});
  const auto settled = scratch.get("energy_kwh", kHour, "2018-06-01T00:00:00Z");
  BOOST_TEST(*settled.value == 3.5);
  BOOST_TEST(!settled.attributes.contains("disputed"));
  BOOST_TEST((settled.status == KpiStatus::complete));
}

BOOST_AUTO_TEST_CASE(the_zone_that_master_data_declares_replaces_the_tenants) {
  Scratch scratch;
  scratch.send("2018-06-03", hours("2018-06-01", 24, 1));
  BOOST_TEST(scratch.find("energy_kwh", kDay, kJune1).has_value());
  scratch.send("2018-06-04", {}, {fact("SHOP", "", "zone", "UTC")});
  BOOST_TEST(!scratch.find("energy_kwh", kDay, kJune1).has_value());
  BOOST_TEST(scratch.value("energy_kwh", kDay, "2018-06-01") == 24);
}

BOOST_AUTO_TEST_CASE(a_kpi_names_its_envelopes) {
  Scratch scratch;
  scratch.send("2018-06-02", hours("2018-06-01", 2, 1));                                    // 1
  scratch.send("2018-06-03", {energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 2)});  // 2
  scratch.send("2018-06-04",
               {energy("2018-06-01T23:00:00Z", "2018-06-02T00:00:00Z", 2)});  // 3: 2 June
  scratch.send("2018-06-04", {reading("2018-05-31T21:00:00Z", 0)},
               {fact("HOUSE", "W1", "unit", "L")});                  // 4
  scratch.send("2018-06-04", {reading("2018-06-01T12:00:00Z", 1)});  // 5
  scratch.send("2018-06-04", {reading("2018-06-02T12:00:00Z", 2)});  // 6
  scratch.send("2018-06-04", {reading("2018-06-02T13:00:00Z", 3)});  // 7
  const auto leaves = [&](const char* kpi, WindowKind kind, const char* start) {
    std::string text;
    for (const auto& found : must(scratch.engine.origins_of(scratch.get(kpi, kind, start))))
      text += std::to_string(found.leaf_index) + " ";
    return text;
  };
  BOOST_TEST(leaves("energy_kwh", kDay, kJune1) == "1 2 ");
  BOOST_TEST(leaves("energy_kwh", kHour, "2018-06-01T00:00:00Z") == "2 ");
  BOOST_TEST(leaves("consumption", kDay, kJune1) == "4 5 6 ");
}

BOOST_AUTO_TEST_CASE(a_bad_batch_is_refused_before_anything_is_written) {
  Scratch scratch;
  const auto good = energy("2018-06-01T00:00:00Z", "2018-06-01T01:00:00Z", 1);
  auto infinite = good;
  infinite.value = std::numeric_limits<double>::infinity();
  auto different = good;
  different.value = 2;
  const Batch batches[] = {
      {"20", {}, {good, infinite}, {}}, {"20", {}, {good, different}, {}}, {"99", {}, {good}, {}}};
  for (const auto& batch : batches) {
    auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
    Touched touched;
    const auto done =
        scratch.engine.ingest(transaction, batch, origin(1, at("2018-06-02")), touched);
    BOOST_REQUIRE(!done);
    BOOST_TEST((done.error().code == ErrorCode::quantify_failed));
    BOOST_TEST(touched.meters.empty());
    static_cast<void>(must(transaction.commit()));
  }
  BOOST_TEST(must(scratch.store.counts()).meters == 0U);
}

BOOST_AUTO_TEST_CASE(sums_that_overflow_are_null_rather_than_infinite) {
  Scratch scratch;
  const double huge = std::numeric_limits<double>::max();
  scratch.send("2018-06-02", hours("2018-06-01", 2, huge));
  const auto day = scratch.get("energy_kwh", kDay, kJune1);
  BOOST_TEST(!day.value.has_value());
  BOOST_TEST(day.attributes.at("overflow") == "true");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

// Start, KPI, value, status and attributes of every row: what must not depend on the way there.
std::vector<std::string> rows_of(Scratch& scratch) {
  std::vector<std::string> rows;
  for (const auto& kpi : must(scratch.store.kpis({}))) {
    auto row =
        kpi.meter.source + " " + kpi.kpi + " " + std::to_string(static_cast<int>(kpi.window)) +
        " " + format_instant(kpi.start) + " " + format_instant(kpi.end) + " " +
        (kpi.value ? std::to_string(*kpi.value) : "null") + " " + std::to_string(kpi.completeness) +
        " " + std::to_string(static_cast<int>(kpi.status));
    for (const auto& [name, value] : kpi.attributes) row += " " + name + "=" + value;
    rows.push_back(std::move(row));
  }
  return rows;
}

// Ingests the batch, and breaks off after `years` years of recomputation, with those committed.
void break_off(Scratch& scratch, const Batch& batch, const Origin& from, int years) {
  auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
  const auto pause = [&]() -> Result<Ok> {
    if (years-- == 0) return fail(ErrorCode::archive_unavailable, "the power is gone");
    DISTRICT_CHECK(transaction.commit());
    return transaction.begin_again();
  };
  Engine engine(
      *scratch.database, [](std::string_view) { return "Europe/Madrid"; }, pause);
  BOOST_REQUIRE(!engine.apply(transaction, batch, from, from.received_at));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_recomputation_that_broke_off_is_made_good_by_ingesting_again) {
  const Batch first{"20",
                    {},
                    {energy("2016-01-10T00:00:00Z", "2016-01-10T01:00:00Z", 1),
                     energy("2017-02-10T00:00:00Z", "2017-02-10T01:00:00Z", 2, 2),
                     energy("2018-03-10T00:00:00Z", "2018-03-10T01:00:00Z", 3, 3)},
                    {}};
  const Batch correction{"20",
                         {},
                         {energy("2016-01-10T00:00:00Z", "2016-01-10T01:00:00Z", 10),
                          energy("2017-02-10T00:00:00Z", "2017-02-10T01:00:00Z", 20, 2),
                          energy("2018-03-10T00:00:00Z", "2018-03-10T01:00:00Z", 30, 3)},
                         {}};
  const Batch zone{"20", {}, {}, {fact("SHOP", "", "zone", "Asia/Tokyo")}};
  const auto received = [](std::uint64_t leaf) {
    return origin(leaf, at("2018-04-01") + std::chrono::hours(leaf));
  };
  Scratch straight;
  for (const auto& [leaf, batch] : {std::pair(1U, &first), {2U, &correction}, {3U, &zone}}) {
    straight.apply(*batch, received(leaf));
  }
  for (const int years : {0, 1, 2}) {
    Scratch scratch;
    for (const auto& [leaf, batch] : {std::pair(1U, &first), {2U, &correction}, {3U, &zone}}) {
      break_off(scratch, *batch, received(leaf), years);
      scratch.apply(*batch, received(leaf));
    }
    BOOST_TEST(rows_of(scratch) == rows_of(straight), boost::test_tools::per_element());
  }
}
