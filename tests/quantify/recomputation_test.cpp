// What a change reaches, however it comes: in one group or one by one, early or late, and while a
// computation is under way.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "fixture.h"
#include "quantify/site_import.h"
#include "store/transaction.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

struct Sent {
  std::vector<Observation> observations;
  std::vector<MasterFact> facts;
};

Observation read(const char* meter, const char* when, double value) {
  auto one = reading(when, value);
  one.meter = meter;
  return one;
}
Observation wrong(const char* meter, const char* when) { return read(meter, when, -1); }
MasterFact said(const char* meter, const char* attribute, const char* value,
                const char* from = "2010-01-01") {
  return fact("HOUSE", meter, attribute, value, from);
}
Observation used(const char* meter, const char* start, const char* end, double kwh) {
  auto one = energy(start, end, kwh);
  one.source = "HOUSE";
  one.meter = meter;
  return one;
}

using Order = std::vector<std::size_t>;

// Envelope number i was received i minutes after the first, in whatever order they are taken.
// Those behind the first `alone` are one group.
std::set<std::string> rows_of(const std::vector<Sent>& sent, const Order& order,
                              std::size_t alone) {
  Scratch scratch;
  auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
  Touched touched;
  for (std::size_t number = 0; number < order.size(); ++number) {
    const auto i = order[number];
    Batch batch{"20", {}, sent[i].observations, sent[i].facts};
    std::uint32_t message = 0;
    for (auto& one : batch.observations) one.message_index = ++message;
    for (auto& one : batch.master_facts) one.message_index = ++message;
    static_cast<void>(must(scratch.engine.ingest(
        transaction, batch, origin(i + 1, at("2024-01-01") + 1min * i), touched)));
    if (number >= alone) continue;
    static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2024-02-01"))));
  }
  static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2024-02-01"))));
  static_cast<void>(must(transaction.commit()));
  std::set<std::string> rows;
  for (const auto& k : must(scratch.store.kpis({}))) {
    auto row = k.meter.meter + ' ' + k.kpi + ' ' + name_of(k.window) + ' ' +
               format_instant(k.start, 0) + ' ' + (k.value ? std::to_string(*k.value) : "null") +
               ' ' + k.unit + ' ' + std::to_string(k.completeness) + ' ' + name_of(k.status);
    for (const auto& [name, value] : k.attributes) row += ' ' + name + '=' + value;
    rows.insert(row);
  }
  return rows;
}

// The same rows in each order of arrival, one by one and as one group. Gives them.
std::set<std::string> same_in_every_order(const std::vector<Sent>& sent) {
  Order order(sent.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto expected = rows_of(sent, order, order.size());
  // All orders of up to four, and some of more.
  for (std::size_t number = 0; number == 0 || std::next_permutation(order.begin(), order.end());
       ++number) {
    if (order.size() > 4 && number % 7 != 0) continue;
    for (const std::size_t alone : {order.size(), order.size() - 2, std::size_t{0}}) {
      const auto found = rows_of(sent, order, alone);
      auto name = std::to_string(alone) + " alone, of";
      for (const auto i : order) name += ' ' + std::to_string(i);
      std::vector<std::string> differ;
      std::set_symmetric_difference(expected.begin(), expected.end(), found.begin(), found.end(),
                                    std::back_inserter(differ));
      BOOST_CHECK_MESSAGE(differ.empty(), name << ": " << differ.size() << " rows differ, one is "
                                               << (differ.empty() ? "" : differ.front()));
      if (!differ.empty()) return expected;
    }
  }
  return expected;
}

bool has(const std::set<std::string>& rows, const std::string& beginning) {
  const auto found = rows.lower_bound(beginning);
  return found != rows.end() && found->starts_with(beginning);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recomputation)

// ------------------------------------------------------------------ dependants of dependants

BOOST_AUTO_TEST_CASE(a_sensor_of_a_site_reaches_the_meters_of_the_site_in_one_group) {
  std::vector<Sent> sent(4);
  sent[0].facts = {said("M", "at_site", "S"), said("S", "outdoor_sensor", "HOUSE/ROOF"),
                   said("M", "zone", "UTC")};
  for (int day = 1; day <= 31; ++day) {
    const auto start = at("2022-12-31") + 24h * day;
    const auto from = format_instant(start), to = format_instant(start + 24h);
    sent[1].observations.push_back(used("M", from.c_str(), to.c_str(), 24));
    auto mean = used("ROOF", from.c_str(), to.c_str(), 8);
    mean.quantity = "temperature_out";
    mean.unit = "Cel";
    mean.kind = ValueKind::mean;
    sent[2].observations.push_back(mean);
    mean.value = 13;
    if (day > 5) sent[3].observations.push_back(mean);
  }
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "M kwh_per_hdd month 2023-01-01T00:00:00Z 4.133333"));  // 744 kWh / 180 K d
}

