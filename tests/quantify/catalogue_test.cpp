// KPIs of each family from few values, whose results can be computed by head.
#include "kpi/catalogue.h"

#include <boost/test/unit_test.hpp>

#include "fixture.h"
#include "quantify/site_import.h"
#include "series/plausibility.h"
#include "store/archive_reader.h"
#include "store/transaction.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

constexpr double kEpsilon = 1e-9;

// Hourly values of the shop from the instant on.
std::vector<Observation> hourly(const char* quantity, const char* unit, ValueKind kind,
                                const char* from, int count, double value) {
  std::vector<Observation> values;
  for (int i = 0; i < count; ++i) {
    const auto start = at(from) + 1h * i;
    values.push_back({"SHOP", "", quantity, unit, kind, start, start + 1h, value,
                      static_cast<std::uint32_t>(i + 1), 0});
  }
  return values;
}
std::vector<Observation> energies(const char* from, int count, double value) {
  return hourly("active_energy", "kWh", ValueKind::interval, from, count, value);
}
std::vector<Observation> outdoor(const char* from, int count, double value) {
  return hourly("temperature_out", "Cel", ValueKind::mean, from, count, value);
}

void check(Scratch& scratch, const char* kpi, WindowKind window, const char* start,
           double expected) {
  BOOST_TEST_CONTEXT(kpi) {
    BOOST_TEST(std::abs(scratch.value(kpi, window, start) - expected) <= kEpsilon,
               scratch.value(kpi, window, start) << " instead of " << expected);
  }
}

constexpr auto kDay = WindowKind::day, kMonth = WindowKind::month, kYear = WindowKind::year;
const char* const kYear2018 = "2017-12-31T23:00:00Z";

}  // namespace

BOOST_AUTO_TEST_SUITE(catalogue_kpis)

BOOST_AUTO_TEST_CASE(co2_takes_the_factor_that_held_when_the_energy_was_used) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 24, 2),
               {fact("SHOP", "", "co2_factor_kg_per_kwh", "0.2"),
                fact("SHOP", "", "co2_factor_kg_per_kwh", "0.4", "2018-06-01T10:00:00Z")});
  check(scratch, "co2_kg", kDay, "2018-05-31T22:00:00Z", 12 * 2 * 0.2 + 12 * 2 * 0.4);
}

BOOST_AUTO_TEST_CASE(a_period_across_a_boundary_has_the_factor_that_held_at_its_start) {
  Scratch scratch;
  // From midnight on the factor is another one.
  scratch.send("2018-04-01", {energy("2018-02-28T22:30:00Z", "2018-02-28T23:30:00Z", 10)},
               {fact("SHOP", "", "co2_factor_kg_per_kwh", "0.25", "2010-01-01"),
                fact("SHOP", "", "co2_factor_kg_per_kwh", "0.5", "2018-02-28T23:00:00Z")});
  BOOST_TEST(scratch.value("co2_kg", WindowKind::day, "2018-02-27T23:00:00Z") == 1.25);
  BOOST_TEST(scratch.value("co2_kg", WindowKind::day, "2018-02-28T23:00:00Z") == 1.25);
}

BOOST_AUTO_TEST_CASE(what_is_missing_of_master_data_is_named) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 24, 2));
  const auto co2 = scratch.get("co2_kg", kDay, "2018-05-31T22:00:00Z");
  BOOST_TEST(!co2.value.has_value());
  BOOST_TEST(co2.attributes.at("missing") == "co2_factor_kg_per_kwh");
  BOOST_TEST(scratch.get("eui_kwh_m2a", kYear, kYear2018).attributes.at("missing") ==
             "floor_area_m2");
  BOOST_TEST(!scratch.find("leni_kwh_m2a", kYear, kYear2018).has_value());
}

