#include "query/api.h"

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "../support/small_pilot.h"
#include "base/csv.h"
#include "observe/events.h"

using namespace district;
using Json = nlohmann::json;

namespace {

struct Pilot : test::SmallPilot {
  FixedClock clock{kNow};
  std::unique_ptr<query::Api> api =
      query::Api::open(location, clock, "https://district.example").value();
  const std::string reader = make_key(ApiRole::reader, false);
  const std::string all = make_key(ApiRole::reader, true);

  HttpResponse get(const std::string& target, const std::string& key, ApiRequest request = {}) {
    const auto mark = std::min(target.find('?'), target.size());
    request.path = "/api/v1" + target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    if (!key.empty()) request.authorization = "Bearer " + key;
    return api->get(request);
  }
  Json ask(const std::string& target) {
    const auto answer = get(target, reader);
    BOOST_TEST_CONTEXT(target << ": " << answer.body) { BOOST_TEST(answer.http_status == 200U); }
    return Json::parse(answer.body);
  }
  unsigned status(const std::string& target) { return get(target, reader).http_status; }

  // All items, page after page.
  Json all_items(const std::string& target, std::size_t& pages) {
    Json items = Json::array();
    std::string at = target;
    for (pages = 1;; ++pages) {
      const auto page = ask(at);
      for (const auto& item : page.at("items")) items.push_back(item);
      if (page.at("next").is_null()) return items;
      BOOST_REQUIRE(pages < 10'000);
      at = page.at("next").get<std::string>().substr(std::string("/api/v1").size());
    }
  }
};

const std::vector<std::string> kListings{"/tenants",
                                         "/sites",
                                         "/meters",
                                         "/series",
                                         "/measurements?from=2018-01-01T00:00:00Z",
                                         "/measurements?state=any",
                                         "/measurements?state=unusable",
                                         "/kpis?window=day",
                                         "/kpis",
                                         "/kpis/catalogue",
                                         "/envelopes",
                                         "/quality",
                                         "/quality/failures"};

struct QuietLog {
  QuietLog() { BOOST_REQUIRE(observe::start_log({"error", {}})); }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(QuietLog);

BOOST_FIXTURE_TEST_SUITE(api, Pilot)

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

BOOST_AUTO_TEST_CASE(pages_of_any_size_have_the_same_items_as_one) {
  for (const auto& listing : kListings) {
    std::size_t pages = 0;
    const auto whole = all_items(listing, pages);
    for (const std::size_t limit : {1, 2, 3, 7, 50}) {
      const auto with = listing + (listing.find('?') == std::string::npos ? "?" : "&");
      BOOST_TEST_CONTEXT(listing << " limit " << limit) {
        BOOST_TEST((all_items(with + "limit=" + std::to_string(limit), pages) == whole));
        BOOST_TEST(pages <= whole.size() / limit + 2);
        if (whole.size() > limit) BOOST_TEST(pages > 1U);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_page_ends_early_where_it_would_read_too_much) {
  Batch batch;
  const auto start = *parse_date_time("2018-06-05T00:00:00Z");
  for (int i = 0; i < 700; ++i)
    batch.observations.push_back(energy("M" + std::to_string(i), start, 1));
  send("20", batch);
  const auto first = ask("/kpis?kpi=consumption");
  BOOST_TEST(first.at("items").empty());
  BOOST_TEST(!first.at("next").is_null());
  std::size_t pages = 0;
  BOOST_TEST(all_items("/kpis?kpi=consumption", pages).empty());
  BOOST_TEST(pages > 1U);
  BOOST_TEST(ask("/measurements?quantity=nothing").at("next").is_null());
  const auto hours = all_items("/kpis?kpi=energy_kwh&limit=10000", pages);
  BOOST_TEST(pages > 1U);
  BOOST_TEST((hours == all_items("/kpis?kpi=energy_kwh&limit=37", pages)));
}

BOOST_AUTO_TEST_CASE(a_page_begins_where_no_cursor_of_another_question_says) {
  const auto next = ask("/kpis?limit=1").at("next").get<std::string>();
  const auto cursor =
      next.substr(next.find("cursor=") + 7, next.find('&') - next.find("cursor=") - 7);
  BOOST_TEST(status("/kpis?limit=5&cursor=" + cursor) == 200U);
  BOOST_TEST(status("/kpis?window=day&cursor=" + cursor) == 400U);
  BOOST_TEST(status("/quality?cursor=" + cursor) == 400U);
  for (const auto* bad : {"x", "%00", "AAAA", "W10", "", "bnVsbA"}) {
    BOOST_TEST(status(std::string("/kpis?cursor=") + bad) == 400U);
  }
}

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

// Whoever makes one up learns nothing by it, and breaks nothing.
BOOST_AUTO_TEST_CASE(cursors_that_a_client_made_up_are_refused_or_harmless) {
  const auto next = ask("/measurements?limit=1").at("next").get<std::string>();
  auto cursor = next.substr(next.find("cursor=") + 7, next.find('&') - next.find("cursor=") - 7);
  while (cursor.size() % 4 != 0) cursor += '=';
  const auto text = std::string(as_text(from_base64(cursor).value()));
  const auto fingerprint = Json::parse(text).at(0);
  const auto extreme = std::numeric_limits<std::int64_t>::max();
  for (const Json& place :
       {Json{}, Json{1}, Json{Json{"20", "SHOP", ""}, {1, extreme, 0, 0, 0}},
        Json{Json{"10", "SHOP", ""}, {1, 0, 0, 0, 0}}, Json{Json{"20", "", ""}, {-7, 0, 0, 0, 0}},
        Json{Json{"20", "SHOP", ""}, {1, 253'402'300'799'000'000, 0, 0, 0}},
        Json{Json{"20", 3, ""}, Json::array()}, Json{Json{"20"}, 7}, Json{"a", "b", "c"}}) {
    auto made = to_base64(as_bytes(Json{fingerprint, place}.dump()));
    std::ranges::replace(made, '+', '-');
    std::ranges::replace(made, '/', '_');
    made.erase(std::min(made.find('='), made.size()));
    const auto answer = get("/measurements?limit=1&cursor=" + made, reader);
    BOOST_TEST_CONTEXT(place.dump()) {
      BOOST_TEST((answer.http_status == 200U || answer.http_status == 400U));
      BOOST_TEST(answer.body.find("\"tenant\":\"10\"") == std::string::npos);
    }
  }
}

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

BOOST_AUTO_TEST_CASE(json_and_csv_say_the_same) {
  for (const auto& listing : kListings) {
    std::size_t pages = 0;
    const auto items = all_items(listing, pages);
    ApiRequest request;
    request.accept = "text/csv";
    const auto with =
        listing + (listing.find('?') == std::string::npos ? "?" : "&") + "limit=10000";
    const auto answer = get(with, reader, request);
    BOOST_TEST(answer.content_type.starts_with("text/csv"));
    const auto records = read_csv(answer.body).value();
    BOOST_TEST_CONTEXT(listing) { BOOST_REQUIRE(records.size() == items.size() + 1); }
    for (std::size_t row = 0; row < items.size(); ++row) {
      for (std::size_t i = 0; i < records[0].fields.size(); ++i) {
        const auto& column = records[0].fields[i];
        std::string camel;
        for (std::size_t c = 0; c < column.size(); ++c) {
          if (column[c] == '_') {
            camel += static_cast<char>(std::toupper(column[++c]));
          } else {
            camel += column[c];
          }
        }
        const auto& item = items[row];
        const auto& text = records[row + 1].fields[i];
        if (item.contains(camel) && item.at(camel).is_string()) BOOST_TEST(item.at(camel) == text);
        if (item.contains(camel) && item.at(camel).is_number()) {
          BOOST_TEST(item.at(camel).get<double>() == std::stod(text));
        }
        if (!item.contains(camel)) {
          const auto& attributes = item.at("attributes");
          BOOST_TEST((attributes.contains(column) ? attributes.at(column) : Json("")) == text);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_form_is_as_the_client_accepts) {
  const auto type_for = [this](const std::string& accept) {
    ApiRequest request;
    request.accept = accept;
    const auto answer = get("/tenants", reader, request);
    return answer.http_status == 200 ? answer.content_type.substr(0, answer.content_type.find(';'))
                                     : std::to_string(answer.http_status);
  };
  BOOST_TEST(type_for("") == "application/json");
  BOOST_TEST(type_for("*/*") == "application/json");
  BOOST_TEST(type_for("text/*") == "text/csv");
  BOOST_TEST(type_for("text/html, text/csv;q=0.5, */*;q=0.1") == "text/csv");
  BOOST_TEST(type_for("application/json;q=0.5, TEXT/CSV") == "text/csv");
  BOOST_TEST(type_for("application/json;q=0.9, text/csv;q=0.8") == "application/json");
  BOOST_TEST(type_for("text/html") == "406");
  BOOST_TEST(type_for("text/csv;q=0, application/json;q=0") == "406");
  BOOST_TEST(get("/tenants?format=csv", reader).content_type.starts_with("text/csv"));
}

BOOST_AUTO_TEST_CASE(what_has_not_changed_is_not_sent_again) {
  const auto first = get("/kpis?window=day", reader);
  const auto begin = first.fields.find("ETag: ") + 6;
  const auto tag = first.fields.substr(begin, first.fields.find("\r\n", begin) - begin);
  BOOST_TEST(tag.size() == 34U);
  ApiRequest request;
  for (const auto& known : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
    request.if_none_match = known;
    const auto again = get("/kpis?window=day", reader, request);
    BOOST_TEST(again.http_status == 304U);
    BOOST_TEST(again.fields.find("ETag: " + tag) != std::string::npos);
  }
  request.if_none_match = tag;
  BOOST_TEST(get("/kpis?window=month", reader, request).http_status == 200U);
  Batch batch;
  batch.observations = {energy("SHOP", *parse_date_time("2018-06-02T10:00:00Z"), 500)};
  send("20", batch);
  BOOST_TEST(get("/kpis?window=day", reader, request).http_status == 200U);
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

BOOST_AUTO_TEST_CASE(a_misspelt_parameter_is_told_its_name) {
  const auto answer = get("/kpis?tennant=20", reader);
  BOOST_TEST(answer.http_status == 400U);
  BOOST_TEST(
      Json::parse(answer.body).at("hint").get<std::string>().starts_with("did you mean 'tenant'?"));
}

BOOST_AUTO_TEST_CASE(the_description_has_every_resource_and_needs_no_key) {
  const auto answer = get("/openapi.json", "");
  BOOST_TEST(answer.http_status == 200U);
  const auto document = Json::parse(answer.body);
  BOOST_TEST(document.at("openapi") == "3.1.0");
  BOOST_TEST(document.at("servers")[0].at("url") == "https://district.example/api/v1");
  for (const auto& listing : kListings) {
    BOOST_TEST(document.at("paths").contains(listing.substr(0, listing.find('?'))));
  }
  // Every item is as described: the names, and no others.
  for (const auto& listing : kListings) {
    const auto& schema = document.at("paths")
                             .at(listing.substr(0, listing.find('?')))
                             .at("get")
                             .at("responses")
                             .at("200")
                             .at("content")
                             .at("application/json")
                             .at("schema")
                             .at("properties")
                             .at("items")
                             .at("items");
    std::size_t pages = 0;
    for (const auto& item : all_items(listing, pages)) {
      BOOST_TEST(item.size() == schema.at("properties").size());
      for (const auto& [name, value] : item.items())
        BOOST_TEST(schema.at("properties").contains(name));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
