// The query API: what is answered of measurements, KPIs and sites.
#include "fixture.h"

using namespace district;
using test::Json;

BOOST_FIXTURE_TEST_SUITE(api, test::AskedPilot)

BOOST_AUTO_TEST_CASE(a_correction_shows_the_value_that_counts_and_on_demand_the_others) {
  const std::string day =
      "&source=SHOP&from=2018-06-01T03:00:00%2B02:00&to=2018-06-01T04:00:00%2B02:00";
  const auto current = ask("/measurements?tenant=20" + day).at("items");
  BOOST_REQUIRE(current.size() == 1U);
  BOOST_TEST(current[0].at("value") == 33);
  BOOST_TEST(current[0].at("start") == "2018-06-01T01:00:00Z");
  BOOST_TEST(ask("/measurements?state=any" + day).at("items").size() == 2U);
  const auto old = ask("/measurements?state=superseded" + day).at("items");
  BOOST_REQUIRE(old.size() == 1U);
  BOOST_TEST(old[0].at("value") == 3);
  BOOST_TEST(old[0].at("receiptId") != current[0].at("receiptId"));
}

BOOST_AUTO_TEST_CASE(a_rule_of_plausibility_finds_the_values_that_it_flags) {
  const auto flagged = ask("/measurements?rule=negative_energy").at("items");
  BOOST_REQUIRE(flagged.size() == 1U);
  BOOST_TEST(flagged[0].at("value") == -5);
  BOOST_TEST(flagged[0].at("state") == "implausible");
  BOOST_TEST(flagged[0].at("rules") == Json{"negative_energy"});
  BOOST_TEST(status("/measurements?rule=nonsense") == 400U);
}

BOOST_AUTO_TEST_CASE(values_without_a_window_are_shown_on_demand) {
  const auto odd = ask("/measurements?state=unusable").at("items");
  BOOST_REQUIRE(odd.size() == 3U);
  BOOST_TEST(odd[0].at("start") == "1881-01-01T00:00:00Z");
}

BOOST_AUTO_TEST_CASE(a_kpi_is_given_with_its_window_and_explained_by_its_inputs) {
  const auto days = ask("/kpis?source=SHOP&kpi=energy_kwh&window=day&zone=Europe/"
                        "Madrid&from=2018-06-01&to=2018-06-02")
                        .at("items");
  BOOST_REQUIRE(days.size() == 1U);
  BOOST_TEST(days[0].at("windowStart") == "2018-06-01T00:00:00+02:00");
  BOOST_TEST(days[0].at("windowEnd") == "2018-06-02T00:00:00+02:00");
  BOOST_TEST(days[0].at("value") == 276 + 30);
  BOOST_TEST(days[0].at("revision") == 2);
  BOOST_TEST(days[0].at("status") == "complete");
  const auto inputs = ask("/kpis/"
                          "inputs?tenant=20&source=SHOP&kpi=energy_kwh&window=day&start=2018-06-"
                          "01T00:00:00%2B02:00")
                          .at("items");
  BOOST_TEST(inputs.size() >= 24U);
  double sum = 0;
  for (const auto& input : inputs) {
    if (input.at("state") == "current" && input.at("start") < "2018-06-01T22:00:00Z" &&
        input.at("quantity") == "active_energy") {
      sum += input.at("value").get<double>();
    }
  }
  BOOST_TEST(sum == 306);
}

BOOST_AUTO_TEST_CASE(sites_are_told_from_meters) {
  const auto sites = ask("/sites").at("items");
  BOOST_REQUIRE(sites.size() == 1U);
  BOOST_TEST(sites[0].at("site") == "CAMPUS");
  BOOST_TEST(sites[0].at("meters") == Json{"M1"});
  BOOST_TEST(sites[0].at("attributes").at("floor_area_m2") == "4200");
  const auto before = ask("/sites?zone=UTC&at=2018-01-01").at("items");
  BOOST_TEST(before[0].at("attributes").empty());
  BOOST_TEST(ask("/meters").at("items").size() == 3U);
  BOOST_TEST(ask("/meters?meter=").at("items").size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