BOOST_AUTO_TEST_CASE(intensity_and_leni_need_nine_tenths_of_a_year) {
  Scratch scratch;
  const std::vector<MasterFact> facts = {fact("SHOP", "", "floor_area_m2", "100"),
                                         fact("SHOP", "", "medium", "lighting")};
  scratch.send("2019-02-01", energies(kYear2018, 7000, 1), facts);
  BOOST_TEST(!scratch.get("eui_kwh_m2a", kYear, kYear2018).value.has_value());
  check(scratch, "leni_annualised_kwh_m2a", kYear, kYear2018, 7000.0 / 100 * 8760 / 7000);
  check(scratch, "lighting_energy_intensity_kwh_m2", kYear, kYear2018, 70);
  scratch.send("2019-02-02", energies("2018-10-19T15:00:00Z", 1000, 1));
  check(scratch, "eui_kwh_m2a", kYear, kYear2018, 87.6);
  check(scratch, "leni_kwh_m2a", kYear, kYear2018, 87.6);
}

BOOST_AUTO_TEST_CASE(degree_days_count_valid_days_only) {
  Scratch scratch;
  // A day of 12 hours is valid, one of 11 is not.
  scratch.send("2018-02-03", outdoor("2018-01-31T23:00:00Z", 12, 10));
  scratch.send("2018-02-04", outdoor("2018-02-01T23:00:00Z", 11, 10));
  check(scratch, "hdd18_kd", kDay, "2018-01-31T23:00:00Z", 8);
  check(scratch, "hdd_eurostat_kd", kDay, "2018-01-31T23:00:00Z", 8);
  BOOST_TEST(!scratch.get("hdd18_kd", kDay, "2018-02-01T23:00:00Z").value.has_value());
  const auto month = scratch.get("hdd18_kd", kMonth, "2018-01-31T23:00:00Z");
  BOOST_TEST(*month.value == 8);
  BOOST_TEST(month.attributes.at("valid_days") == "1");
  BOOST_TEST(month.attributes.at("expected_days") == "28");
}

BOOST_AUTO_TEST_CASE(eurostat_degree_days_begin_at_their_thresholds) {
  Scratch scratch;
  scratch.send("2018-02-03", outdoor("2018-01-31T23:00:00Z", 24, 15));
  scratch.send("2018-02-04", outdoor("2018-02-01T23:00:00Z", 24, 15.5));
  scratch.send("2018-02-05", outdoor("2018-02-02T23:00:00Z", 24, 24));
  check(scratch, "hdd_eurostat_kd", kMonth, "2018-01-31T23:00:00Z", 3);
  check(scratch, "hdd18_kd", kMonth, "2018-01-31T23:00:00Z", 5.5);
  check(scratch, "cdd_eurostat_kd", kMonth, "2018-01-31T23:00:00Z", 3);
  check(scratch, "cdd21_kd", kMonth, "2018-01-31T23:00:00Z", 3);
}

// `count` values of ten minutes each.
std::vector<Observation> each_ten_minutes(const char* quantity, const char* from, int count,
                                          double value) {
  auto values = hourly(quantity, "Cel", ValueKind::mean, from, count, value);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i].start = at(from) + 10min * i;
    values[i].end = values[i].start + 10min;
  }
  return values;
}

BOOST_AUTO_TEST_CASE(a_day_of_one_temperature_is_exactly_at_the_threshold) {
  Scratch scratch;
  // Sixths of an hour are no binary fractions.
  scratch.send("2018-06-04", each_ten_minutes("temperature_out", "2018-05-31T22:00:00Z", 98, 15));
  check(scratch, "mean_temp_out_c", kDay, "2018-05-31T22:00:00Z", 15);
  check(scratch, "hdd_eurostat_kd", kDay, "2018-05-31T22:00:00Z", 3);
}

BOOST_AUTO_TEST_CASE(a_month_of_ten_minute_values_is_complete) {
  Scratch scratch;
  scratch.send("2018-08-04", each_ten_minutes("temperature_in", "2018-05-31T22:00:00Z", 4320, 24));
  const auto june = scratch.get("hours_within_II", kMonth, "2018-05-31T22:00:00Z");
  BOOST_TEST(*june.value == 720);
  BOOST_TEST(june.completeness == 1);
  BOOST_TEST((june.status == KpiStatus::complete));
}

