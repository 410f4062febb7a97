#include "server/session.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>
#include <ctime>
#include <exception>
#include <utility>

#include "base/limits.h"
#include "observe/events.h"

namespace district::server {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using limits::kWholeOctetsMax;
using std::chrono::steady_clock;

constexpr std::size_t kReadOctets = 64 * 1024;
// After an answer to a request that was not read to its end: what we still read, so that the system
// does not reset the connection before the client has seen the answer.
constexpr std::size_t kDrainOctetsMax = 1024 * 1024;
constexpr auto kDrainTime = std::chrono::seconds(2);
// Settings::body is the time for so many octets of a body.
constexpr std::size_t kPaceOctets = std::size_t{32} * 1024 * 1024;
constexpr auto kInterruptAgain = std::chrono::milliseconds(20);

std::string_view text_of(unsigned status) {
  switch (status) {
    case 400:
      return "bad request\n";
    case 404:
      return "not found\n";
    case 405:
      return "method not allowed\n";
    case 417:
      return "expectation failed\n";
    case 431:
      return "request header too large\n";
    default:
      return "error\n";
  }
}

// IMF-fixdate, whatever the locale (RFC 9110 section 5.6.7).
std::string http_date() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return {text, static_cast<std::size_t>(length)};
}

// The peer's octets are at fault, not the network: an answer can be given.
bool is_protocol_error(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

Error cut(std::string detail) { return {ErrorCode::request_cut, std::move(detail), {}, {}, {}}; }

bool is_header_too_large(const boost::system::error_code& error) {
  return error == http::error::header_limit || error == http::error::buffer_overflow;
}

}  // namespace

// At the minimum rate the next octets would be here by then.
steady_clock::time_point Pace::deadline(std::size_t octets) const {
  const auto parts = static_cast<std::int64_t>(octets / kPaceOctets);
  const auto at_rate =
      std::chrono::milliseconds(1000 * octets / settings_.body_octets_per_second_min);
  return begin_ + std::min(settings_.body * (1 + parts), settings_.body_grace + at_rate);
}

Session::Session(net::ip::tcp::socket socket, net::ssl::context& tls, Front& front,
                 Connections::Slot slot, std::string peer)
    : front_(front),
      slot_(std::move(slot)),
      peer_(std::move(peer)),
      stream_(std::move(socket), tls),
      // Room for a whole header and the start of a body behind it.
      buffer_(front.settings.header_octets_max + 1024),
      event_(stream_.get_executor()) {}

Session::~Session() {
  const std::lock_guard lock(front_.mutex);
  front_.sessions.erase(this);
}

void Session::start() {
  {
    const std::lock_guard lock(front_.mutex);
    front_.sessions.emplace(this, weak_from_this());
  }
  net::co_spawn(
      stream_.get_executor(), [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](std::exception_ptr problem) {
        // Only want of memory gets here; this connection is lost, the others go on.
        if (problem)
          observe::emit(observe::Level::error, "connection_failed", {{"peer", self->peer_}});
      });
  // stop() may have looked for sessions before this one was among them.
  if (front_.stopping) close_when_idle();
}

void Session::cut_upload() {
  net::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->upload_) self->upload_->fail(cut("the server stops"));
  });
}

void Session::close_when_idle() {
  net::post(stream_.get_executor(), [self = shared_from_this()] {
    if (!self->request_under_way_) beast::get_lowest_layer(self->stream_).close();
  });
}

Session::Awaitable<void> Session::run() {
  const bool ready = co_await handshake();
  if (!ready) co_return;
  bool more = true;
  while (more) {
    more = co_await wait_for_request();
    if (more) more = co_await serve_request();
    request_under_way_ = false;
  }
  co_await close();
}

Session::Awaitable<bool> Session::handshake() {
  boost::system::error_code error;
  beast::get_lowest_layer(stream_).expires_after(front_.settings.handshake);
  co_await stream_.async_handshake(net::ssl::stream_base::server,
                                   net::redirect_error(net::use_awaitable, error));
  if (error) {
    observe::emit(observe::Level::debug, "handshake_failed",
                  {{"peer", peer_}, {"detail", error.message()}});
  }
  co_return !error;
}

Session::Awaitable<bool> Session::wait_for_request() {
  if (buffer_.size() == 0) {
    if (front_.stopping) co_return false;
    const auto& settings = front_.settings;
    // A new connection has to prove itself; one that has already sent a request may rest.
    beast::get_lowest_layer(stream_).expires_after(first_request_ ? settings.header
                                                                  : settings.idle);
    boost::system::error_code error;
    const auto octets = co_await stream_.async_read_some(
        buffer_.prepare(512), net::redirect_error(net::use_awaitable, error));
    if (error) co_return false;
    buffer_.commit(octets);
  }
  request_under_way_ = true;
  first_request_ = false;
  co_return true;
}

