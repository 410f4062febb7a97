// What explains a KPI value: what acts on it, no more and no less.
#include <boost/test/unit_test.hpp>

#include <map>
#include <set>

#include "fixture.h"
#include "kpi/catalogue.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto kHour = WindowKind::hour, kDay = WindowKind::day, kMonth = WindowKind::month;
constexpr const char* kFebruary = "2018-01-31T23:00:00Z";

struct Stream {
  const char* quantity;
  const char* unit;
  ValueKind kind;
  double low;
};

// Hourly values that differ from hour to hour, in one of two ways.
std::vector<Observation> hourly(const Stream& stream, const char* from, int count, bool other) {
  std::vector<Observation> values;
  for (int i = 0; i < count; ++i) {
    const auto start = at(from) + 1h * i;
    const bool lasts = stream.kind != ValueKind::instant;
    const double value = stream.low * (1 + (other ? 0.05 + i % 5 * 0.21 : i % 7 * 0.1));
    values.push_back({"SHOP", "", stream.quantity, stream.unit, stream.kind, start,
                      lasts ? start + 1h : start, value, static_cast<std::uint32_t>(i + 1), 0});
  }
  return values;
}

const std::vector<MasterFact> kFacts{
    fact("SHOP", "", "zone", "Europe/Madrid"),        fact("SHOP", "", "floor_area_m2", "100"),
    fact("SHOP", "", "medium", "lighting"),           fact("SHOP", "", "on_threshold_w", "55"),
    fact("SHOP", "", "installed_power_w", "80"),      fact("SHOP", "", "lit_area_m2", "50"),
    fact("SHOP", "", "illuminance_area_lx_m2", "70"), fact("SHOP", "", "nominal_step", "PT1H")};

// The quantities of the inputs that the explanation of a value names.
std::set<std::string> explained(Scratch& scratch, const KpiValue& kpi) {
  std::set<std::string> quantities;
  for (const auto& input : must(scratch.engine.explain(kpi)).inputs)
    quantities.insert(input.observation.quantity);
  return quantities;
}

std::set<std::string> facts_of(Scratch& scratch, const KpiValue& kpi) {
  std::set<std::string> attributes;
  for (const auto& fact : must(scratch.engine.explain(kpi)).facts)
    attributes.insert(fact.attribute);
  return attributes;
}