BOOST_AUTO_TEST_CASE(energy_per_degree_day_waits_for_enough_of_them) {
  Scratch scratch;
  scratch.send("2018-03-03", energies("2018-01-31T23:00:00Z", 28 * 24, 1));
  scratch.send("2018-03-04", outdoor("2018-01-31T23:00:00Z", 28 * 24, 17.5));
  BOOST_TEST(!scratch.get("kwh_per_hdd", kMonth, "2018-01-31T23:00:00Z").value.has_value());
  scratch.send("2018-03-05", outdoor("2018-01-31T23:00:00Z", 28 * 24, 8));
  check(scratch, "kwh_per_hdd", kMonth, "2018-01-31T23:00:00Z", 28.0 * 24 / 280);
}

BOOST_AUTO_TEST_CASE(another_meters_outdoor_temperature_serves_where_master_data_says_so) {
  Scratch scratch;
  scratch.send("2018-03-03", energies("2018-01-31T23:00:00Z", 28 * 24, 1),
               {fact("SHOP", "", "outdoor_sensor", "ROOF/T1")});
  auto roof = outdoor("2018-01-31T23:00:00Z", 28 * 24, 8);
  for (auto& observation : roof) {
    observation.source = "ROOF";
    observation.meter = "T1";
  }
  scratch.send("2018-03-04", roof);
  check(scratch, "kwh_per_hdd", kMonth, "2018-01-31T23:00:00Z", 28.0 * 24 / 280);
}

BOOST_AUTO_TEST_CASE(comfort_limits_are_included_and_change_with_the_season) {
  Scratch scratch;
  // 25 degrees: within I until 30 April, within II of the cooling season from 1 May.
  scratch.send("2018-05-03",
               hourly("temperature_in", "Cel", ValueKind::mean, "2018-04-30T20:00:00Z", 4, 25.8));
  check(scratch, "hours_above_II", kMonth, "2018-03-31T22:00:00Z", 2);
  check(scratch, "deg_hours_above_II", kMonth, "2018-03-31T22:00:00Z", 2 * (25.8 - 25));
  check(scratch, "hours_within_II", kMonth, "2018-04-30T22:00:00Z", 2);
  check(scratch, "hours_within_I", kMonth, "2018-04-30T22:00:00Z", 0);
  BOOST_TEST(scratch.get("adaptive_hours_applicable", kMonth, "2018-04-30T22:00:00Z")
                 .attributes.at("missing") == "temperature_out");
}

BOOST_AUTO_TEST_CASE(the_running_mean_needs_all_of_seven_days) {
  Scratch scratch;
  scratch.send("2018-05-03",
               hourly("temperature_in", "Cel", ValueKind::mean, "2018-05-07T22:00:00Z", 24, 24));
  scratch.send("2018-05-12", outdoor("2018-05-01T22:00:00Z", 6 * 24, 15));
  check(scratch, "adaptive_hours_applicable", kMonth, "2018-04-30T22:00:00Z", 0);
  scratch.send("2018-05-13", outdoor("2018-04-30T22:00:00Z", 24, 15));
  check(scratch, "adaptive_hours_applicable", kMonth, "2018-04-30T22:00:00Z", 24);
  // 0.33 * 15 + 18.8 = 23.75
  check(scratch, "adaptive_hours_within_I", kMonth, "2018-04-30T22:00:00Z", 24);
}

BOOST_AUTO_TEST_CASE(the_running_mean_has_whole_days_where_the_clocks_change) {
  // A value from 31 October to 1 November; the first hour of the week before is a hot one.
  auto values = each_ten_minutes("temperature_out", "2018-10-23T22:00:00Z", 9 * 144, 29.95);
  for (std::size_t i = 0; i < 6; ++i) values[i].value = 60;
  values.push_back({"SHOP", "", "temperature_in", "Cel", ValueKind::mean,
                    at("2018-10-31T22:50:00Z"), at("2018-10-31T23:10:00Z"), 28, 2000, 0});
  Scratch scratch;
  scratch.send("2018-11-04", values);
  // Its running mean is above 30 degrees with that hour, and below without.
  check(scratch, "adaptive_hours_applicable", kMonth, "2018-10-31T23:00:00Z", 0);
  check(scratch, "adaptive_hours_applicable", kMonth, "2018-09-30T22:00:00Z", 0);
}