// What changed of the site in between is passed on before what it is told, or after it.
BOOST_AUTO_TEST_CASE(a_site_that_is_a_meter_itself_hands_on_what_changes_with_it_in_one_group) {
  std::vector<Sent> sent(4);
  sent[0].facts = {said("T", "co2_factor_kg_per_kwh", "0.25"), said("S", "at_site", "T"),
                   said("M", "at_site", "S"), said("M", "zone", "UTC")};
  sent[1].observations = {used("S", "2023-01-01", "2023-01-02", 100),
                          used("M", "2023-01-01", "2023-01-02", 175.2)};
  sent[2].facts = {said("T", "co2_factor_kg_per_kwh", "0.5")};
  sent[3].observations = {used("S", "2023-01-02", "2023-01-03", 100)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "M co2_kg day 2023-01-01T00:00:00Z 87.600000"));
}

BOOST_AUTO_TEST_CASE(a_site_of_a_site_of_a_site_reaches_its_meter_in_one_group) {
  std::vector<Sent> sent(5);
  sent[0].facts = {said("M", "at_site", "A"), said("M", "zone", "UTC")};
  sent[1].facts = {said("A", "at_site", "B")};
  sent[2].facts = {said("B", "at_site", "C")};
  sent[3].facts = {said("C", "co2_factor_kg_per_kwh", "0.25")};
  sent[4].observations = {used("M", "2023-01-01", "2023-01-02", 40)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "M co2_kg day 2023-01-01T00:00:00Z 10.000000"));
}

BOOST_AUTO_TEST_CASE(the_first_of_three_meters_reaches_the_third_in_one_group) {
  std::vector<Sent> sent(5);
  sent[0].facts = {said("W2", "replaces_meter", "W1", "2023-01-05T10:30:00Z"),
                   said("W3", "replaces_meter", "W2", "2023-01-05T12:30:00Z"),
                   said("W1", "zone", "UTC"), said("W2", "zone", "UTC"), said("W3", "zone", "UTC")};
  sent[1].observations = {read("W1", "2023-01-05T00:00:00Z", 100)};
  sent[2].observations = {read("W1", "2023-01-05T10:00:00Z", 120.5)};
  sent[3].observations = {read("W2", "2023-01-05T11:00:00Z", 0),
                          read("W2", "2023-01-05T12:00:00Z", 3)};
  sent[4].observations = {read("W3", "2023-01-05T13:00:00Z", 0),
                          read("W3", "2023-01-06T00:00:00Z", 20.25)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "W3 consumption day 2023-01-05T00:00:00Z 43.750000"));
}

BOOST_AUTO_TEST_CASE(meters_that_name_each_other_as_their_site_end_and_agree) {
  std::vector<Sent> sent(5);
  sent[0].facts = {said("A", "at_site", "B"), said("B", "at_site", "C"), said("C", "at_site", "A")};
  sent[1].facts = {said("M", "at_site", "A"), said("M", "zone", "UTC")};
  sent[2].facts = {said("C", "floor_area_m2", "100")};
  sent[3].facts = {said("B", "co2_factor_kg_per_kwh", "0.5")};
  sent[4].observations = {used("M", "2023-01-01", "2023-01-02", 40)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "M co2_kg day 2023-01-01T00:00:00Z 20.000000"));
}