// Changes one stream after the other: the KPIs that become others are those that name it.
void check_by_change(const std::vector<Stream>& streams, const char* from, int count) {
  const auto send = [&](Scratch& scratch, const Stream* changed) {
    scratch.send("2019-01-01", {}, kFacts);
    for (const auto& stream : streams)
      scratch.send("2019-01-01", hourly(stream, from, count, &stream == changed));
  };
  Scratch base;
  send(base, nullptr);
  const auto before = must(base.store.kpis({}));
  std::map<std::string, std::set<std::string>> named, acted;  // by KPI: quantities
  for (const auto& kpi : before) {
    if (!kpi.value) continue;
    named[kpi.kpi].merge(explained(base, kpi));
  }
  for (const auto& stream : streams) {
    Scratch changed;
    send(changed, &stream);
    const auto after = must(changed.store.kpis({}));
    BOOST_REQUIRE_EQUAL(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i].value != after[i].value) acted[before[i].kpi].insert(stream.quantity);
  }
  for (const auto& [kpi, quantities] : named) {
    const auto found = std::ranges::find(catalogue(), kpi, &KpiDefinition::id);
    // Data quality counts values, whatever they are; no day of the stream is warm enough for some.
    const bool counts = found->completeness == CompletenessRule::periods ||
                        kpi == "pdi_w_per_lx_m2" || kpi.starts_with("cdd") ||
                        kpi == "hdd_eurostat_kd";
    if (counts) continue;
    BOOST_TEST_CONTEXT(kpi) {
      BOOST_TEST(quantities == acted[kpi], boost::test_tools::per_element());
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(acting)

BOOST_AUTO_TEST_CASE(what_changes_a_kpi_of_energy_is_named) {
  check_by_change({{"active_energy", "kWh", ValueKind::interval, 1},
                   {"energy_price", "EUR/kWh", ValueKind::mean, 0.1},
                   {"co2_factor", "kg/kWh", ValueKind::mean, 0.2},
                   {"temperature_out", "Cel", ValueKind::mean, 4}},
                  kFebruary, 28 * 24);
}

BOOST_AUTO_TEST_CASE(what_changes_a_kpi_of_power_is_named) {
  check_by_change({{"active_power", "W", ValueKind::instant, 50},
                   {"illuminance", "lx", ValueKind::instant, 10}},
                  kFebruary, 28 * 24);
}

BOOST_AUTO_TEST_CASE(facts_are_those_that_act) {
  Scratch scratch;
  scratch.send("2019-01-01", {}, kFacts);
  scratch.send("2019-01-01",
               hourly({"active_energy", "kWh", ValueKind::interval, 1}, kFebruary, 28 * 24, false));
  using Names = std::set<std::string>;
  const auto facts = [&](const char* kpi, WindowKind kind) {
    return facts_of(scratch, scratch.get(kpi, kind, kFebruary));
  };
  BOOST_TEST((facts("night_share", kDay) == Names{"zone"}));
  BOOST_TEST((facts("energy_kwh", kDay) == Names{"zone"}));
  BOOST_TEST(facts("energy_kwh", kHour).empty());  // hours are of UTC
  BOOST_TEST((facts("lighting_energy_intensity_kwh_m2", kMonth) ==
              Names{"floor_area_m2", "medium", "zone"}));
  BOOST_TEST((facts("availability", kDay) == Names{"nominal_step", "zone"}));
}

BOOST_AUTO_TEST_CASE(only_the_statement_that_is_taken_is_named) {
  Scratch scratch;
  scratch.send("2019-01-01", {},
               {fact("SHOP", "", "floor_area_m2", "100"),
                fact("SHOP", "", "floor_area_m2", "200", "2018-02-10T00:00:00Z"),
                fact("SHOP", "", "floor_area_m2", "300", "2018-03-10T00:00:00Z"),
                fact("SHOP", "", "medium", "lighting")});
  scratch.send("2019-01-01",
               hourly({"active_energy", "kWh", ValueKind::interval, 1}, kFebruary, 28 * 24, false));
  const auto explanation = must(
      scratch.engine.explain(scratch.get("lighting_energy_intensity_kwh_m2", kMonth, kFebruary)));
  BOOST_REQUIRE_EQUAL(explanation.facts.size(), 2U);
  BOOST_TEST(explanation.facts[0].value == "200");
}

BOOST_AUTO_TEST_CASE(the_running_mean_reaches_back_a_week_and_no_further) {
  Scratch scratch;
  const char* const kJuly = "2018-06-30T22:00:00Z";
  scratch.send("2019-01-01",
               hourly({"temperature_in", "Cel", ValueKind::mean, 20}, kJuly, 31 * 24, false));
  scratch.send("2019-01-01", hourly({"temperature_out", "Cel", ValueKind::mean, 15},
                                    "2018-06-01T22:00:00Z", 60 * 24, false));
  BOOST_TEST((explained(scratch, scratch.get("mean_temp_in_c", kMonth, kJuly)) ==
              std::set<std::string>{"temperature_in"}));
  BOOST_TEST((explained(scratch, scratch.get("hours_within_II", kMonth, kJuly)) ==
              std::set<std::string>{"temperature_in"}));
  std::optional<Instant> first, last;
  const auto adaptive =
      must(scratch.engine.explain(scratch.get("adaptive_hours_within_II", kMonth, kJuly)));
  for (const auto& input : adaptive.inputs) {
    if (input.observation.quantity != "temperature_out") continue;
    first = std::min(first.value_or(input.observation.start), input.observation.start);
    last = std::max(last.value_or(input.observation.end), input.observation.end);
  }
  BOOST_TEST((first == at("2018-06-23T22:00:00Z")));
  BOOST_TEST((last == at("2018-07-30T22:00:00Z")));  // the last day's own takes no part
}

BOOST_AUTO_TEST_CASE(a_sample_that_is_no_longer_held_does_not_act) {
  Scratch scratch;
  const auto sample = [](const char* when, double watts) {
    return Observation{"SHOP",   "",       "active_power", "W", ValueKind::instant,
                       at(when), at(when), watts,          1,   0};
  };
  scratch.send("2019-01-01", {}, {fact("SHOP", "", "nominal_step", "PT15M")});
  scratch.send("2019-01-01", {sample("2018-02-01T20:00:00Z", 5)});  // held until 20:30
  scratch.send("2019-01-01", {sample("2018-02-01T22:50:00Z", 6)});  // held into 2 February
  scratch.send("2019-01-01", {sample("2018-02-01T23:10:00Z", 7)});
  scratch.send("2019-01-01", {sample("2018-02-03T12:00:00Z", 8)});
  const auto values = [&](const char* start) {
    std::vector<double> found;
    for (const auto& input :
         must(scratch.engine.explain(scratch.get("energy_kwh", kDay, start))).inputs)
      found.push_back(input.observation.value);
    return found;
  };
  BOOST_TEST(values("2018-02-01T23:00:00Z") == (std::vector<double>{6, 7}),
             boost::test_tools::per_element());
  BOOST_TEST(values("2018-02-02T23:00:00Z") == std::vector<double>{8},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_model_is_explained_by_its_baseline_also_where_it_is_applied) {
  Scratch scratch;
  scratch.send("2021-01-01", {},
               {fact("SHOP", "", "baseline", "2018-01-01/2018-12-31"),
                fact("SHOP", "", "reporting", "2019-01-01/2019-03-31")});
  const char* const kFrom = "2017-12-31T23:00:00Z";
  scratch.send("2021-01-01",
               hourly({"active_energy", "kWh", ValueKind::interval, 1}, kFrom, 500 * 24, false));
  scratch.send("2021-01-01",
               hourly({"temperature_out", "Cel", ValueKind::mean, 9}, kFrom, 500 * 24, true));
  const auto kpi = scratch.get("avoided_energy", WindowKind::reporting, "2018-12-31T23:00:00Z");
  const auto explanation = must(scratch.engine.explain(kpi));
  BOOST_TEST(explanation.inputs.size() ==
             2U * 24 * (365 + 90) - 2U);  // an hour is skipped in March
  BOOST_TEST((facts_of(scratch, kpi) == std::set<std::string>{"baseline", "reporting"}));
}

BOOST_AUTO_TEST_SUITE_END()