BOOST_AUTO_TEST_CASE(street_lighting_has_indicators_of_power_density_and_annual_consumption) {
  Scratch scratch;
  scratch.send(
      "2018-01-01", {},
      {fact("LAMPS", "", "installed_power_w", "11845"),
       fact("LAMPS", "", "illuminance_area_lx_m2", "270000"),
       fact("LAMPS", "", "lit_area_m2", "28800"), fact("LAMPS", "", "on_threshold_w", "500"),
       fact("LAMPS", "", "nominal_step", "P1D")});
  std::vector<Observation> samples;
  for (std::uint32_t day = 0; day < 365; ++day) {
    const auto when = at(kYear2018) + 24h * day;
    samples.push_back(
        {"LAMPS", "", "active_power", "W", ValueKind::instant, when, when, 1000, day + 1, 0});
  }
  scratch.send("2019-01-02", samples);
  check(scratch, "pdi_w_per_lx_m2", kYear, kYear2018, 11845.0 / 270000);
  check(scratch, "aeci_kwh_m2", kYear, kYear2018, 8760.0 / 28800);
  check(scratch, "full_load_hours", kYear, kYear2018, 8760.0 * 1000 / 11845);
  auto lux = samples;
  for (auto& sample : lux) {
    sample.quantity = "illuminance";
    sample.unit = "lx";
    sample.value = 10;
  }
  scratch.send("2019-01-03", lux);
  scratch.send("2019-01-04", {}, {fact("LAMPS", "", "zone", "Europe/Madrid", "2011-01-01")});
  check(scratch, "pdi_measured_w_per_lx_m2", kYear, kYear2018, 1000.0 / (10 * 28800));
}

BOOST_AUTO_TEST_CASE(a_window_without_samples_has_no_power_density) {
  Scratch scratch;
  scratch.send("2018-09-01", {power("2018-06-10", 1000, 1), power("2018-08-10", 1000, 2)},
               {fact("LAMPS", "", "installed_power_w", "3000"),
                fact("LAMPS", "", "illuminance_area_lx_m2", "2000")});
  check(scratch, "pdi_w_per_lx_m2", kMonth, "2018-05-31T22:00:00Z", 1.5);
  const auto july = scratch.get("pdi_w_per_lx_m2", kMonth, "2018-06-30T22:00:00Z");
  BOOST_TEST(!july.value.has_value());
  BOOST_TEST(july.completeness == 0);
}