// Each names each of the others, at some time: 159 600 statements. Passing changes on from all of
// them looks at each once.
BOOST_AUTO_TEST_CASE(four_hundred_buildings_that_name_each_other_are_passed_once) {
  Scratch scratch;
  constexpr int kBuildings = 400;
  Batch batch{"20", {}, {}, {}};
  for (int building = 0; building < kBuildings; ++building) {
    for (int other = 0; other < kBuildings; ++other) {
      if (other == building) continue;
      auto one = said("", "at_site", "");
      one.meter = "B" + std::to_string(building);
      one.value = "B" + std::to_string(other);
      one.valid_from = at("2010-01-01") + 24h * other;
      one.message_index = static_cast<std::uint32_t>(batch.master_facts.size() + 1);
      batch.master_facts.push_back(one);
    }
    batch.observations.push_back(
        used(("B" + std::to_string(building)).c_str(), "2023-01-01", "2023-01-01T01:00:00Z", 1));
  }
  scratch.apply(batch, origin(1, at("2024-01-01")));
  store::KpiFilter hours;
  hours.kpi = "energy_kwh";
  hours.window = WindowKind::hour;
  BOOST_TEST(must(scratch.store.kpis(hours)).size() == kBuildings);
}

BOOST_AUTO_TEST_CASE(a_sensor_may_be_named_with_or_without_a_slash) {
  for (const auto* name : {"ROOF", "ROOF/"}) {
    std::vector<Sent> sent(3);
    sent[0].facts = {said("M", "outdoor_sensor", name), said("M", "zone", "UTC")};
    for (int day = 1; day <= 31; ++day) {
      const auto start = at("2022-12-31") + 24h * day;
      const auto from = format_instant(start), to = format_instant(start + 24h);
      sent[1].observations.push_back(used("M", from.c_str(), to.c_str(), 10));
      auto mean = used("", from.c_str(), to.c_str(), 8);
      mean.source = "ROOF";
      mean.quantity = "temperature_out";
      mean.unit = "Cel";
      mean.kind = ValueKind::mean;
      sent[2].observations.push_back(mean);
    }
    BOOST_TEST(has(same_in_every_order(sent), "M kwh_per_hdd month 2023-01-01T00:00:00Z 1.000000"),
               name);
  }
}

// --------------------------------------------------------------------------------- exchanges

std::vector<MasterFact> exchange_at(const char* instant, const char* last, const char* first) {
  std::vector<MasterFact> facts = {
      said("W1", "zone", "UTC"), said("W2", "zone", "UTC"), said("W2", "nominal_step", "PT1H"),
      said("W1", "nominal_step", "PT1H"), said("W2", "replaces_meter", "W1", instant)};
  if (last != nullptr) facts.push_back(said("W2", "replaced_final_register", last, instant));
  if (first != nullptr) facts.push_back(said("W2", "initial_register", first, instant));
  return facts;
}

