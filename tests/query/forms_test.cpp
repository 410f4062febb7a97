// The query API: JSON, CSV, the description, and answers that have not changed.
#include <cctype>

#include "base/csv.h"
#include "fixture.h"

using namespace district;
using test::Json;
using test::kListings;

BOOST_FIXTURE_TEST_SUITE(api, test::AskedPilot)

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