Session::Awaitable<bool> Session::serve_request() {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(front_.settings.header_octets_max));
  parser.body_limit(front_.settings.body_octets_max);
  beast::get_lowest_layer(stream_).expires_after(front_.settings.header);
  boost::system::error_code error;
  co_await http::async_read_header(stream_, buffer_, parser,
                                   net::redirect_error(net::use_awaitable, error));
  // Beast compares Content-Length with the limit once it has read the whole header.
  const bool too_large = error == http::error::body_limit;
  if (error && !too_large) {
    if (!is_protocol_error(error)) co_return false;
    // Named, because g++ 12 destroys a braced temporary in a co_await expression twice.
    const RequestHead unread;
    const bool sent = co_await send_status(is_header_too_large(error) ? 431 : 400, unread);
    co_return sent;
  }
  const auto head = judge(parser.get());
  if (head.refused != 0) {
    const bool sent = co_await send_status(head.refused, head);
    co_return sent;
  }
  bool more = false;
  if (head.is_post) {
    more = co_await serve_post(parser, head, too_large);
  } else {
    more = co_await serve_get(head);
  }
  co_return more;
}

Session::Awaitable<bool> Session::serve_post(Parser& parser, const RequestHead& head,
                                             bool too_large) {
  boost::system::error_code error;
  Pace pace(front_.settings);
  Bytes body;
  BodyBudget::Share share(front_.bodies);
  auto end = BodyEnd::complete;
  if (too_large) {
    end = BodyEnd::too_large;
  } else if (head.content_length > kWholeOctetsMax && front_.large_workers.full()) {
    end = BodyEnd::no_room;
  } else {
    if (head.expects_continue) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      beast::get_lowest_layer(stream_).expires_after(front_.settings.write);
      co_await net::async_write(stream_, net::buffer(kContinue.data(), kContinue.size()),
                                net::redirect_error(net::use_awaitable, error));
      if (error) co_return false;
    }
    end = co_await read_body(parser, pace, body, share);
  }

  bool more = false;
  if (end == BodyEnd::large) {
    more = co_await serve_large(parser, head, pace, std::move(body), share);
  } else if (end != BodyEnd::complete) {
    more = co_await refuse_body(end, head);
  } else if (receive::HttpRequest request{head.content_type, head.content_encoding,
                                          head.soap_action, peer_, std::move(body)};
             !submit(front_.workers, std::move(request))) {
    auto answer = refusal(ErrorCode::overloaded, "the queue for workers is full", head);
    more = co_await send_answer(std::move(answer), head.keep_alive);
  } else {
    co_await wait_for_answer();
    more = co_await send_answer(std::move(*answer_), head.keep_alive);
  }
  co_return more;
}

// The answer to a body that was not read to its end.
Session::Awaitable<bool> Session::refuse_body(BodyEnd end, const RequestHead& head) {
  bool more = false;
  if (end == BodyEnd::too_large) {
    auto answer = refusal(ErrorCode::too_large, "the body is larger than limits.body_bytes", head);
    more = co_await send_answer(std::move(answer), false);
  } else if (end == BodyEnd::no_room) {
    auto answer =
        refusal(ErrorCode::overloaded,
                "limits.body_bytes_total, or all places for large bodies, are in use", head);
    more = co_await send_answer(std::move(answer), false);
  } else if (end == BodyEnd::malformed) {
    const RequestHead unread;
    more = co_await send_status(400, unread);
  }
  co_return more;
}

// A whole body, or the first kWholeOctetsMax octets of a large one.
Session::Awaitable<Session::BodyEnd> Session::read_body(Parser& parser, Pace& pace, Bytes& body,
                                                        BodyBudget::Share& share) {
  const auto length = parser.content_length();
  const auto expected =
      length ? std::min<std::uint64_t>(*length, kWholeOctetsMax) : kWholeOctetsMax;
  std::size_t used = 0;
  buffer_.reserve(std::min(buffer_.max_size(), kReadOctets));
  parser.eager(true);
  while (!parser.is_done()) {
    if (used == kWholeOctetsMax) co_return BodyEnd::large;
    // Who announces much has to send it before it takes memory. One octet of room is always there,
    // for a body that is over without another octet.
    if (used == body.size()) {
      body.resize(std::clamp<std::size_t>(expected, 1, std::max(kReadOctets, 2 * used)));
    }
    const auto end = co_await read_some_body(parser, pace, std::span(body).subspan(used), used);
    if (end != BodyEnd::complete) co_return end;
    if (!share.grow_to(used)) co_return BodyEnd::no_room;
  }
  body.resize(used);
  co_return BodyEnd::complete;
}