BOOST_AUTO_TEST_CASE(a_replaced_meter_that_is_read_after_its_exchange_leaves_no_stale_rows) {
  for (const auto* after : {"2023-01-11", "2023-02-25"}) {
    std::vector<Sent> sent(4);
    sent[0].facts = exchange_at("2023-01-10T12:00:00Z", "150", "0");
    sent[1].observations = {read("W1", "2023-01-01", 100), read("W1", "2023-01-09", 140)};
    sent[2].observations = {read("W1", after, 170)};
    sent[3].observations = {read("W2", "2023-01-11", 10)};
    BOOST_TEST_CONTEXT("read again on " << after) {
      const auto rows = same_in_every_order(sent);
      BOOST_TEST(has(rows, "W1 consumption day 2023-01-09T00:00:00Z "));
      BOOST_TEST(has(rows, "W1 consumption hour 2023-01-10T11:00:00Z "));
      BOOST_TEST(has(rows, "W1 availability day 2023-01-05T00:00:00Z 0.000000"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_meter_that_is_misread_before_it_is_taken_away_makes_no_row_complete) {
  for (const int zeros : {1, 3}) {
    std::vector<Sent> sent(3);
    sent[0].facts = exchange_at("2023-01-10T12:00:00Z", "150", "0");
    sent[2].observations = {read("W2", "2023-01-10T18:00:00Z", 6), read("W2", "2023-01-11", 12)};
    for (int hour = 0; hour < 12; ++hour) {
      const auto at = format_instant(::at("2023-01-10") + 1h * hour);
      sent[1].observations.push_back(
          read("W1", at.c_str(), hour >= 12 - zeros ? 0 : 138 + static_cast<double>(hour)));
    }
    BOOST_TEST_CONTEXT(zeros << " zeros") {
      const auto rows = same_in_every_order(sent);
      BOOST_TEST(!has(rows, "W1 consumption day 2023-01-10T00:00:00Z 1"));
      for (const auto& row : rows) {
        if (!row.starts_with("W2 consumption day 2023-01-10T00:00:00Z")) continue;
        BOOST_TEST(row.find("rises=1") != std::string::npos, row);
        BOOST_TEST(row.find("complete") == std::string::npos, row);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(rows_of_data_quality_from_before_an_exchange_stay) {
  for (const auto* before : {"2023-01-02", "2022-12-15"}) {
    std::vector<Sent> sent(4);
    sent[0].facts = exchange_at("2023-01-10T12:00:00Z", nullptr, nullptr);
    sent[1].observations = {read("W2", before, 3)};
    sent[2].observations = {read("W2", "2023-01-15", 10)};
    sent[3].observations = {read("W1", "2023-01-01", 100)};
    BOOST_TEST_CONTEXT("read first on " << before) {
      const auto rows = same_in_every_order(sent);
      BOOST_TEST(has(rows, "W2 availability day 2023-01-09T00:00:00Z "));
      BOOST_TEST(has(rows, "W2 availability day 2023-01-12T00:00:00Z 0.000000"));
      BOOST_TEST(!has(rows, "W2 consumption day 2023-01-09T00:00:00Z "));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_meter_that_came_and_went_between_two_readings_has_rows_in_between) {
  for (const auto* after : {"2023-01-20", "2023-03-20"}) {
    std::vector<Sent> sent(4);
    sent[0].facts = exchange_at("2023-01-10T12:00:00Z", "150", "0");
    sent[1].facts = {said("W3", "replaces_meter", "W2", "2023-01-13T12:00:00Z"),
                     said("W3", "replaced_final_register", "3", "2023-01-13T12:00:00Z")};
    sent[2].observations = {read("W2", "2023-01-09", 0), read("W1", "2023-01-01", 100)};
    sent[3].observations = {read("W2", after, 9)};
    const auto rows = same_in_every_order(sent);
    BOOST_TEST(has(rows, "W2 consumption day 2023-01-12T00:00:00Z 1.000000"), after);
    BOOST_TEST(has(rows, "W2 consumption hour 2023-01-12T00:00:00Z 0.0416"), after);
  }
}

BOOST_AUTO_TEST_CASE(a_late_reading_of_a_replaced_meter_reaches_its_successors_first_reading) {
  for (const auto* late : {"2023-01-09", "2023-01-10T11:00:00Z", "2022-12-01"}) {
    std::vector<Sent> sent(4);
    sent[0].facts = exchange_at("2023-01-10T12:00:00Z", nullptr, nullptr);
    sent[1].observations = {read("W2", "2023-01-15", 10), read("W2", "2023-01-16", 12)};
    // So that the late reading is not the first of its kind, which has all windows computed.
    sent[2].observations = {wrong("W1", "2022-11-20")};
    sent[3].observations = {read("W1", late, 100)};
    BOOST_TEST_CONTEXT("read on " << late) {
      const auto rows = same_in_every_order(sent);
      // Nothing is differenced across, but now the window lies between two readings.
      BOOST_TEST(has(rows, "W2 consumption day 2023-01-12T00:00:00Z 0.000000"));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_late_reading_reaches_the_next_one_across_values_that_were_set_aside) {
  std::vector<Sent> sent(4);
  sent[0].facts = exchange_at("2023-01-10T12:00:00Z", "150", "0");
  sent[1].observations = {wrong("W2", "2023-01-13"), wrong("W1", "2023-01-05")};
  sent[2].observations = {read("W2", "2023-02-20", 41)};
  sent[3].observations = {read("W1", "2022-12-01", 100)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "W2 consumption hour 2023-01-12T00:00:00Z 0.0"));
  BOOST_TEST(has(rows, "W1 consumption hour 2023-01-05T00:00:00Z 0.05"));
}

BOOST_AUTO_TEST_CASE(a_reading_set_aside_at_a_windows_start_hides_no_exchange) {
  std::vector<Sent> sent(3);
  sent[0].facts = exchange_at("2023-01-10T12:00:00Z", "150", "0");
  sent[1].observations = {wrong("W2", "2023-01-12"), read("W2", "2023-01-20", 19)};
  sent[2].observations = {read("W1", "2023-01-10", 148)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "W2 consumption day 2023-01-12T00:00:00Z 2.0"));
}

BOOST_AUTO_TEST_CASE(of_two_meters_that_replace_one_the_first_exchange_counts_then_the_name) {
  struct Case {
    const char *second, *third, *successor;
  };
  for (const auto& [second, third, successor] :
       {Case{"2023-01-10T12:00:00Z", "2023-01-08T12:00:00Z", "W3"},
        {"2023-01-08T12:00:00Z", "2023-01-10T12:00:00Z", "W2"},
        {"2023-01-08T12:00:00Z", "2023-01-08T12:00:00Z", "W2"}}) {
    std::vector<Sent> sent(4);
    sent[0].facts = {said("W2", "replaces_meter", "W1", second),
                     said("W2", "replaced_final_register", "150", second)};
    sent[1].facts = {said("W3", "replaces_meter", "W1", third),
                     said("W3", "replaced_final_register", "160", third)};
    sent[2].facts = {said("W1", "zone", "UTC")};
    sent[3].observations = {read("W1", "2023-01-01", 100), read("W1", "2023-01-20", 190)};
    const auto rows = same_in_every_order(sent);
    const auto of_day = rows.lower_bound("W1 consumption day 2023-01-15T00:00:00Z null");
    BOOST_REQUIRE((of_day != rows.end()));
    BOOST_TEST(of_day->find("continued_by=" + std::string(successor)) != std::string::npos,
               *of_day);
  }
}

BOOST_AUTO_TEST_CASE(a_meter_replaces_only_what_its_latest_statement_names) {
  std::vector<Sent> sent(4);
  sent[0].facts = {said("W2", "replaces_meter", "W1", "2023-01-08T12:00:00Z"),
                   said("W2", "replaced_final_register", "150", "2023-01-08T12:00:00Z")};
  sent[1].facts = {said("W2", "replaces_meter", "W9", "2023-01-09T12:00:00Z")};
  sent[2].facts = {said("W1", "zone", "UTC")};
  sent[3].observations = {read("W1", "2023-01-01", 100), read("W1", "2023-01-20", 290)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "W1 consumption day 2023-01-15T00:00:00Z 10.000000"));
}

BOOST_AUTO_TEST_CASE(a_site_hands_no_exchange_down) {
  std::vector<Sent> sent(3);
  sent[0].facts = {said("SUB", "at_site", "W2"), said("SUB", "zone", "UTC"),
                   said("W2", "replaces_meter", "W1", "2023-01-08T12:00:00Z")};
  sent[1].observations = {read("SUB", "2023-01-01", 100), read("SUB", "2023-01-20", 290)};
  sent[2].observations = {read("W1", "2023-01-01", 5), read("W1", "2023-01-05", 7)};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "SUB consumption day 2023-01-04T00:00:00Z 10.000000"));
}

BOOST_AUTO_TEST_CASE(a_chain_of_exchanges_that_goes_back_in_time_ends_there) {
  std::vector<Sent> sent(4);
  sent[0].facts = {said("W3", "replaces_meter", "W2", "2023-01-05T12:00:00Z"),
                   said("W2", "replaces_meter", "W1", "2023-01-08T12:00:00Z"),
                   said("W3", "zone", "UTC")};
  sent[1].observations = {read("W3", "2023-01-06", 100), read("W3", "2023-01-10", 140)};
  sent[2].observations = {read("W2", "2023-01-04", 5)};
  sent[3].observations = {read("W1", "2023-01-07", 7), wrong("W3", "2023-01-07")};
  const auto rows = same_in_every_order(sent);
  BOOST_TEST(has(rows, "W3 consumption day 2023-01-07T00:00:00Z 10.000000"));
}

// -------------------------------------------------------------------- changes meanwhile

// Computes what an import has marked; in its first pause another import is made.
void import_meanwhile(const char* meter, const char* attribute, const char* first,
                      const char* second, const std::function<void(Scratch&)>& check) {
  Scratch scratch;
  scratch.next_leaf = 1000;  // before it are those of imports
  scratch.send(
      "2024-01-01",
      {used("M", "2023-01-01", "2023-01-02", 40), used("M", "2022-01-01", "2022-01-02", 80)},
      {said("M", "at_site", "S"), said("M", "zone", "UTC")});
  std::optional<store::SeriesTransaction> transaction;
  const auto import = [&](const char* value, const char* received) {
    static_cast<void>(must(import_statements(*scratch.archive, *scratch.database, "20",
                                             {said(meter, attribute, value)}, at(received))));
  };
  bool made = false;
  Engine engine(
      *scratch.database, [](std::string_view) { return "UTC"; },
      [&]() -> Result<Ok> {
        if (std::exchange(made, true)) return Ok{};
        DISTRICT_CHECK(transaction->commit());
        import(second, "2024-01-03");
        transaction.emplace(must(store::SeriesTransaction::begin(*scratch.database)));
        return Ok{};
      });
  import(first, "2024-01-02");
  BOOST_TEST(!must(scratch.store.stale()).empty());
  for (auto rounds = 0; !must(scratch.store.stale()).empty(); ++rounds) {
    BOOST_REQUIRE_LT(rounds, 6);
    transaction.emplace(must(store::SeriesTransaction::begin(*scratch.database)));
    static_cast<void>(must(engine.recompute_stale(*transaction, must(scratch.store.stale()).front(),
                                                  at("2024-01-04"))));
    static_cast<void>(must(transaction->commit()));
  }
  BOOST_TEST(made);
  check(scratch);
}

BOOST_AUTO_TEST_CASE(an_import_that_arrives_while_a_stale_meter_is_computed_is_not_lost) {
  for (const auto* meter : {"M", "S"}) {
    import_meanwhile(meter, "co2_factor_kg_per_kwh", "0.25", "0.5", [&](Scratch& scratch) {
      BOOST_TEST(scratch.value("co2_kg", WindowKind::day, "2023-01-01") == 20, meter);
      BOOST_TEST(scratch.value("co2_kg", WindowKind::day, "2022-01-01") == 40, meter);
    });
  }
  import_meanwhile("M", "medium", "gas", "lighting", [&](Scratch& scratch) {
    BOOST_TEST(
        scratch.find("leni_annualised_kwh_m2a", WindowKind::month, "2023-01-01").has_value());
  });
}

BOOST_AUTO_TEST_CASE(an_import_marks_all_that_depends_on_what_it_states) {
  Scratch scratch;
  scratch.send("2024-01-01", {used("M", "2023-01-01", "2023-01-02", 40)},
               {said("M", "at_site", "S"), said("S", "at_site", "T")});
  const auto report =
      must(import_statements(*scratch.archive, *scratch.database, "20",
                             {said("T", "co2_factor_kg_per_kwh", "0.5")}, at("2024-01-02")));
  BOOST_TEST(report.meters == 3U);
  BOOST_TEST(must(scratch.store.stale()).size() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
