#include "query/api.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "base/near_name.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "observe/events.h"
#include "query/caller.h"
#include "query/openapi.h"
#include "query/range.h"
#include "query/rendering.h"
#include "query/resource.h"
#include "store/read_snapshot.h"
#include "trust/api_keys.h"

namespace district::query {
namespace {

constexpr std::string_view kDescription = "/openapi.json";
// Data of tenants are for whoever asked, and must be asked for again each time.
constexpr const char* kUsualFields =
    "Cache-Control: private, no-cache\r\nVary: Accept, Authorization\r\n"
    "X-Content-Type-Options: nosniff\r\n";
// Microseconds of the years 1 and 10000.
constexpr std::int64_t kCursorNumberMin = -62'135'596'800'000'000;
constexpr std::int64_t kCursorNumberMax = 253'402'300'800'000'000;

const char* title_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 406:
      return "Not Acceptable";
    case 416:
      return "Range Not Satisfiable";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

HttpResponse problem(unsigned status, std::string_view detail = {}, std::string_view hint = {},
                     std::optional<ErrorCode> code = std::nullopt) {
  Json body{{"title", title_of(status)}, {"status", status}};
  if (!detail.empty()) body["detail"] = detail;
  if (!hint.empty()) body["hint"] = hint;
  if (code) body["code"] = static_cast<unsigned>(*code);
  HttpResponse answer{status, "application/problem+json", dump(body) + "\n"};
  answer.fields = kUsualFields;
  if (status == 503) answer.retry_after_seconds = kRetryAfterSeconds;
  return answer;
}

HttpResponse problem(const Error& error) {
  switch (error.code) {
    case ErrorCode::admin_invalid:
      return problem(400, error.detail, error.hint, error.code);
    case ErrorCode::not_found:
      return problem(404, error.detail, error.hint, error.code);
    case ErrorCode::authentication_failed:
    case ErrorCode::too_large:
      return problem(403, error.detail, error.hint, error.code);
    case ErrorCode::archive_unavailable:
      return problem(503, {}, {}, error.code);
    default:
      return problem(500, {}, {}, error.code);
  }
}

HttpResponse who_are_you(bool came_with_a_key) {
  auto answer = problem(401);
  answer.fields += "WWW-Authenticate: Bearer realm=\"district\"";
  if (came_with_a_key) answer.fields += ", error=\"invalid_token\"";
  answer.fields += "\r\n";
  return answer;
}

// RFC 9110 section 13.1.2: weak comparison, any of a list.
bool names_tag(std::string_view if_none_match, std::string_view tag) {
  if (if_none_match == "*") return true;
  return if_none_match.find(tag) != std::string_view::npos;
}

// The tag is made from the content itself, so it is right whatever has changed.
void put_tag(HttpResponse& answer, std::string_view if_none_match) {
  const auto digest = crypto::sha256(as_bytes(answer.body));
  const auto tag = '"' + to_hex(ByteView(digest).first(16)) + '"';
  answer.fields += "ETag: " + tag + "\r\n";
  if (names_tag(if_none_match, tag)) answer.http_status = 304;
}

// Lets a client continue an answer that was cut off, if it is still the same (RFC 9110 section
// 13.1.5: strong comparison; a date is never a tag of ours).
void take_range(HttpResponse& answer, const ApiRequest& request) {
  answer.fields += "Accept-Ranges: bytes\r\n";
  if (answer.http_status != 200 || request.range.empty()) return;
  const bool same = request.if_range.empty() || answer.fields.find("\r\nETag: " + request.if_range +
                                                                   "\r\n") != std::string::npos;
  const auto range = same ? range_of(request.range, answer.body.size()) : std::nullopt;
  if (!range) return;
  const auto size = std::to_string(answer.body.size());
  if (range->octets == 0) {
    answer = problem(416, "the range is not in the " + size + " octets that there are");
    answer.fields += "Accept-Ranges: bytes\r\nContent-Range: bytes */" + size + "\r\n";
    return;
  }
  answer.http_status = 206;
  answer.fields += "Content-Range: bytes " + std::to_string(range->first) + '-' +
                   std::to_string(range->first + range->octets - 1) + '/' + size + "\r\n";
  answer.body = answer.body.substr(range->first, range->octets);
}

// The query as it may be logged: only parameters that exist, and nothing that is an API key. A key
// must not come in a query, but some clients will try.
std::string query_for_log(std::string_view query) {
  static const auto names = [] {
    std::set<std::string_view> known;
    for (const auto& resource : resources()) {
      for (const auto& each : resource.parameters) known.insert(each.name);
    }
    for (const auto& each : common_parameters()) known.insert(each.name);
    return known;
  }();
  std::string shown;
  std::size_t hidden = 0;
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    const bool known = names.contains(pair.substr(0, equals)) && equals < pair.size();
    if (!known || !value || trust::may_hold_api_key(*value)) {
      ++hidden;
      continue;
    }
    if (!shown.empty()) shown += '&';
    shown += pair;
  }
  if (hidden > 0) shown += " (" + std::to_string(hidden) + " not shown)";
  return shown;
}

// The resource at the path. Adds the parameters that are in the path to `from_path`.
const Resource* find_resource(std::string_view path, Parameters& from_path) {
  const auto matches = [&](std::string_view pattern) {
    Parameters found;
    auto rest = path;
    while (!pattern.empty() && !rest.empty()) {
      pattern.remove_prefix(1);
      rest.remove_prefix(1);  // "/"
      const auto wanted = pattern.substr(0, pattern.find('/'));
      const auto part = rest.substr(0, rest.find('/'));
      if (wanted.starts_with('{')) {
        auto value = percent_decoded(part, false);
        if (!value || value->empty()) return false;
        found.set(std::string(wanted.substr(1, wanted.size() - 2)), *std::move(value));
      } else if (wanted != part) {
        return false;
      }
      pattern.remove_prefix(wanted.size());
      rest.remove_prefix(part.size());
    }
    if (!pattern.empty() || !rest.empty()) return false;
    from_path = std::move(found);
    return true;
  };
  // A path with a fixed name fits better than one that takes the name for the value of a parameter.
  const Resource* found = nullptr;
  for (const auto& resource : resources()) {
    if (matches(resource.path) && (found == nullptr || !resource.path.ends_with('}'))) {
      found = &resource;
    }
  }
  return found;
}

const Parameter* find_parameter(const Resource& resource, std::string_view name) {
  for (const auto& each : resource.parameters) {
    if (each.name == name) return &each;
  }
  for (const auto& each : common_parameters()) {
    if (each.name == name && takes(resource, each)) return &each;
  }
  return nullptr;
}

// "did you mean 'tenant'? ", or nothing.
std::string near_parameter(const Resource& resource, std::string_view name) {
  std::vector<std::string> known;
  for (const auto& each : resource.parameters) known.emplace_back(each.name);
  for (const auto& each : common_parameters()) {
    if (takes(resource, each)) known.emplace_back(each.name);
  }
  return meant_hint(name, known);
}

Result<Ok> check(const Resource& resource, const Parameters& parameters) {
  for (const auto& [name, value] : parameters.all()) {
    const auto* known = find_parameter(resource, name);
    if (known == nullptr) {
      return fail(ErrorCode::admin_invalid,
                  std::string(resource.path) + " has no parameter '" + name + "'",
                  near_parameter(resource, name) + "/api/v1/openapi.json describes them");
    }
    if (known->values.empty() || std::ranges::find(known->values, value) != known->values.end()) {
      continue;
    }
    std::string all;
    for (const auto each : known->values) all += (all.empty() ? "" : ", ") + std::string(each);
    return fail(ErrorCode::admin_invalid, name + " must be one of: " + all);
  }
  for (const auto& each : resource.parameters) {
    if (each.required && !parameters.text(each.name)) {
      return fail(ErrorCode::admin_invalid,
                  "parameter '" + std::string(each.name) + "' is missing");
    }
  }
  return Ok{};
}

// A fingerprint of the question without `limit`, `format` and `cursor`. It stands in each cursor,
// so that a cursor can be used only with the question that it came from.
std::string fingerprint_of(const Resource& resource, const Parameters& parameters) {
  std::string text(resource.path);
  for (const auto& [name, value] : parameters.all()) {
    if (name == "cursor" || name == "limit" || name == "format") continue;
    text += '&' + percent_encoded(name) + '=' + percent_encoded(value);
  }
  const auto digest = crypto::sha256(as_bytes(text));
  return to_hex(ByteView(digest).first(8));
}

std::string cursor_of(const std::string& fingerprint, const Json& next) {
  const auto text = Json{fingerprint, next}.dump();
  auto cursor = to_base64(as_bytes(text));
  std::ranges::replace(cursor, '+', '-');
  std::ranges::replace(cursor, '/', '_');
  cursor.erase(std::min(cursor.find('='), cursor.size()));
  return cursor;
}

// A client may have made the cursor up, so every number in it must lie in the range that instants
// have.
bool is_sane(const Json& part) {
  if (part.is_number_unsigned()) return part.get<std::uint64_t>() <= kCursorNumberMax;
  if (part.is_number_integer()) return part.get<std::int64_t>() >= kCursorNumberMin;
  if (part.is_array()) return std::ranges::all_of(part, is_sane);
  return part.is_string() || part.is_null();
}

Result<Json> read_cursor(const std::string& fingerprint, const Parameters& parameters) {
  auto cursor = parameters.text("cursor");
  if (!cursor) return Json(nullptr);
  std::ranges::replace(*cursor, '-', '+');
  std::ranges::replace(*cursor, '_', '/');
  while (cursor->size() % 4 != 0) *cursor += '=';
  const auto octets = from_base64(*cursor);
  const auto read = octets ? Json::parse(as_text(*octets), nullptr, false) : Json();
  if (read.is_array() && read.size() == 2 && read[0] == fingerprint && is_sane(read[1])) {
    return read[1];
  }
  return fail(ErrorCode::admin_invalid, "the cursor is not of a page of this question",
              "take it from `next`, and change nothing else");
}

Result<std::optional<LocalTime>> zone_of(const Parameters& parameters) {
  const auto name = parameters.text("zone");
  if (!name || *name == "UTC") return std::nullopt;
  auto zone = LocalTime::of(*name);
  if (zone) return std::optional(*zone);
  return fail(ErrorCode::admin_invalid, "there is no time zone '" + *name + "'",
              "give an IANA name, such as Europe/Madrid");
}

Result<HttpResponse> read(const Resource& resource, const Question& question, Format format,
                          const std::string& fingerprint) {
  if (resource.read_octets != nullptr) return resource.read_octets(question);
  DISTRICT_TRY(const auto page, resource.read_rows(question));
  std::optional<std::string> next;
  if (!page.next.is_null()) {
    auto parameters = question.parameters;
    parameters.set("cursor", cursor_of(fingerprint, page.next));
    next = std::string(kApiPath) + std::string(resource.path) + '?' + parameters.encoded();
  }
  HttpResponse answer;
  answer.content_type = media_type_of(format);
  answer.body = format == Format::json ? as_json(resource, page.rows, next)
                                       : as_csv(resource, page.rows, format == Format::csv_exact);
  if (next) answer.fields = "Link: <" + *next + ">; rel=\"next\"\r\n";
  return answer;
}

Result<HttpResponse> read(const Resource& resource, const ApiRequest& request, Question& question) {
  const auto& parameters = question.parameters;
  DISTRICT_CHECK(check(resource, parameters));
  const auto named = parameters.text("format");
  const auto format = named ? std::optional(*named == "csv"         ? Format::csv
                                            : *named == "csv-exact" ? Format::csv_exact
                                                                    : Format::json)
                      : resource.read_octets != nullptr ? std::optional(Format::json)
                                                        : format_for(request.accept);
  if (!format) return problem(406, "there is application/json and text/csv");
  const auto fingerprint = fingerprint_of(resource, parameters);
  DISTRICT_TRY(question.zone, zone_of(parameters));
  DISTRICT_TRY(question.limit, parameters.number("limit", kRowsUsual, kRowsMax));
  DISTRICT_TRY(question.after, read_cursor(fingerprint, parameters));
  try {
    return read(resource, question, *format, fingerprint);
  } catch (const Json::exception&) {
    return fail(ErrorCode::admin_invalid, "the cursor is not one of ours",
                "take it from `next` of the page before");
  }
}

}  // namespace

