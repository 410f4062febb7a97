// Whatever is asked of the query API: an answer, never an error of ours, and nothing of a tenant
// that the key does not see; `next` leads on.
// Input: lines: target below /api/v1; Accept; If-None-Match; Authorization, or "reader" or
// "auditor"; the place of a cursor as JSON, or nothing.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "../support/small_pilot.h"
#include "fuzz_target.h"
#include "observe/events.h"
#include "query/api.h"
#include "query/parameters.h"

namespace district::fuzz {
namespace {

using Json = nlohmann::json;

constexpr const char* kSecret = "OTHERS-SECRET";

struct Site : test::SmallPilot {
  FixedClock clock{kNow};
  std::unique_ptr<query::Api> api =
      query::Api::open(location, clock, "https://district.example").value();
  const std::string reader = "Bearer " + make_key(ApiRole::reader, false);
  const std::string auditor = "Bearer " + make_key(ApiRole::auditor, false);

  Site() {
    require(observe::start_log({"error", {}}).has_value(), "no log");
    Batch secret;
    secret.observations = {energy(kSecret, *parse_date_time("2018-06-03T00:00:00Z"), 1)};
    send("10", secret);
  }
};

ApiRequest request_for(std::string_view target) {
  ApiRequest request;
  const auto mark = std::min(target.find('?'), target.size());
  request.path = std::string(kApiPath) + std::string(target.substr(0, mark));
  request.query = target.substr(std::min(mark + 1, target.size()));
  return request;
}

// The same question, its page beginning where `place` says.
void place_cursor(Site& site, ApiRequest& request, std::string_view place) {
  auto first = request;
  first.query += "&limit=1&format=json";
  first.authorization = site.reader;
  const auto page = Json::parse(site.api->get(first).body, nullptr, false);
  if (!page.is_object() || !page.contains("next") || !page["next"].is_string()) return;
  auto cursor = page["next"].get<std::string>();
  cursor.erase(0, cursor.find("cursor=") + 7);
  cursor.erase(std::min(cursor.find('&'), cursor.size()));
  std::ranges::replace(cursor, '-', '+');
  std::ranges::replace(cursor, '_', '/');
  while (cursor.size() % 4 != 0) cursor += '=';
  const auto fingerprint = Json::parse(as_text(from_base64(cursor).value())).at(0).dump();
  auto made = to_base64(as_bytes("[" + fingerprint + "," + std::string(place) + "]"));
  std::ranges::replace(made, '+', '-');
  std::ranges::replace(made, '/', '_');
  made.erase(std::min(made.find('='), made.size()));
  request.query += "&cursor=" + made;
}

// Errors repeat words of the question.
bool asks_for_the_secret(const ApiRequest& request) {
  const auto has_it = [](const std::string& text) {
    return query::percent_decoded(text, true).value_or(text).find(kSecret) != std::string::npos;
  };
  return has_it(request.path) || has_it(request.query);
}

void check(Site& site, const ApiRequest& request, bool may_follow) {
  const auto answer = site.api->get(request);
  constexpr std::array kStatuses{200U, 304U, 400U, 401U, 403U, 404U, 406U};
  require(std::ranges::find(kStatuses, answer.http_status) != kStatuses.end(),
          "status " + std::to_string(answer.http_status) + ": " + answer.body);
  require(asks_for_the_secret(request) || answer.body.find(kSecret) == std::string::npos,
          "it shows another tenant's data");
  require(answer.fields.find("\r\n\r\n") == std::string::npos, "its header has an end of its own");
  if (answer.content_type.find("json") == std::string::npos) return;
  const auto body = Json::parse(answer.body, nullptr, false);
  require(body.is_object(), "it is no JSON: " + answer.body);
  if (!may_follow || !body.contains("next") || !body["next"].is_string()) return;
  auto next = request_for(body["next"].get<std::string>().substr(kApiPath.size()));
  next.authorization = site.reader;
  require(site.api->get(next).http_status == 200, "next leads nowhere");
}

}  // namespace

void fuzz(std::string_view input) {
  static Site site;
  std::array<std::string_view, 5> lines;
  for (auto& line : lines) {
    const auto end = std::min(input.find('\n'), input.size());
    line = input.substr(0, end);
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  auto request = request_for(lines[0]);
  request.accept = lines[1];
  request.if_none_match = lines[2];
  request.authorization = lines[3] == "reader"    ? site.reader
                          : lines[3] == "auditor" ? site.auditor
                                                  : std::string(lines[3]);
  if (!lines[4].empty()) place_cursor(site, request, lines[4]);
  check(site, request, lines[3] == "reader");
}

}  // namespace district::fuzz