BOOST_AUTO_TEST_CASE(consumption_goes_on_across_an_exchange_and_is_counted_once) {
  Scratch scratch;
  const auto reading_of = [](const char* meter, const char* when, double value) {
    return Observation{"HOUSE",  meter,    "register", "meter", ValueKind::reading,
                       at(when), at(when), value,      1,       0};
  };
  scratch.send("2019-06-01", {},
               {fact("HOUSE", "OLD", "unit", "kWh"), fact("HOUSE", "NEW", "unit", "kWh")});
  scratch.send("2019-06-20", {reading_of("OLD", "2019-05-31T22:00:00Z", 100)});
  scratch.send("2019-06-21", {reading_of("OLD", "2019-06-12T04:00:00Z", 150)});
  scratch.send("2019-07-20", {reading_of("NEW", "2019-06-12T12:00:00Z", 3)});
  scratch.send("2019-07-21", {reading_of("NEW", "2019-06-30T22:00:00Z", 40)});
  const char* june = "2019-05-31T22:00:00Z";
  const auto of_meter = [&](const char* meter) {
    store::KpiFilter filter;
    filter.meter = meter;
    filter.kpi = "consumption";
    filter.window = kMonth;
    filter.from = at(june);
    filter.to = at(june) + Duration{1};
    return must(scratch.store.kpis(filter)).front();
  };
  BOOST_TEST(!of_meter("NEW").value.has_value());
  scratch.send("2019-07-22", {},
               {fact("HOUSE", "NEW", "replaces_meter", "OLD", "2019-06-12T08:00:00Z"),
                fact("HOUSE", "NEW", "replaced_final_register", "152", "2019-06-12T08:00:00Z"),
                fact("HOUSE", "NEW", "initial_register", "1", "2019-06-12T08:00:00Z")});
  const auto joint = of_meter("NEW");
  BOOST_TEST(std::abs(joint.value.value_or(0) - (52 + 39)) < kEpsilon);
  BOOST_TEST(joint.attributes.at("meter_exchanged") == "true");
  // Three of the old and two of the new meter's; final and initial register count as one.
  BOOST_TEST(joint.attributes.at("readings") == "4");
  BOOST_TEST(!of_meter("OLD").value.has_value());
  BOOST_TEST(of_meter("OLD").attributes.at("continued_by") == "NEW");
  // Hour by hour nothing is lost: the old meter's until its final register, then the new one's.
  const auto of_hours = [&](const char* meter, const char* from, const char* to) {
    store::KpiFilter filter;
    filter.meter = meter;
    filter.kpi = "consumption";
    filter.window = WindowKind::hour;
    filter.from = at(from);
    filter.to = at(to);
    double sum = 0;
    for (const auto& hour : must(scratch.store.kpis(filter))) sum += hour.value.value_or(0);
    return sum;
  };
  BOOST_TEST(std::abs(of_hours("OLD", "2019-06-12T04:00:00Z", "2019-06-12T08:00:00Z") - 2) <
             kEpsilon);
  BOOST_TEST(std::abs(of_hours("NEW", "2019-06-12T08:00:00Z", "2019-06-12T12:00:00Z") - 2) <
             kEpsilon);
  BOOST_TEST(of_hours("NEW", "2019-06-12T00:00:00Z", "2019-06-12T08:00:00Z") == 0);
  // Hours have their rows from the exchange on, not from the first reading of the new meter.
  store::KpiFilter hour;
  hour.meter = "NEW";
  hour.kpi = "consumption";
  hour.window = WindowKind::hour;
  hour.from = at("2019-06-12T07:00:00Z");
  hour.to = at("2019-06-12T09:00:00Z");
  const auto hours = must(scratch.store.kpis(hour));
  BOOST_REQUIRE_EQUAL(hours.size(), 1U);  // the hour that ends with the exchange is the old one's
  BOOST_TEST(std::abs(hours.front().value.value_or(0) - 0.5) < kEpsilon);
  // A correction of the old meter's readings reaches the new one's windows.
  scratch.send("2019-07-23", {reading_of("OLD", "2019-05-31T22:00:00Z", 90)});
  BOOST_TEST(std::abs(of_meter("NEW").value.value_or(0) - (62 + 39)) < kEpsilon);
}

BOOST_AUTO_TEST_CASE(
    two_meters_are_not_differenced_where_the_new_ones_first_reading_is_implausible) {
  Scratch scratch;
  std::vector<Observation> of_new;
  for (const double value : {-1, 700, 703}) {
    of_new.push_back(reading("2019-06-12T08:00:00Z", value, 2));
    of_new.back().meter = "W2";
    of_new.back().start = of_new.back().end = at("2019-06-12T08:00:00Z") + 1h * of_new.size();
  }
  scratch.send("2019-07-20", {reading("2019-06-12T02:00:00Z", 150)});
  scratch.send("2019-07-20", of_new,
               {fact("HOUSE", "W2", "replaces_meter", "W1", "2019-06-12T08:00:00Z")});
  // Of the time between the two meters nothing is known.
  const auto before = scratch.get("consumption", WindowKind::hour, "2019-06-12T09:00:00Z");
  BOOST_TEST(before.value.value_or(-1) == 0);
  BOOST_TEST(before.completeness == 0);
  BOOST_TEST((before.status == KpiStatus::estimated));
  BOOST_TEST(scratch.value("consumption", WindowKind::hour, "2019-06-12T10:00:00Z") == 3);
}