// Adds to `octets` how many came. BodyEnd::complete: so far all is well.
Session::Awaitable<Session::BodyEnd> Session::read_some_body(Parser& parser, Pace& pace,
                                                             std::span<std::byte> room,
                                                             std::size_t& octets) {
  auto& target = parser.get().body();
  target.data = room.data();
  target.size = room.size();
  target.more = true;
  const auto deadline = pace.deadline(octets);
  if (steady_clock::now() > deadline) co_return BodyEnd::gone;
  beast::get_lowest_layer(stream_).expires_at(deadline);
  boost::system::error_code error;
  co_await http::async_read_some(stream_, buffer_, parser,
                                 net::redirect_error(net::use_awaitable, error));
  octets += room.size() - target.size;
  if (error == http::error::body_limit) co_return BodyEnd::too_large;
  if (error && error != http::error::need_buffer) {
    co_return is_protocol_error(error) ? BodyEnd::malformed : BodyEnd::gone;
  }
  co_return BodyEnd::complete;
}

Session::Awaitable<bool> Session::serve_large(Parser& parser, const RequestHead& head, Pace& pace,
                                              Bytes begin, BodyBudget::Share& share) {
  bool more = false;
  if (!share.grow_to(kWholeOctetsMax + Upload::kOctetsMax)) {
    more = co_await refuse_body(BodyEnd::no_room, head);
    co_return more;
  }
  upload_ = std::make_shared<Upload>([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      net::post(self->stream_.get_executor(), [self] { self->event_.cancel(); });
    }
  });
  // Held by nobody else when a worker is refused, or has answered.
  const auto upload = upload_;
  if (front_.cutting_uploads) upload->fail(cut("the server stops"));
  receive::HttpRequest request{
      head.content_type, head.content_encoding, head.soap_action, peer_, std::move(begin), upload};
  if (!submit(front_.large_workers, std::move(request))) {
    upload_.reset();
    more = co_await refuse_body(BodyEnd::no_room, head);
    co_return more;
  }
  const auto end = co_await stream_body(parser, pace, *upload);
  if (end == BodyEnd::complete) {
    upload->finish();
  } else if (end == BodyEnd::too_large) {
    upload->fail({ErrorCode::too_large, "the body is larger than limits.body_bytes", {}, {}, {}});
  } else {
    upload->fail(cut(end == BodyEnd::malformed ? "its chunks are malformed"
                                               : "the peer is gone or too slow"));
  }
  co_await wait_for_answer();
  upload_.reset();
  if (end == BodyEnd::gone) co_return false;
  more = co_await send_answer(std::move(*answer_), head.keep_alive && parser.is_done());
  co_return more;
}

// Until the body has come, or an answer is there before.
Session::Awaitable<Session::BodyEnd> Session::stream_body(Parser& parser, Pace& pace,
                                                          Upload& upload) {
  std::size_t octets = kWholeOctetsMax;
  while (!parser.is_done() && !answer_) {
    const auto room = upload.room();
    if (room.empty()) {
      pace.pause();
      co_await wait_for_event();
      pace.resume();
      continue;
    }
    const auto before = octets;
    reading_upload_ = true;
    const auto end = co_await read_some_body(parser, pace, room, octets);
    reading_upload_ = false;
    upload.wrote(octets - before);
    if (answer_) break;
    if (end != BodyEnd::complete) co_return end;
  }
  co_return BodyEnd::complete;
}

// false: there is no room for it.
bool Session::submit(Workers& workers, receive::HttpRequest request) {
  answer_.reset();
  auto job = [self = shared_from_this(), request = std::move(request)]() mutable {
    pipeline::Answer answer;
    try {
      answer = self->front_.application->post(std::move(request));
    } catch (const std::exception& problem) {
      observe::emit(observe::Level::error, "request_failed",
                    {{"peer", self->peer_}, {"detail", problem.what()}});
      answer = pipeline::Answer{500, "text/plain", "internal error\n", 0};
    }
    auto& strand_user = *self;
    net::post(strand_user.stream_.get_executor(),
              [self = std::move(self), answer = std::move(answer)]() mutable {
                self->take_answer(std::move(answer));
              });
  };
  return workers.submit(std::move(job));
}

