// The query API: questions that are wrong, and what is said of them.
#include "fixture.h"

using namespace district;
using test::Json;

BOOST_FIXTURE_TEST_SUITE(api, test::AskedPilot)

BOOST_AUTO_TEST_CASE(a_name_that_is_misspelt_is_not_found_and_one_without_values_is_empty) {
  for (const std::string target :
       {"/kpis?kpi=energy_kWh", "/quality?kpi=availabilty", "/kpis?source=SHPO",
        "/meters?source=shop", "/series?tenant=20&source=SHOP&meter=W1",
        "/measurements?meter=nowhere", "/kpis?tenant=20&source=nowhere"}) {
    BOOST_TEST(status(target) == 404U, target);
  }
  BOOST_TEST(get("/kpis?source=SHPO", reader).body.find("did you mean SHOP?") != std::string::npos);
  BOOST_TEST(ask("/kpis?source=SHOP&kpi=consumption").at("items").empty());
  BOOST_TEST(
      ask("/kpis?source=SHOP&kpi=energy_kwh&from=2001-01-01T00:00:00Z&to=2001-02-01T00:00:00Z")
          .at("items")
          .empty());
}

BOOST_AUTO_TEST_CASE(a_day_needs_a_zone) {
  BOOST_TEST(status("/kpis?from=2018-06-01") == 400U);
  BOOST_TEST(status("/kpis?from=2018-06-01&zone=UTC") == 200U);
  BOOST_TEST(status("/kpis?from=2018-06-01&zone=Mars/Olympus") == 400U);
  BOOST_TEST(status("/kpis?from=2018-06-01T00:00:00") == 400U);
  BOOST_TEST(status("/kpis?from=2018-06-01T00:00:00+02:00") == 200U);  // a "+" left as it is
  BOOST_TEST(status("/kpis?from=yesterday") == 400U);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_with_a_reason) {
  for (const auto* target :
       {"/kpis?window=week", "/kpis?limit=0", "/kpis?limit=10001", "/kpis?limit=x",
        "/kpis?colour=red", "/kpis?kpi=a&kpi=b", "/kpis?kpi=%zz", "/kpis?kpi=%ff", "/kpis?kpi=%0a",
        "/kpis?from=2018-06-02T00:00:00Z&to=2018-06-01T00:00:00Z",
        "/measurements?from=2018-06-02T00:00:00Z&to=2018-06-01T00:00:00Z",
        "/envelopes?from=2018-06-02T00:00:00Z&to=2018-06-01T00:00:00Z", "/tenants?format=xml",
        "/kpis/inputs?tenant=20", "/status?limit=3", "/envelopes/x/raw?limit=3"}) {
    BOOST_TEST_CONTEXT(target) {
      const auto answer = get(target, reader);
      BOOST_TEST(answer.http_status == 400U);
      BOOST_TEST(answer.content_type == "application/problem+json");
      BOOST_TEST(!Json::parse(answer.body).at("detail").get<std::string>().empty());
    }
  }
  for (const auto* target :
       {"", "/", "/kpi", "/kpis/", "/kpis/none", "/envelopes/", "/envelopes/none",
        "/envelopes/none/raw", "/envelopes/a/b", "/..", "/openapi"}) {
    BOOST_TEST_CONTEXT(target) { BOOST_TEST(status(target) == 404U); }
  }
}

BOOST_AUTO_TEST_CASE(a_misspelt_parameter_is_told_its_name) {
  const auto answer = get("/kpis?tennant=20", reader);
  BOOST_TEST(answer.http_status == 400U);
  BOOST_TEST(
      Json::parse(answer.body).at("hint").get<std::string>().starts_with("did you mean 'tenant'?"));
}

BOOST_AUTO_TEST_SUITE_END()
