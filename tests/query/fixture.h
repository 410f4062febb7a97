// A small pilot, and the query API to ask about it.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../support/small_pilot.h"
#include "query/api.h"

namespace district::test {

using Json = nlohmann::json;

struct AskedPilot : SmallPilot {
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

inline const std::vector<std::string> kListings{"/tenants",
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

}  // namespace district::test
