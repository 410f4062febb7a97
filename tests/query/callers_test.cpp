// The query API: who may read, and what of a key is told to nobody.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "fixture.h"
#include "observe/events.h"
#include "trust/changes.h"

using namespace district;
using test::Json;
using test::kListings;

namespace {

struct QuietLog {
  QuietLog() { BOOST_REQUIRE(observe::start_log({"error", {}})); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(QuietLog);

BOOST_FIXTURE_TEST_SUITE(api, test::AskedPilot)

BOOST_AUTO_TEST_CASE(who_comes_without_a_good_key_is_told_nothing) {
  for (const auto& key :
       {std::string(), std::string("district_x"), reader + "0", reader.substr(1)}) {
    const auto answer = get("/tenants", key);
    BOOST_TEST(answer.http_status == 401U);
    BOOST_TEST(answer.body == "{\"title\":\"Unauthorized\",\"status\":401}\n");
    BOOST_TEST(answer.fields.find("WWW-Authenticate: Bearer realm=\"district\"") !=
               std::string::npos);
  }
  // The same for what exists and what does not.
  BOOST_TEST(get("/nothing", "").http_status == 401U);
  ApiRequest basic;
  basic.authorization = "Basic " + reader;
  BOOST_TEST(get("/tenants", "", basic).http_status == 401U);
  basic.authorization = "bEARER  " + reader;
  BOOST_TEST(get("/tenants", "", basic).http_status == 200U);
}

BOOST_AUTO_TEST_CASE(a_revoked_or_expired_key_reads_no_more) {
  BOOST_TEST(status("/tenants") == 200U);
  BOOST_REQUIRE(trust::revoke_api_key(*database, reader.substr(9, 26), "test", kNow));
  BOOST_TEST(status("/tenants") == 401U);
}

BOOST_AUTO_TEST_CASE(a_key_sees_its_own_tenants_only) {
  for (const auto& listing : kListings) {
    if (listing == "/kpis/catalogue") continue;
    std::size_t pages = 0;
    for (const auto& item : all_items(listing, pages)) BOOST_TEST(item.at("tenant") == "20");
    const auto with = listing + (listing.find('?') == std::string::npos ? "?" : "&") + "tenant=";
    // One that exists and one that does not are the same to it.
    const auto others = get(with + "10", reader), none = get(with + "99", reader);
    BOOST_TEST(others.http_status == 404U);
    auto expected = none.body;
    expected.replace(expected.find("'99'"), 4, "'10'");
    BOOST_TEST(others.body == expected);
    BOOST_TEST(get(with + "10", all).http_status == 200U);
  }
  BOOST_TEST(Json::parse(get("/tenants", all).body).at("items").size() == 2U);
  BOOST_TEST(
      status("/kpis/"
             "inputs?tenant=10&source=SHOP&kpi=energy_kwh&window=day&start=2018-05-31T22:00:00Z") ==
      404U);
}

BOOST_AUTO_TEST_CASE(a_key_in_a_query_or_a_path_does_not_reach_the_log) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("district-api-" + std::to_string(::getpid()) + ".log");
  BOOST_REQUIRE(observe::start_log({"info", file}));
  const auto hex = reader.substr(reader.size() - 64);
  for (const auto& query :
       {"key=" + reader, "api_key=" + hex, "access_token=" + hex + "&window=day", reader,
        "tenant=" + reader, "tenant=x%26" + reader, "tenant=district%5F" + reader.substr(9),
        "window=day&Authorization=Bearer%20" + reader, "window=day&" + reader + "=1", "=" + hex,
        "%74enant=" + hex, "zone=%zz" + hex}) {
    ApiRequest request;
    request.path = "/api/v1/kpis";
    request.query = query;
    request.peer = "192.0.2.1";
    const auto answer = api->get(request);
    api->answering(request, answer);
    api->sent(request, answer, {answer.body.size(), nullptr});
  }
  ApiRequest request;
  request.path = "/api/v1/kpis/" + reader;
  request.query = "tenant=20&from=2018-06-01T00:00:00%2B02:00&colour=red&limit=5";
  const auto answer = api->get(request);
  api->answering(request, answer);
  api->sent(request, answer, {17, "the client ended the connection"});
  BOOST_REQUIRE(observe::start_log({"error", {}}));
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::filesystem::remove(file);
  BOOST_TEST(text.find(hex) == std::string::npos);
  BOOST_TEST(text.find(reader.substr(9, 26)) == std::string::npos);
  BOOST_TEST(text.find("query=\"window=day (1 not shown)\"") != std::string::npos);
  BOOST_TEST(text.find("query=\"tenant=20&from=2018-06-01T00:00:00%2B02:00&limit=5 (1 not shown)\" "
                       "status=401\n") != std::string::npos);
  BOOST_TEST(text.find("event=api_answer_sent by=nobody peer=\"\" path=") != std::string::npos);
  BOOST_TEST(
      text.find(" status=401 octets=17 detail=\"cut off: the client ended the connection\"\n") !=
      std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
