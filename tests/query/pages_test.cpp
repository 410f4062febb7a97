// The query API: pages and their cursors.
#include <limits>

#include "fixture.h"

using namespace district;
using test::Json;
using test::kListings;

BOOST_FIXTURE_TEST_SUITE(api, test::AskedPilot)

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

BOOST_AUTO_TEST_SUITE_END()