BOOST_AUTO_TEST_CASE(the_final_register_of_a_replaced_meter_may_be_stated_last) {
  Scratch scratch;
  auto of_new = reading("2019-06-12T12:00:00Z", 3);
  of_new.meter = "W2";
  scratch.send("2019-07-20", {reading("2019-06-12T04:00:00Z", 150)});
  scratch.send("2019-07-20", {of_new},
               {fact("HOUSE", "W2", "replaces_meter", "W1", "2019-06-12T08:00:00Z")});
  scratch.send("2019-07-21", {},
               {fact("HOUSE", "W2", "replaced_final_register", "152", "2019-06-12T08:00:00Z")});
  store::KpiFilter hour;
  hour.meter = "W1";
  hour.kpi = "consumption";
  hour.window = WindowKind::hour;
  const auto hours = must(scratch.store.kpis(hour));
  BOOST_REQUIRE_EQUAL(hours.size(), 4U);
  BOOST_TEST(hours.back().value.value_or(0) == 0.5);
}

BOOST_AUTO_TEST_CASE(meters_inherit_what_their_building_and_site_state) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 24, 2),
               {fact("SHOP", "", "at_site", "B1"), fact("SHOP", "B1", "at_site", "S1"),
                fact("SHOP", "S1", "co2_factor_kg_per_kwh", "0.5")});
  check(scratch, "co2_kg", kDay, "2018-05-31T22:00:00Z", 24);
  // A change of the site touches the meter.
  scratch.send("2018-06-04", {}, {fact("SHOP", "S1", "co2_factor_kg_per_kwh", "0.25")});
  check(scratch, "co2_kg", kDay, "2018-05-31T22:00:00Z", 12);
  scratch.send("2018-06-05", {}, {fact("SHOP", "B1", "co2_factor_kg_per_kwh", "1")});
  check(scratch, "co2_kg", kDay, "2018-05-31T22:00:00Z", 48);
}

BOOST_AUTO_TEST_CASE(quality_tells_of_first_receipts_and_corrections) {
  Scratch scratch;
  scratch.send("2018-06-01T00:30:00Z", energies("2018-05-31T22:00:00Z", 2, 1));  // 30, 90 min
  scratch.send("2018-06-01T02:30:00Z", energies("2018-06-01T01:00:00Z", 1, 1));  // 30 min
  scratch.send("2018-06-05T00:00:00Z", energies("2018-06-01T02:00:00Z", 1, 1));  // days
  scratch.send("2018-06-06T00:00:00Z", energies("2018-06-01T02:00:00Z", 1, 2));  // a correction
  scratch.send("2018-06-07T00:00:00Z", energies("2018-06-01T01:00:00Z", 1, 1));  // a resend
  const char* day = "2018-05-31T22:00:00Z";
  check(scratch, "availability", kDay, day, 4.0 / 24);
  check(scratch, "timeliness_1h", kDay, day, 2.0 / 4);
  check(scratch, "timeliness_24h", kDay, day, 3.0 / 4);
  check(scratch, "correction_rate", kDay, day, 1.0 / 4);
  check(scratch, "latency_median_s", kDay, day, 3600);
}