void Session::take_answer(pipeline::Answer answer) {
  answer_ = std::move(answer);
  event_.cancel();
  interrupt_reading();
}

// The answer is there before the body. A cancellation may come between two steps of a read, which
// does not feel it then, so it is repeated.
void Session::interrupt_reading() {
  if (!reading_upload_) return;
  beast::get_lowest_layer(stream_).cancel();
  event_.expires_after(kInterruptAgain);
  event_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->interrupt_reading();
  });
}

Session::Awaitable<void> Session::wait_for_answer() {
  while (!answer_) co_await wait_for_event();
}

// Whoever causes the event posts it to the strand, so that it comes after the wait has begun.
Session::Awaitable<void> Session::wait_for_event() {
  // No deadline for the network while nobody reads or writes.
  beast::get_lowest_layer(stream_).expires_never();
  event_.expires_at(steady_clock::time_point::max());
  boost::system::error_code cancelled;
  co_await event_.async_wait(net::redirect_error(net::use_awaitable, cancelled));
}

Session::Awaitable<bool> Session::serve_get(const RequestHead& head) {
  std::optional<std::string_view> found;
  Response response;
  if (head.resource == Resource::health) {
    found = "ok\n";
    response.set(http::field::content_type, "text/plain; charset=utf-8");
  } else {
    found = front_.application->document(head.query);
    response.set(http::field::content_type, "text/xml; charset=utf-8");
  }
  bool more = false;
  if (!found) {
    more = co_await send_status(404, head);
    co_return more;
  }
  response.content_length(found->size());
  if (!head.is_head) response.body() = *found;
  more = co_await send(std::move(response), head.keep_alive && !head.has_body);
  co_return more;
}

Session::Awaitable<bool> Session::send_status(unsigned status, const RequestHead& head) {
  Response response;
  response.result(status);
  response.set(http::field::content_type, "text/plain; charset=utf-8");
  if (status == 405) response.set(http::field::allow, head.allow);
  const auto text = text_of(status);
  response.content_length(text.size());
  if (!head.is_head) response.body() = text;
  // keep_alive is false where the framing is in doubt.
  const bool more = co_await send(std::move(response), head.keep_alive && !head.has_body);
  co_return more;
}

Session::Awaitable<bool> Session::send_answer(pipeline::Answer answer, bool keep_alive) {
  Response response;
  response.result(answer.http_status);
  if (!answer.content_type.empty()) response.set(http::field::content_type, answer.content_type);
  if (answer.retry_after_seconds != 0) {
    response.set(http::field::retry_after, std::to_string(answer.retry_after_seconds));
  }
  response.content_length(answer.body.size());
  response.body() = std::move(answer.body);
  const bool more = co_await send(std::move(response), keep_alive);
  co_return more;
}

Session::Awaitable<bool> Session::send(Response response, bool keep_alive) {
  keep_alive = may_keep_alive(keep_alive);
  response.version(11);
  response.set(http::field::date, http_date());
  response.keep_alive(keep_alive);
  // Clients of HTTP/1.0 have to be told.
  if (keep_alive) response.set(http::field::connection, "keep-alive");
  beast::get_lowest_layer(stream_).expires_after(front_.settings.write);
  boost::system::error_code error;
  co_await http::async_write(stream_, response, net::redirect_error(net::use_awaitable, error));
  co_return keep_alive && !error;
}

// TLS's close_notify, then TCP's end, then reading for a while whatever the client still sends.
Session::Awaitable<void> Session::close() {
  auto& tcp = beast::get_lowest_layer(stream_);
  if (!tcp.socket().is_open()) co_return;
  tcp.expires_after(kDrainTime);
  boost::system::error_code error;
  co_await stream_.async_shutdown(net::redirect_error(net::use_awaitable, error));
  if (!tcp.socket().is_open()) co_return;
  tcp.socket().shutdown(net::ip::tcp::socket::shutdown_send, error);
  std::size_t drained = 0;
  buffer_.clear();
  while (!error && drained < kDrainOctetsMax) {
    drained += co_await tcp.async_read_some(buffer_.prepare(buffer_.max_size()),
                                            net::redirect_error(net::use_awaitable, error));
  }
  tcp.close();
}

pipeline::Answer Session::refusal(ErrorCode code, std::string detail,
                                  const RequestHead& head) const {
  return front_.application->refuse(Error{code, std::move(detail), {}, {}, {}}, head.content_type,
                                    peer_);
}

bool Session::may_keep_alive(bool wanted) const {
  return wanted && !front_.stopping && !front_.connections.crowded();
}

}  // namespace district::server
