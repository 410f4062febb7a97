// What one sender can cause grows no faster than what it has sent. Inputs are doubled and steps are
// counted (Database::steps()), so nothing depends on the machine.
#include <string>
#include <vector>

#include "fixture.h"
#include "series/shelf.h"

namespace {

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

// Where the work is linear, twice as much makes twice as many steps; quadratic work makes four
// times as many.
void check_linear(std::uint64_t once, std::uint64_t twice) {
  BOOST_TEST_MESSAGE(once << " steps, then " << twice);
  BOOST_TEST(10 * twice < 26 * once, once << " steps, then " << twice);
}

struct Bounds : Scratch {
  template <typename Work>
  std::uint64_t steps(Work work) {
    const auto before = database->steps();
    work();
    return database->steps() - before;
  }
  void send_all(std::vector<Observation> observations, std::vector<MasterFact> facts = {}) {
    send("2024-03-01T12:00:00Z", std::move(observations), std::move(facts));
  }
};

std::string number(std::size_t i) { return std::to_string(1000 + i); }

MasterFact stated(const std::string& meter, const char* attribute, const std::string& value,
                  std::size_t day, std::uint32_t message = 1) {
  return {"SITE", meter, attribute, value, at("2010-01-01") + 24h * day, std::nullopt, message};
}

Observation hour_of(const std::string& meter) {
  return {"SITE",
          meter,
          "active_energy",
          "kWh",
          ValueKind::interval,
          at("2024-02-01T10:00:00Z"),
          at("2024-02-01T11:00:00Z"),
          1,
          1,
          0};
}

Observation register_at(Instant when, double value, std::uint32_t message = 1) {
  return {"HOUSE", "W1", "register", "meter", ValueKind::reading, when, when, value, message, 0};
}

// Buildings that all name each other in at_site, then one more statement on one of them.
std::uint64_t one_more_of_buildings(std::size_t count) {
  Bounds bounds;
  std::vector<Observation> observations;
  std::vector<MasterFact> facts;
  for (std::size_t i = 0; i < count; ++i) {
    observations.push_back(hour_of("B" + number(i)));
    for (std::size_t j = 0; j < count; ++j)
      if (j != i) facts.push_back(stated("B" + number(i), "at_site", "B" + number(j), j));
  }
  bounds.send_all(std::move(observations), std::move(facts));
  return bounds.steps([&] { bounds.send_all({}, {stated("B1000", "floor_area_m2", "99", 0)}); });
}

// Negative readings of one day, then one that is right.
std::uint64_t one_more_after_negative_readings(std::size_t count) {
  Bounds bounds;
  std::vector<Observation> observations = {register_at(at("2024-02-01T00:00:00Z"), 1)};
  for (std::size_t i = 0; i < count; ++i)
    observations.push_back(register_at(at("2024-02-02T00:00:00Z") + 1s * i, -1.0));
  bounds.send_all(std::move(observations));
  return bounds.steps([&] { bounds.send_all({register_at(at("2024-02-03T00:00:00Z"), 2)}); });
}

// Statements on a building with meters, then one more.
std::uint64_t one_more_statement(std::size_t statements, std::size_t meters) {
  Bounds bounds;
  std::vector<Observation> observations;
  std::vector<MasterFact> facts;
  for (std::size_t i = 0; i < meters; ++i) {
    observations.push_back(hour_of("M" + number(i)));
    facts.push_back(stated("M" + number(i), "at_site", "B", 0));
  }
  for (std::size_t i = 0; i < statements; ++i)
    facts.push_back(stated("B", "co2_factor_kg_per_kwh", "0." + number(i), i));
  bounds.send_all(std::move(observations), std::move(facts));
  return bounds.steps([&] { bounds.send_all({}, {stated("B", "floor_area_m2", "99", 0)}); });
}

// Every other minute of a month, then one more value at its end.
std::uint64_t all_of_scattered_minutes(std::size_t count) {
  Bounds bounds;
  std::vector<Observation> observations;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start = at("2024-01-01T00:00:00Z") + 2min * i;
    observations.push_back(
        {"SITE", "M", "active_energy", "kWh", ValueKind::interval, start, start + 1min, 1, 1, 0});
  }
  // A later month, so that January is in one row.
  observations.push_back({"SITE", "M", "active_energy", "kWh", ValueKind::interval,
                          at("2024-02-20T00:00:00Z"), at("2024-02-20T00:01:00Z"), 1, 1, 0});
  bounds.send_all(observations);
  for (auto& one : observations) one.value = 2;
  return bounds.steps([&] { bounds.send_all(observations); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bounds)

BOOST_AUTO_TEST_CASE(buildings_that_name_each_other) {
  const auto once = one_more_of_buildings(20), twice = one_more_of_buildings(40);
  check_linear(once, twice);
}

BOOST_AUTO_TEST_CASE(readings_that_do_not_count) {
  const auto once = one_more_after_negative_readings(2000),
             twice = one_more_after_negative_readings(4000);
  check_linear(once, twice);
}

BOOST_AUTO_TEST_CASE(statements_on_a_building_with_meters) {
  const auto once = one_more_statement(1000, 20), more = one_more_statement(2000, 40);
  check_linear(once, more);
}

BOOST_AUTO_TEST_CASE(values_that_are_far_from_each_other) {
  const auto once = all_of_scattered_minutes(1000), twice = all_of_scattered_minutes(2000);
  check_linear(once, twice);
}

BOOST_AUTO_TEST_CASE(a_model_of_ten_thousand_years_is_refused_with_its_reason) {
  Bounds bounds;
  std::vector<Observation> observations = {hour_of("M")};
  observations.push_back(hour_of("M"));
  observations.back().quantity = "temperature_out";
  observations.back().unit = "Cel";
  observations.back().kind = ValueKind::mean;
  bounds.send_all(observations, {stated("M", "baseline", "0001-01-01/9999-12-31", 0),
                                 stated("M", "reporting", "2024-01-01/2024-12-31", 0)});
  store::KpiFilter filter;
  filter.window = WindowKind::baseline;
  const auto found = must(bounds.store.kpis(filter));
  BOOST_REQUIRE(!found.empty());
  for (const auto& kpi : found) {
    BOOST_TEST(!kpi.value);
    const auto missing = kpi.attributes.find("missing");
    BOOST_REQUIRE(missing != kpi.attributes.end());
    BOOST_TEST(missing->second == "a baseline of at most ten years");
  }
}

BOOST_AUTO_TEST_SUITE_END()