BOOST_AUTO_TEST_CASE(values_that_cannot_be_true_are_kept_flagged_and_not_used) {
  Scratch scratch;
  auto values = energies("2018-05-31T22:00:00Z", 24, 2);
  values[3].value = -1;
  values[4].value = 3e5;
  auto outside = outdoor("2018-05-31T22:00:00Z", 24, 10);
  outside[0].value = -300;
  scratch.send("2018-06-03", values);
  scratch.send("2018-06-04", outside);
  scratch.send("2018-06-05", {energy("2018-06-02T02:00:00Z", "2018-06-02T01:00:00Z", 1)});
  scratch.send("2018-06-06", {energy("2018-06-08T02:00:00Z", "2018-06-08T03:00:00Z", 1)});
  const auto day = scratch.get("energy_kwh", kDay, "2018-05-31T22:00:00Z");
  BOOST_TEST(*day.value == 22 * 2);
  BOOST_TEST(day.completeness == 22.0 / 24);
  BOOST_TEST(day.attributes.at("implausible") == "2");
  check(scratch, "mean_temp_out_c", kDay, "2018-05-31T22:00:00Z", 10);
  const auto counts = must(scratch.store.counts());
  for (const auto* rule : {"negative_energy", "spike", "temperature_impossible", "end_before_start",
                           "future_measurement"}) {
    BOOST_TEST_CONTEXT(rule) {
      BOOST_REQUIRE(counts.rules.contains(rule));
      BOOST_TEST(counts.rules.at(rule) == 1U);
    }
  }
  BOOST_TEST(must(scratch.store.measurements({})).size() == 50U);
  // A correction that is true makes the day whole; one that cannot be true does not displace it.
  scratch.send("2018-06-07", energies("2018-06-01T01:00:00Z", 2, 2));
  BOOST_TEST(scratch.value("energy_kwh", kDay, "2018-05-31T22:00:00Z") == 48);
  scratch.send("2018-06-08", energies("2018-06-01T01:00:00Z", 1, -5));
  BOOST_TEST(scratch.value("energy_kwh", kDay, "2018-05-31T22:00:00Z") == 48);
}

BOOST_AUTO_TEST_CASE(an_import_of_statements_is_a_leaf_and_marks_what_it_touches) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 24, 2));
  const std::vector<MasterFact> facts = {fact("SHOP", "", "co2_factor_kg_per_kwh", "0.5")};
  const auto report =
      must(import_statements(*scratch.archive, *scratch.database, "20", facts, at("2018-07-01")));
  BOOST_TEST(report.statements == 1U);
  BOOST_TEST(report.meters == 1U);
  BOOST_TEST(must(scratch.store.stale()).size() == 1U);
  BOOST_TEST(must(store::ArchiveReader(*scratch.archive).site_imports()).size() == 1U);
  // What is stated already is no news.
  const auto again =
      must(import_statements(*scratch.archive, *scratch.database, "20", facts, at("2018-07-02")));
  BOOST_TEST(again.statements == 0U);
  BOOST_TEST(must(store::ArchiveReader(*scratch.archive).site_imports()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_value_is_explained_by_its_inputs_and_statements) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 24, 2),
               {fact("SHOP", "", "co2_factor_kg_per_kwh", "0.5")});
  scratch.send("2018-06-04", energies("2018-05-31T22:00:00Z", 1, 3));
  const auto kpi = scratch.get("co2_kg", kDay, "2018-05-31T22:00:00Z");
  const auto explanation = must(scratch.engine.explain(kpi));
  BOOST_TEST(explanation.definition->id == "co2_kg");
  BOOST_TEST(explanation.inputs.size() == 25U);  // also the one that was superseded
  BOOST_REQUIRE_EQUAL(explanation.facts.size(), 1U);
  BOOST_TEST(explanation.facts.front().value == "0.5");
  BOOST_TEST(must(scratch.engine.origins_of(kpi)).size() == 2U);
}

BOOST_AUTO_TEST_CASE(what_is_recomputed_for_a_time_is_what_was_there) {
  Scratch scratch;
  scratch.send("2018-06-03", energies("2018-05-31T22:00:00Z", 48, 2));
  const auto before = must(scratch.store.kpis({}));
  auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
  static_cast<void>(must(scratch.engine.recompute_between(
      transaction, {"20", "SHOP", ""}, at("2018-06-01"), at("2018-06-02"), at("2030-01-01"))));
  static_cast<void>(must(transaction.commit()));
  const auto after = must(scratch.store.kpis({}));
  BOOST_REQUIRE_EQUAL(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    BOOST_TEST(before[i].revision == after[i].revision);
    BOOST_TEST((before[i].computed_at == after[i].computed_at));
  }
}

BOOST_AUTO_TEST_SUITE_END()
