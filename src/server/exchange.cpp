#include "server/exchange.h"

#include <utility>

#include "base/limits.h"
#include "server/head_reader.h"

namespace district::server {
namespace {

using limits::kWholeOctetsMax;

constexpr std::string_view kKnownCodings = "Accept-Encoding: gzip\r\n";
constexpr const char* kPlainText = "text/plain; charset=utf-8";

std::string_view text_of(unsigned status) {
  switch (status) {
    case 400:
      return "bad request\n";
    case 403:
      return "forbidden\n";
    case 404:
      return "not found\n";
    case 405:
      return "method not allowed\n";
    case 408:
      return "request timeout\n";
    case 414:
      return "request target too long\n";
    case 417:
      return "expectation failed\n";
    case 431:
      return "request header too large\n";
    case 501:
      return "not implemented\n";
    case 503:
      return "service unavailable\n";
    case 505:
      return "HTTP version not supported\n";
    default:
      return "error\n";
  }
}

Error cut(std::string detail) { return {ErrorCode::request_cut, std::move(detail), {}, {}, {}}; }

}  // namespace

// The thread that reads the upload must not wait for ever, whatever has become of the connection.
Exchange::~Exchange() {
  if (upload_) upload_->fail(cut("the connection has failed"));
}

Awaitable<bool> Exchange::run() {
  stream_.must_end_within(front_.settings.header);
  std::size_t octets = 0;
  const bool came = co_await read_head(stream_, front_.settings.header_octets_max, head_, octets);
  if (!came) trace_cut_head(octets);
  if (!came) co_return false;
  const bool is_head = stream_.ahead().starts_with("HEAD ");
  if (head_.refused == 0 && client_.certificates == ClientCertificates::required)
    co_await judge_certificate();
  if (head_.refused != 0) {
    head_.is_head = is_head;
  } else {
    head_ = parse_head(stream_.ahead().substr(0, octets));
    stream_.consume(octets);
  }
  const bool more = co_await answer_request();
  if (writer_.sent().cut != nullptr) trace_cut_answer();
  co_return more;
}

Awaitable<bool> Exchange::answer_request() {
  if (head_.refused != 0) return refuse();
  if (head_.resource == Resource::api) return answer_api();
  return head_.is_post ? answer_post() : answer_get();
}

// A certificate that was good at the last request may be revoked or expired at this one. A worker
// looks, since this thread serves other connections and must not wait for the database.
Awaitable<void> Exchange::judge_certificate() {
  const auto& proved = client_.proved_certificate;
  unsigned status = 403;
  std::string why = "no worker takes it";
  if (proved) {
    auto& workers = front_.certificate_workers;
    expect_answer();
    auto job = std::make_unique<CertificateJob>(*proved, reply_by(workers), front_);
    status = 503;
    if (submit(workers, std::move(job))) {
      co_await wait_for_answer();
      status = pending_->get().response->http_status;
      why = pending_->get().response->body;
    }
  }
  if (status == 403) {
    head_ = refused_head(
        403, "client_certificates is \"required\", and the certificate with SHA-256 " +
                 (proved ? to_hex(*proved) : "(none)") + " is not enrolled, or not in force now");
  } else if (status != 200) {
    head_ = refused_head(503, "the client's certificate could not be looked up: " + why);
  }
}

// ---- POST --------------------------------------------------------------------------------------

Awaitable<bool> Exchange::answer_post() {
  BodyReader body(head_, stream_, front_.settings, front_.bodies);
  Bytes octets;
  auto end = judge_length();
  if (end == BodyEnd::complete && waits_for_continue()) {
    const auto wanted =
        receive::check_fields(head_.content_type, head_.content_encoding, head_.soap_action);
    if (!wanted) {
      const auto refusal = fault(wanted.error());
      const bool more = co_await send(*refusal, false);
      co_return more;
    }
    const bool asked = co_await writer_.ask_for_body();
    if (!asked) co_return false;
  }
  if (end == BodyEnd::complete) end = co_await body.read_beginning(octets);
  bool more = false;
  if (end == BodyEnd::complete) {
    more = co_await answer_whole_post(std::move(octets));
  } else if (end == BodyEnd::large) {
    more = co_await answer_large_post(body, std::move(octets));
  } else {
    more = co_await refuse_body(end, body);
  }
  co_return more;
}

Awaitable<bool> Exchange::answer_whole_post(Bytes body) {
  auto& workers = receive::claims_to_be_large(head_.content_encoding, body) ? front_.large_workers
                                                                            : front_.workers;
  expect_answer();
  auto job = std::make_unique<EnvelopeJob>(post_request(std::move(body), nullptr),
                                           reply_by(workers), front_);
  if (!submit(workers, std::move(job))) co_return false;
  co_await wait_for_answer();
  const bool more = co_await send(*pending_->get().response, head_.keep_alive);
  co_return more;
}

// A worker reads the body while it arrives, and may answer before its end.
Awaitable<bool> Exchange::answer_large_post(BodyReader& body, Bytes beginning) {
  bool more = false;
  if (front_.large_workers.full() || !body.reserve(kWholeOctetsMax + Upload::kOctetsMax)) {
    more = co_await refuse_body(BodyEnd::no_room, body);
    co_return more;
  }
  expect_answer();
  upload_ = std::make_shared<Upload>([pending = pending_] { pending->wake(); });
  if (front_.cutting_uploads) cut_upload();
  auto job = std::make_unique<EnvelopeJob>(post_request(std::move(beginning), upload_),
                                           reply_by(front_.large_workers), front_);
  if (!submit(front_.large_workers, std::move(job))) co_return false;
  const auto end = co_await stream_body(body);
  if (end == BodyEnd::complete) {
    upload_->finish();
  } else {
    upload_->fail(why_cut(end, body));
  }
  co_await wait_for_answer();
  upload_.reset();
  if (end == BodyEnd::gone) co_return false;
  more = co_await send(*pending_->get().response, head_.keep_alive && body.complete());
  co_return more;
}

// Until the body has come, or an answer is there before.
Awaitable<BodyEnd> Exchange::stream_body(BodyReader& body) {
  while (!body.complete() && !pending_->here()) {
    const auto room = upload_->room();
    if (room.empty()) {
      body.pause();
      stream_.may_take_for_ever();
      co_await pending_->wait_for_event();
      body.resume();
      continue;
    }
    const auto before = body.octets();
    auto end = BodyEnd::complete;
    {
      const PendingAnswer::EndsRead ends_read(*pending_, stream_);
      end = co_await body.read_some(room);
    }
    upload_->wrote(static_cast<std::size_t>(body.octets() - before));
    if (pending_->here()) break;
    if (end != BodyEnd::complete) co_return end;
  }
  co_return BodyEnd::complete;
}

void Exchange::cut_upload() {
  if (upload_) upload_->fail(cut("the server stops"));
}

BodyEnd Exchange::judge_length() const {
  if (head_.content_length > front_.settings.body_octets_max) return BodyEnd::too_large;
  const bool large = head_.content_length > kWholeOctetsMax;
  return large && front_.large_workers.full() ? BodyEnd::no_room : BodyEnd::complete;
}

// Who has begun to send does not wait for it (RFC 9110 section 10.1.1).
bool Exchange::waits_for_continue() const {
  return head_.expects_continue && head_.has_body && stream_.ahead().empty();
}

receive::HttpRequest Exchange::post_request(Bytes body, std::shared_ptr<ByteSource> rest) const {
  return {head_.content_type, head_.content_encoding, head_.soap_action,
          client_.peer,       std::move(body),        std::move(rest)};
}

// ---- GET ---------------------------------------------------------------------------------------

Awaitable<bool> Exchange::answer_get() {
  bool more = false;
  HttpResponse response{200, kPlainText, "ok\n"};
  if (head_.resource == Resource::service) {
    const auto found = front_.application->document(head_.query);
    if (!found) {
      more = co_await refuse(404, "no document has this query");
      co_return more;
    }
    response = {200, "text/xml; charset=utf-8", std::string(*found)};
  }
  more = co_await send(response, head_.keep_alive && !head_.has_body);
  co_return more;
}

Awaitable<bool> Exchange::answer_api() {
  bool more = false;
  if (!client_.may_read_api) {
    more = co_await refuse(404, "the query API is off, or not for this listener");
    co_return more;
  }
  const auto request = api_request();
  auto& workers = front_.api_workers;
  expect_answer();
  auto job = std::make_unique<ApiJob>(request, reply_by(workers), front_);
  if (!submit(workers, std::move(job))) co_return false;
  co_await wait_for_answer();
  auto answer = pending_->get();
  // Clients that take their answers slowly must not fill the memory.
  BodyBudget::Share share(front_.answers);
  if (!share.grow_to(answer.response->body.size())) {
    auto refusal = *Front::no_time_to_read();
    refusal.asked_by = answer.response->asked_by;  // who asked is known already
    answer.response = std::make_shared<const HttpResponse>(std::move(refusal));
  }
  if (answer.was_asked) {
    front_.api->answering(request, *answer.response);
  } else {
    trace_refusal(answer.response->http_status, "too much is being read");
  }
  more = co_await send(*answer.response, head_.keep_alive && !head_.has_body);
  if (answer.was_asked) front_.api->sent(request, *answer.response, writer_.sent());
  co_return more;
}

ApiRequest Exchange::api_request() const {
  return {head_.path,
          head_.query,
          head_.authorization,
          head_.accept,
          head_.if_none_match,
          head_.is_head ? std::string() : head_.range,
          head_.is_head ? std::string() : head_.if_range,
          client_.proved_certificate,
          client_.peer};
}

// ---- answers -----------------------------------------------------------------------------------

void Exchange::expect_answer() { pending_ = std::make_shared<PendingAnswer>(io_.executor()); }

std::unique_ptr<Reply> Exchange::reply_by(Workers& workers) const {
  return std::make_unique<Reply>(workers, client_.peer, pending_);
}

// false: the server stops, and there will be no answer.
bool Exchange::submit(Workers& workers, std::unique_ptr<Job> job) {
  return workers.submit(std::move(job), client_.flow);
}

Awaitable<void> Exchange::wait_for_answer() {
  stream_.may_take_for_ever();  // nobody reads or writes meanwhile
  co_await pending_->wait();
  const auto& tenant = pending_->get().response->tenant;
  if (!tenant.empty()) client_.flow = "tenant " + tenant;
}

// `response` must live until all is sent.
Awaitable<bool> Exchange::send(const HttpResponse& response, bool keep_alive) {
  // Only where it is the coding that we refuse (RFC 9110 section 12.5.3).
  const bool tell_codings =
      response.http_status == 415 &&
      receive::refuses_coding_only(head_.content_type, head_.content_encoding);
  return writer_.write(response, {.keep_alive = keep_alive,
                                  .without_body = head_.is_head,
                                  .further_fields = tell_codings ? kKnownCodings : ""});
}

Awaitable<bool> Exchange::refuse(unsigned status, const char* rule) {
  head_.refused = status;
  head_.rule = rule;
  return refuse();
}

Awaitable<bool> Exchange::refuse() {
  trace_refusal(head_.refused, head_.rule);
  HttpResponse response{head_.refused, kPlainText, std::string(text_of(head_.refused))};
  // Only where the request can be mended by what HTTP itself says; whoever may ask what is told.
  if (head_.refused == 400) response.body = "bad request: " + head_.rule + "\n";
  if (head_.refused == 503) response.retry_after_seconds = kRetryAfterSeconds;
  if (head_.refused == 405) response.fields = "Allow: " + head_.allow + "\r\n";
  // keep_alive is false where the framing is in doubt.
  const bool more = co_await send(response, head_.keep_alive && !head_.has_body);
  co_return more;
}

Awaitable<bool> Exchange::refuse_body(BodyEnd end, const BodyReader& body) {
  bool more = false;
  if (end == BodyEnd::malformed) {
    head_ = refused_head(400, body.broken_rule());
    more = co_await refuse();
    co_return more;
  }
  const auto refusal = refusal_of(end, body);
  if (refusal) more = co_await send(*refusal, false);
  co_return more;
}

// The answer to a body that was not read to its end, which leaves a line in the log. Null: nobody
// is there to be answered; it is on record all the same.
std::shared_ptr<const HttpResponse> Exchange::refusal_of(BodyEnd end, const BodyReader& body) {
  if (end == BodyEnd::no_room) {
    return front_.overloaded("limits.body_bytes_total, or all places for large bodies, are in use",
                             head_.content_type, client_.peer);
  }
  if (end != BodyEnd::gone) return fault(why_cut(end, body));
  if (!front_.stopping) fault(why_cut(end, body));
  return nullptr;
}

Error Exchange::why_cut(BodyEnd end, const BodyReader& body) {
  if (end == BodyEnd::malformed) return cut(body.broken_rule());
  if (end != BodyEnd::too_large) return cut(body.describe(end));
  return {ErrorCode::too_large, "the body is larger than limits.body_bytes", {}, {}, {}};
}

std::shared_ptr<const HttpResponse> Exchange::fault(const Error& error) {
  return std::make_shared<const HttpResponse>(
      front_.application->refuse(error, head_.content_type, client_.peer));
}

void Exchange::trace_cut_head(std::size_t octets) const {
  if (front_.stopping) return;
  const auto detail =
      "the client ended the connection after " + std::to_string(octets) + " octets of the head";
  trace("request_cut", {{"peer", client_.peer}, {"detail", detail}});
}

void Exchange::trace_cut_answer() const {
  if (head_.resource == Resource::api) return;  // it says so itself, of each of its answers
  trace("answer_cut", {{"peer", client_.peer},
                       {"status", writer_.status()},
                       {"path", path_for_log(head_.path)},
                       {"octets", writer_.sent().octets},
                       {"detail", writer_.sent().cut}});
}

void Exchange::trace_refusal(unsigned status, std::string_view rule) const {
  trace("request_refused", {{"peer", client_.peer},
                            {"status", status},
                            {"path", path_for_log(head_.path)},
                            {"detail", rule}});
}

void Exchange::trace(std::string_view event, std::initializer_list<observe::Field> fields) const {
  front_.traces.write(client_.counted_as, event, fields);
}

}  // namespace district::server