// Borrows one of the API's connections.
class Api::Connection {
 public:
  explicit Connection(Api& api) : api_(api) {
    const std::lock_guard lock(api.mutex_);
    if (api.idle_.empty()) return;
    open_ = std::move(api.idle_.back());
    api.idle_.pop_back();
  }
  ~Connection() {
    if (!open_.archive) return;
    const std::lock_guard lock(api_.mutex_);
    api_.idle_.push_back(std::move(open_));
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Null when all connections are in use.
  store::ArchiveDatabase* archive() { return open_.archive.get(); }
  store::SeriesDatabase* series() { return open_.series.get(); }

 private:
  Api& api_;
  Connections open_;
};

Result<std::unique_ptr<Api>> Api::open(const store::Location& location, const Clock& clock,
                                       const std::string& public_url) {
  std::unique_ptr<Api> api(new Api(clock, openapi_document(public_url)));
  DISTRICT_TRY(api->trust_, trust::Trust::open(location, store::OpenMode::read_only));
  for (std::size_t i = 0; i < kApiThreads; ++i) {
    Connections opened;
    DISTRICT_TRY(opened.archive,
                 store::ArchiveDatabase::open(location, store::OpenMode::read_only));
    DISTRICT_TRY(opened.series, store::SeriesDatabase::open(location, store::OpenMode::read_only));
    api->idle_.push_back(std::move(opened));
  }
  return api;
}

HttpResponse Api::get(const ApiRequest& request) {
  std::string asked_by = "nobody";
  bool in_octets = false;
  auto answered = answer(request, asked_by, in_octets);
  if (answered.http_status == 200) {
    answered.fields += kUsualFields;
    put_tag(answered, request.if_none_match);
    if (in_octets) take_range(answered, request);
  }
  answered.asked_by = std::move(asked_by);
  return answered;
}

// A meter's readings are personal data, so the log must say who reads what of whom.
void Api::answering(const ApiRequest& request, const HttpResponse& answer) {
  observe::emit(answer.http_status == 500 ? observe::Level::error : observe::Level::info,
                "api_request",
                {{"by", answer.asked_by},
                 {"peer", request.peer},
                 {"path", path_for_log(request.path)},
                 {"query", query_for_log(request.query)},
                 {"status", answer.http_status}});
}

void Api::sent(const ApiRequest& request, const HttpResponse& answer, const Sent& sent) {
  observe::emit(
      observe::Level::info, "api_answer_sent",
      {{"by", answer.asked_by},
       {"peer", request.peer},
       {"path", path_for_log(request.path)},
       {"status", answer.http_status},
       {"octets", sent.octets},
       {"detail", sent.cut != nullptr ? "cut off: " + std::string(sent.cut) : "all sent"}});
}

HttpResponse Api::answer(const ApiRequest& request, std::string& asked_by, bool& in_octets) {
  const auto path = std::string_view(request.path).substr(kApiPath.size());
  if (path == kDescription) {
    return {200, "application/json", description_};
  }
  Connection connection(*this);
  auto* archive = connection.archive();
  auto* series = connection.series();
  if (archive == nullptr) return problem(503);
  const auto failed = [](const Error& error) {
    const auto answer = problem(error);
    if (answer.http_status >= 500) {
      observe::emit(observe::Level::error, "api_failed", {{"detail", error.detail}});
    }
    return answer;
  };
  const auto now = clock_.now();
  const auto trust = trust_->refresh();
  if (!trust) return failed(trust.error());
  // Everything is read as of one moment, so that a page is consistent.
  const auto moment = store::ReadSnapshot::take(*archive);
  if (!moment) return failed(moment.error());
  const auto later_moment = store::ReadSnapshot::take(*series);
  if (!later_moment) return failed(later_moment.error());
  const auto caller = identify(request, **trust, *archive, now);
  if (!caller) return failed(caller.error());
  if (!*caller) return who_are_you(!request.authorization.empty());
  asked_by = (*caller)->name;

  Parameters from_path;
  const auto* resource = find_resource(path, from_path);
  if (resource == nullptr) {
    return problem(404, "there is no such resource", "/api/v1/openapi.json describes all");
  }
  in_octets = resource->read_octets != nullptr;
  auto parameters = Parameters::parse(request.query);
  if (!parameters) return failed(parameters.error());
  for (const auto& [name, value] : from_path.all()) parameters->set(name, value);
  Question question{*archive, *series, **trust, **caller, *parameters, {}, 0, {}, now};
  auto answered = read(*resource, request, question);
  return answered ? *std::move(answered) : failed(answered.error());
}

}  // namespace district::query
