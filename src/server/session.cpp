#include "server/session.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <cstring>
#include <exception>
#include <utility>

#include "base/bytes.h"
#include "base/limits.h"
#include "observe/events.h"
#include "server/head_scanner.h"
#include "server/tls.h"

namespace district::server {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using limits::kWholeOctetsMax;
using std::chrono::steady_clock;

constexpr net::use_awaitable_t<IoThread::Executor> kAwait;

// What a connection reads first: a usual header with the beginning of its body. All that an idle
// connection holds for reading.
constexpr std::size_t kFirstOctets = 1024;
constexpr std::string_view kEmptyLine = "\r\n";
// At least so much of an answer must pass within Settings::write.
constexpr std::size_t kWriteOctets = 16 * 1024;
// What the system may hold of an answer that is not on its way yet: the less, the better we know
// what has been taken.
constexpr int kNotSentOctetsMax = 64 * 1024;
constexpr std::size_t kKeptResponseOctetsMax = 8 * 1024;
constexpr std::size_t kReadOctets = 64 * 1024;
// After an answer to a request that was not read to its end: what we still read, so that the system
// does not reset the connection before the client has seen the answer.
// Source: RFC 9112 section 9.6.
constexpr std::size_t kDrainOctetsMax = 16 * 1024 * 1024;
constexpr auto kDrainTime = std::chrono::seconds(5), kDrainTimeAtStop = std::chrono::seconds(2);
// Settings::body is the time for so many octets of a body.
constexpr std::uint64_t kPaceOctets = 32 * 1024 * 1024;
constexpr auto kInterruptAgain = std::chrono::milliseconds(20);
// A large body has its thread at once, or is refused.
constexpr auto kLargeAnswerMax = std::chrono::hours(24);
// What a request takes of one core, roughly, until it has been measured.
constexpr auto kUsualWork = std::chrono::milliseconds(1);
// Who reads has programs of patience; each waits for one answer at a time.
constexpr std::size_t kApiWaitingMax = 64;
constexpr auto kApiAnswerMax = std::chrono::seconds(10);

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
    case 505:
      return "HTTP version not supported\n";
    default:
      return "error\n";
  }
}

RequestHead refused_head(unsigned status, std::string rule) {
  RequestHead head;
  head.refused = status;
  head.rule = std::move(rule);
  return head;
}

std::string of_the_body(std::uint64_t octets, const RequestHead& head) {
  auto text = "after " + std::to_string(octets);
  if (!head.chunked) text += " of " + std::to_string(head.content_length);
  return text + " octets of the body";
}

// RFC 9457: the query API's form of a refusal.
std::shared_ptr<const pipeline::Answer> no_time_to_read() {
  static const auto answer = std::make_shared<const pipeline::Answer>(pipeline::Answer{
      503, "application/problem+json",
      R"({"title":"Service Unavailable","status":503,"detail":"too much is being read"})", 1});
  return answer;
}

Error cut(std::string detail) { return {ErrorCode::request_cut, std::move(detail), {}, {}, {}}; }

}  // namespace

std::string Session::gone_text(const Incoming& incoming) {
  return "the client ended the connection " + of_the_body(incoming.octets, incoming.head);
}

std::string Session::too_slow_text(const Incoming& incoming) {
  return "the client sent nothing more, or too slowly, " +
         of_the_body(incoming.octets, incoming.head);
}

// At the minimum rate the next octets would be here by then.
steady_clock::time_point Pace::deadline(std::uint64_t octets) const {
  const auto parts = static_cast<std::int64_t>(octets / kPaceOctets);
  const auto at_rate =
      std::chrono::milliseconds(1000 * octets / settings_.body_octets_per_second_min);
  return begin_ + std::min(settings_.body * (1 + parts), grace_ + at_rate);
}

Front::Front(Settings s)
    : settings(std::move(s)),
      connections(settings.connections_max, settings.connections_per_peer_max),
      bodies(settings.body_octets_total_max),
      answers(settings.body_octets_total_max),
      workers(
          "district-worker", settings.workers,
          {std::max(settings.few, settings.workers), settings.queue_max, settings.answer,
           FairQueue::Duration(kUsualWork) / std::max(1U, std::thread::hardware_concurrency())}),
      large_workers("district-large", settings.large_bodies,
                    {settings.large_bodies, 0, kLargeAnswerMax, {}}),
      api_workers("district-api", kApiThreads,
                  {2 * kApiThreads, kApiWaitingMax, kApiAnswerMax, {}}) {}

Session::Session(Socket socket, net::ssl::context& tls, const Listener& listener, Front& front,
                 IoThread& io, Connections::Slot slot, std::string peer)
    : front_(front),
      io_(io),
      slot_(std::move(slot)),
      peer_(std::move(peer)),
      client_certificates_(listener.client_certificates),
      may_read_api_(front.api != nullptr && listener.profile == TlsProfile::modern),
      stream_(std::move(socket), tls),
      // Room for a whole header and the start of a body behind it.
      buffer_(front.settings.header_octets_max + kFirstOctets),
      flow_("peer " + peer_),
      event_(io.executor()) {}

void Session::start() {
  net::co_spawn(
      io_.executor(), [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](std::exception_ptr problem) {
        self->io_.sessions.erase(self.get());
        // Only want of memory gets here; this connection is lost, the others go on.
        if (problem)
          observe::emit(observe::Level::error, "connection_failed", {{"peer", self->peer_}});
      });
}

void Session::close_if_overdue(steady_clock::time_point now) {
  // When places get scarce those who rest give up theirs, a few at a time.
  const bool rests = !request_under_way_ && !first_request_;
  const bool gives_way = rests && front_.connections.crowded() && io_.may_close_for_room();
  if (now <= deadline_ && !gives_way) return;
  overdue_ = now > deadline_;
  boost::system::error_code ignored;
  if (overdue_ && answer_when_overdue_) {
    // Again at the next tick if it comes between two steps of a read, which does not feel it then.
    stream_.next_layer().cancel(ignored);
    return;
  }
  int waiting = 0;
  if (::ioctl(stream_.next_layer().native_handle(), SIOCOUTQ, &waiting) == 0) {
    not_taken_ = static_cast<std::uint64_t>(std::max(waiting, 0));
  }
  stream_.next_layer().close(ignored);
}

void Session::close_when_idle() {
  boost::system::error_code ignored;
  if (!request_under_way_) stream_.next_layer().close(ignored);
}

void Session::end_now() {
  boost::system::error_code ignored;
  stream_.next_layer().close(ignored);
}

void Session::cut_upload() {
  if (upload_) upload_->fail(cut("the server stops"));
}

void Session::must_end_by(steady_clock::time_point deadline) {
  deadline_ = deadline;
  overdue_ = false;
}

void Session::must_end_within(std::chrono::milliseconds time) {
  must_end_by(steady_clock::now() + time);
}

Session::Awaitable<void> Session::run() {
  io_.sessions.insert(this);
  // stop() may have looked for sessions before this one was among them.
  if (front_.stopping) co_return;
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
  must_end_within(front_.settings.handshake);
  co_await stream_.async_handshake(net::ssl::stream_base::server,
                                   net::redirect_error(kAwait, error));
  if (error) {
    if (overdue_) {
      trace("handshake_failed", "the handshake was not over within limits.handshake_seconds");
    } else if (has_sent(stream_.native_handle())) {
      trace("handshake_failed", handshake_problem(error));
    } else {  // it has only looked whether somebody listens
      observe::emit(observe::Level::debug, "handshake_failed",
                    {{"peer", peer_}, {"detail", error.message()}});
    }
    co_return false;
  }
  const int few = kNotSentOctetsMax;
  ::setsockopt(stream_.next_layer().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &few,
               sizeof few);
  if (client_certificates_ != ClientCertificates::off) {
    proved_certificate_ = client_certificate(stream_.native_handle());
  }
  co_return true;
}

Session::Awaitable<bool> Session::wait_for_request() {
  if (buffer_.size() == 0) {
    if (front_.stopping) co_return false;
    if (buffer_.capacity() > kFirstOctets) buffer_.shrink_to_fit();
    const auto& settings = front_.settings;
    // A new connection has to prove itself; one that has already sent a request may rest.
    must_end_within(first_request_ ? settings.header : settings.idle);
    boost::system::error_code error;
    const auto octets = co_await stream_.async_read_some(buffer_.prepare(kFirstOctets),
                                                         net::redirect_error(kAwait, error));
    if (error) {
      if (first_request_) trace_end_of_unused(error);
      co_return false;
    }
    buffer_.commit(octets);
  }
  request_under_way_ = true;
  first_request_ = false;
  co_return true;
}

Session::Awaitable<bool> Session::read_head(RequestHead& head, std::size_t& octets) {
  HeadScanner scanner(front_.settings.header_octets_max);
  std::size_t scanned = 0;
  bool may_skip = true;
  while (true) {
    // Some clients end a body with a line of their own: RFC 9112 section 2.2 wants one overlooked.
    std::string_view come(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    if (may_skip && come.size() >= kEmptyLine.size()) {
      may_skip = false;
      if (come.starts_with(kEmptyLine)) buffer_.consume(kEmptyLine.size());
      continue;
    }
    if (!may_skip || !kEmptyLine.starts_with(come)) {
      scanner.feed(come.substr(scanned));
      scanned = come.size();
      may_skip = false;
    }
    octets = scanner.octets();
    if (scanner.refused() != 0) head = refused_head(scanner.refused(), scanner.rule());
    if (scanner.refused() != 0 || scanner.complete()) co_return true;
    const auto room = std::min(std::max(kFirstOctets, scanned), buffer_.max_size() - scanned);
    boost::system::error_code error;
    const auto count =
        co_await stream_.async_read_some(buffer_.prepare(room), net::redirect_error(kAwait, error));
    if (error && overdue_) {
      head = refused_head(408, "the head was not complete within limits.header_seconds");
      co_return true;
    }
    if (error) {
      trace("request_cut", "the client ended the connection after " +
                               std::to_string(scanner.octets()) + " octets of the head");
      co_return false;
    }
    buffer_.commit(count);
  }
}

Session::Awaitable<bool> Session::serve_request() {
  must_end_within(front_.settings.header);
  std::size_t octets = 0;
  // Named, because g++ 12 destroys a braced temporary in a co_await expression twice.
  RequestHead head;
  answer_when_overdue_ = true;
  const bool came = co_await read_head(head, octets);
  answer_when_overdue_ = false;
  if (!came) co_return false;
  if (head.refused == 0 && !may_ask()) {
    head = refused_head(
        403, "client_certificates is \"required\", and the certificate with SHA-256 " +
                 (proved_certificate_ ? to_hex(*proved_certificate_) : std::string("(none)")) +
                 " is not enrolled, or not in force now");
  }
  if (head.refused == 0) {
    head = parse_head({static_cast<const char*>(buffer_.data().data()), octets});
    buffer_.consume(octets);
  }
  status_ = 0;
  sent_ = {};
  const bool more = co_await answer_request(head);
  // The query API says it itself, of each of its answers.
  if (sent_.cut != nullptr && head.resource != Resource::api) trace_cut_answer(head);
  co_return more;
}

Session::Awaitable<bool> Session::answer_request(const RequestHead& head) {
  bool more = false;
  if (head.refused != 0) {
    more = co_await send_refusal(head);
  } else if (head.resource == Resource::api) {
    more = co_await serve_api(head);
  } else if (head.is_post) {
    more = co_await serve_post(head);
  } else {
    more = co_await serve_get(head);
  }
  co_return more;
}

Session::Awaitable<bool> Session::serve_post(const RequestHead& head) {
  const auto& settings = front_.settings;
  Incoming incoming{head, ChunkDecoder(settings.body_octets_max, settings.header_octets_max),
                    Pace(settings, settings.body_grace), BodyBudget::Share(front_.bodies)};
  Bytes body;
  auto end = BodyEnd::complete;
  if (head.content_length > settings.body_octets_max) {
    end = BodyEnd::too_large;
  } else if (head.content_length > kWholeOctetsMax && front_.large_workers.full()) {
    end = BodyEnd::no_room;
  } else {
    // Who has begun to send does not wait for it (RFC 9110 section 10.1.1).
    if (head.expects_continue && head.has_body && buffer_.size() == 0) {
      const auto wanted =
          receive::check_fields(head.content_type, head.content_encoding, head.soap_action);
      if (!wanted) {
        const auto answer = front_.application->refuse(wanted.error(), head.content_type, peer_);
        const bool refused = co_await send_answer(answer, head, false);
        co_return refused;
      }
      const bool asked = co_await send_continue();
      if (!asked) co_return false;
    }
    end = co_await read_body(incoming, body);
  }

  bool more = false;
  if (end == BodyEnd::large) {
    more = co_await serve_large(incoming, std::move(body));
    co_return more;
  }
  if (end != BodyEnd::complete) {
    more = co_await refuse_body(end, incoming);
    co_return more;
  }
  auto& workers = receive::claims_to_be_large(head.content_encoding, body) ? front_.large_workers
                                                                           : front_.workers;
  request_ = {head.content_type, head.content_encoding, head.soap_action, peer_, std::move(body),
              nullptr,           client_certificate_};
  if (submit(workers)) co_await wait_for_answer();
  if (!answer_) co_return false;  // the server stops
  more = co_await send_answer(*answer_, head, head.keep_alive);
  co_return more;
}

Session::Awaitable<bool> Session::send_continue() {
  status_ = 100;
  response_ = "HTTP/1.1 100 Continue\r\n";
  const bool sent = co_await send_response(true, {});
  co_return sent;
}

// The answer to a body that was not read to its end, which leaves a line in the log. Null: nobody
// is there to be answered; it is on record all the same.
std::shared_ptr<const pipeline::Answer> Session::refusal_of(BodyEnd end, const Incoming& incoming) {
  const auto refused = [&](ErrorCode code, std::string detail) {
    return std::make_shared<const pipeline::Answer>(
        refusal(code, std::move(detail), incoming.head));
  };
  if (end == BodyEnd::too_large) {
    return refused(ErrorCode::too_large, "the body is larger than limits.body_bytes");
  }
  if (end == BodyEnd::no_room) {
    return overload("limits.body_bytes_total, or all places for large bodies, are in use",
                    incoming.head.content_type);
  }
  if (end == BodyEnd::too_slow) return refused(ErrorCode::request_cut, too_slow_text(incoming));
  if (!front_.stopping) refused(ErrorCode::request_cut, gone_text(incoming));
  return nullptr;
}

Session::Awaitable<bool> Session::refuse_body(BodyEnd end, const Incoming& incoming) {
  bool more = false;
  if (end == BodyEnd::malformed) {
    const auto malformed = refused_head(400, incoming.chunks.rule());
    more = co_await send_refusal(malformed);
    co_return more;
  }
  const auto answer = refusal_of(end, incoming);
  if (answer) more = co_await send_answer(*answer, incoming.head, false);
  co_return more;
}

bool Session::Incoming::complete() const {
  return head.chunked ? chunks.status() == ChunkDecoder::Status::complete
                      : octets == head.content_length;
}

// A whole body, or the first kWholeOctetsMax octets of a large one.
Session::Awaitable<Session::BodyEnd> Session::read_body(Incoming& incoming, Bytes& body) {
  const auto expected = incoming.head.chunked ? kWholeOctetsMax
                                              : std::min<std::uint64_t>(
                                                    incoming.head.content_length, kWholeOctetsMax);
  while (!incoming.complete()) {
    const auto used = static_cast<std::size_t>(incoming.octets);
    if (used == kWholeOctetsMax) co_return BodyEnd::large;
    // Who announces much has to send it before it takes memory.
    if (used == body.size()) body.resize(std::min(expected, std::max(kReadOctets, 2 * used)));
    const auto end = co_await read_some_body(incoming, std::span(body).subspan(used));
    if (end != BodyEnd::complete) co_return end;
    if (!incoming.share.grow_to(static_cast<std::size_t>(incoming.octets))) {
      co_return BodyEnd::no_room;
    }
  }
  body.resize(static_cast<std::size_t>(incoming.octets));
  co_return BodyEnd::complete;
}

// Adds to `octets` how many came. BodyEnd::complete: so far all is well.
Session::Awaitable<Session::BodyEnd> Session::read_some_body(Incoming& incoming,
                                                             std::span<std::byte> room) {
  const auto deadline = incoming.pace.deadline(incoming.octets);
  if (steady_clock::now() > deadline) co_return BodyEnd::too_slow;
  must_end_by(deadline);
  if (incoming.head.chunked) {
    const auto end = co_await read_some_chunked(incoming, room);
    co_return end;
  }
  const auto missing = incoming.head.content_length - incoming.octets;
  if (missing < room.size()) room = room.first(static_cast<std::size_t>(missing));
  auto count = std::min(room.size(), buffer_.size());
  if (count > 0) {
    std::memcpy(room.data(), buffer_.data().data(), count);
    buffer_.consume(count);
  } else {
    boost::system::error_code error;
    answer_when_overdue_ = true;
    count = co_await stream_.async_read_some(net::buffer(room.data(), room.size()),
                                             net::redirect_error(kAwait, error));
    answer_when_overdue_ = false;
    if (error) co_return overdue_ ? BodyEnd::too_slow : BodyEnd::gone;
  }
  incoming.octets += count;
  co_return BodyEnd::complete;
}

Session::Awaitable<Session::BodyEnd> Session::read_some_chunked(Incoming& incoming,
                                                                std::span<std::byte> room) {
  if (buffer_.size() == 0) {
    boost::system::error_code error;
    answer_when_overdue_ = true;
    const auto read =
        co_await stream_.async_read_some(buffer_.prepare(std::min(buffer_.max_size(), kReadOctets)),
                                         net::redirect_error(kAwait, error));
    answer_when_overdue_ = false;
    if (error) co_return overdue_ ? BodyEnd::too_slow : BodyEnd::gone;
    buffer_.commit(read);
  }
  const auto step = incoming.chunks.decode(
      {static_cast<const char*>(buffer_.data().data()), buffer_.size()}, room);
  buffer_.consume(step.used);
  incoming.octets += step.decoded;
  switch (incoming.chunks.status()) {
    case ChunkDecoder::Status::too_large:
      co_return BodyEnd::too_large;
    case ChunkDecoder::Status::malformed:
      co_return BodyEnd::malformed;
    default:
      co_return BodyEnd::complete;
  }
}

Session::Awaitable<bool> Session::serve_large(Incoming& incoming, Bytes begin) {
  const auto& head = incoming.head;
  bool more = false;
  const bool room =
      !front_.large_workers.full() && incoming.share.grow_to(kWholeOctetsMax + Upload::kOctetsMax);
  if (!room) {
    more = co_await refuse_body(BodyEnd::no_room, incoming);
    co_return more;
  }
  const auto upload = std::make_shared<Upload>([weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      net::post(self->io_.executor(), [self] { self->event_.cancel(); });
    }
  });
  upload_ = upload;
  if (front_.cutting_uploads) upload->fail(cut("the server stops"));
  request_ = {
      head.content_type,  head.content_encoding, head.soap_action, peer_, std::move(begin), upload,
      client_certificate_};
  auto end = BodyEnd::gone;
  if (submit(front_.large_workers)) {
    end = co_await stream_body(incoming, *upload);
    if (end == BodyEnd::complete) {
      upload->finish();
    } else if (end == BodyEnd::too_large) {
      upload->fail({ErrorCode::too_large, "the body is larger than limits.body_bytes", {}, {}, {}});
    } else if (end == BodyEnd::malformed) {
      upload->fail(cut(incoming.chunks.rule()));
    } else {
      upload->fail(cut(end == BodyEnd::too_slow ? too_slow_text(incoming) : gone_text(incoming)));
    }
    co_await wait_for_answer();
  }
  upload_.reset();
  if (end == BodyEnd::gone) co_return false;
  more = co_await send_answer(*answer_, head, head.keep_alive && incoming.complete());
  co_return more;
}

// Until the body has come, or an answer is there before.
Session::Awaitable<Session::BodyEnd> Session::stream_body(Incoming& incoming, Upload& upload) {
  while (!incoming.complete() && !answer_) {
    const auto room = upload.room();
    if (room.empty()) {
      incoming.pace.pause();
      co_await wait_for_event();
      incoming.pace.resume();
      continue;
    }
    const auto before = incoming.octets;
    reading_upload_ = true;
    const auto end = co_await read_some_body(incoming, room);
    reading_upload_ = false;
    upload.wrote(static_cast<std::size_t>(incoming.octets - before));
    if (answer_) break;
    if (end != BodyEnd::complete) co_return end;
  }
  co_return BodyEnd::complete;
}

// A certificate that was good at the last request may be revoked or expired at this one.
bool Session::may_ask() {
  client_certificate_.reset();
  if (proved_certificate_ && front_.application->may_connect(*proved_certificate_)) {
    client_certificate_ = proved_certificate_;
  }
  return client_certificate_ || client_certificates_ != ClientCertificates::required;
}

// request_ or api_request_. false: the server stops, and there will be no answer.
bool Session::submit(Workers& workers) {
  answer_.reset();
  // No deadline for the network while nobody reads or writes.
  must_end_by(steady_clock::time_point::max());
  workers_ = &workers;
  const auto submitted = workers.submit(shared_from_this(), flow_);
  if (submitted == Workers::Submitted::refused) {
    answer_ = no_time_for_it();
    request_ = {};
    api_request_.reset();
  }
  return submitted != Workers::Submitted::stopped;
}

void Session::work() {
  compute([this] {
    if (api_request_) {
      read_by_api_ = true;
      return answer(front_.api->get(*api_request_));
    }
    front_.application->post(std::move(request_), shared_from_this());
  });
}

void Session::go_on(std::function<void()> rest) {
  workers_->go_on([self = shared_from_this(), rest = std::move(rest)] { self->compute(rest); });
}

// Only want of memory gets in the way, and no answer has been given then.
void Session::compute(const std::function<void()>& part) {
  try {
    part();
  } catch (const std::exception& problem) {
    observe::emit(observe::Level::error, "request_failed",
                  {{"peer", peer_}, {"detail", problem.what()}});
    answer({500, "text/plain", "internal error\n", 0});
  }
}

void Session::answer(pipeline::Answer answer) {
  worked_out_ = std::make_shared<const pipeline::Answer>(std::move(answer));
  workers_->done();  // first: who asks again as soon as it is answered is not one too many
  deliver();
}

void Session::refuse() {
  worked_out_ = no_time_for_it();
  deliver();
}

void Session::deliver() {
  net::post(io_.executor(), [self = shared_from_this()] { self->take_answer(); });
}

void Session::take_answer() {
  answer_ = std::move(worked_out_);
  request_ = {};
  api_request_.reset();
  if (!answer_->tenant.empty()) flow_ = "tenant " + answer_->tenant;
  event_.cancel();
  interrupt_reading();
}

// The answer is there before the body. A cancellation may come between two steps of a read, which
// does not feel it then, so it is repeated.
void Session::interrupt_reading() {
  if (!reading_upload_) return;
  boost::system::error_code ignored;
  stream_.next_layer().cancel(ignored);
  event_.expires_after(kInterruptAgain);
  event_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->interrupt_reading();
  });
}

Session::Awaitable<void> Session::wait_for_answer() {
  while (!answer_) co_await wait_for_event();
}

// Whoever causes the event posts it to this thread, so that it comes after the wait has begun.
Session::Awaitable<void> Session::wait_for_event() {
  must_end_by(steady_clock::time_point::max());
  event_.expires_at(steady_clock::time_point::max());
  boost::system::error_code cancelled;
  co_await event_.async_wait(net::redirect_error(kAwait, cancelled));
}

Session::Awaitable<bool> Session::serve_get(const RequestHead& head) {
  std::optional<std::string_view> found = "ok\n";
  std::string_view type = "text/plain; charset=utf-8";
  if (head.resource == Resource::service) {
    found = front_.application->document(head.query);
    type = "text/xml; charset=utf-8";
  }
  bool more = false;
  if (!found) {
    auto unknown = head;
    unknown.refused = 404;
    unknown.rule = "no document has this query";
    more = co_await send_refusal(unknown);
    co_return more;
  }
  const bool keep_alive = may_keep_alive(head.keep_alive && !head.has_body);
  begin_response(200, type, found->size(), keep_alive);
  more = co_await send_response(keep_alive, head.is_head ? std::string_view() : *found);
  co_return more;
}

Session::Awaitable<bool> Session::serve_api(const RequestHead& head) {
  bool more = false;
  if (!may_read_api_) {
    auto unknown = head;
    unknown.refused = 404;
    unknown.rule = "the query API is off, or not for this listener";
    more = co_await send_refusal(unknown);
    co_return more;
  }
  const ApiRequest asked{head.path,
                         head.query,
                         head.authorization,
                         head.accept,
                         head.if_none_match,
                         head.is_head ? std::string() : head.range,
                         head.is_head ? std::string() : head.if_range,
                         client_certificate_,
                         peer_};
  api_request_ = asked;
  read_by_api_ = false;
  if (submit(front_.api_workers)) co_await wait_for_answer();
  if (!answer_) co_return false;  // the server stops
  // Clients that take their answers slowly must not fill the memory.
  BodyBudget::Share share(front_.answers);
  if (!share.grow_to(answer_->body.size())) {
    // Who asked is known already.
    auto refusal = *no_time_to_read();
    refusal.asked_by = answer_->asked_by;
    answer_ = std::make_shared<const pipeline::Answer>(std::move(refusal));
  }
  if (read_by_api_) {
    front_.api->answering(asked, *answer_);
  } else {
    auto refused = head;
    refused.refused = answer_->http_status;
    refused.rule = "too much is being read";
    trace_refusal(refused);
  }
  more = co_await send_answer(*answer_, head, head.keep_alive && !head.has_body);
  if (read_by_api_) front_.api->sent(asked, *answer_, sent_);
  co_return more;
}

Session::Awaitable<bool> Session::send_refusal(const RequestHead& head) {
  trace_refusal(head);
  std::string text(text_of(head.refused));
  // Only where the request can be mended by what HTTP itself says; whoever may ask what is told.
  if (head.refused == 400) text = "bad request: " + head.rule + "\n";
  // keep_alive is false where the framing is in doubt.
  const bool keep_alive = may_keep_alive(head.keep_alive && !head.has_body);
  begin_response(head.refused, "text/plain; charset=utf-8", text.size(), keep_alive);
  if (head.refused == 405) response_ += "Allow: " + head.allow + "\r\n";
  const bool more = co_await send_response(keep_alive, head.is_head ? std::string_view() : text);
  co_return more;
}

Session::Awaitable<bool> Session::send_answer(const pipeline::Answer& answer,
                                              const RequestHead& head, bool keep_alive) {
  keep_alive = may_keep_alive(keep_alive);
  constexpr unsigned kNotModified = 304;
  begin_response(answer.http_status, answer.content_type, answer.body.size(), keep_alive);
  if (answer.retry_after_seconds != 0) {
    response_ += "Retry-After: " + std::to_string(answer.retry_after_seconds) + "\r\n";
  }
  // Only where it is the coding that we refuse (RFC 9110 section 12.5.3).
  if (answer.http_status == 415 &&
      receive::refuses_coding_only(head.content_type, head.content_encoding)) {
    response_ += "Accept-Encoding: gzip\r\n";
  }
  response_ += answer.fields;
  const bool has_body = !head.is_head && answer.http_status != kNotModified;
  const bool more = co_await send_response(
      keep_alive, has_body ? std::string_view(answer.body) : std::string_view());
  co_return more;
}

void Session::begin_response(unsigned status, std::string_view content_type, std::size_t length,
                             bool keep_alive) {
  status_ = status;
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  response_ = "HTTP/1.1 ";
  response_ += std::to_string(status);
  response_ += ' ';
  response_.append(reason.data(), reason.size());
  response_ += "\r\nDate: ";
  response_ += io_.http_date();
  if (!content_type.empty()) {
    response_ += "\r\nContent-Type: ";
    response_ += content_type;
  }
  response_ += "\r\nContent-Length: ";
  response_ += std::to_string(length);
  // Clients of HTTP/1.0 have to be told that it is kept.
  response_ += keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n";
}

// Ends the head and sends it, with the body in one TLS record if they are small. The time that a
// large one has follows its progress, as with bodies that arrive.
Session::Awaitable<bool> Session::send_response(bool keep_alive, std::string_view body) {
  response_ += "\r\n";
  const std::uint64_t head_octets = response_.size();
  const bool as_one = body.size() <= kWriteOctets;
  if (as_one) response_ += body;
  const Pace pace(front_.settings, front_.settings.write);
  std::uint64_t sent = 0;
  not_taken_ = 0;
  bool whole = co_await send_octets(response_, pace, sent);
  if (whole && !as_one) whole = co_await send_octets(body, pace, sent);
  if (!whole) {
    sent -= std::min(sent, not_taken_);
    sent_.cut = overdue_          ? "the client took it too slowly"
                : front_.stopping ? "the server stops"
                                  : "the client ended the connection";
  }
  sent_.octets = sent - std::min(sent, head_octets);
  if (response_.capacity() > kKeptResponseOctetsMax) response_ = {};
  co_return keep_alive&& whole;
}

// false: not all of it. `sent`: octets of the answer, to which these are added.
Session::Awaitable<bool> Session::send_octets(std::string_view octets, const Pace& pace,
                                              std::uint64_t& sent) {
  while (!octets.empty()) {
    const auto part = octets.substr(0, kWriteOctets);
    must_end_by(std::min(steady_clock::now() + front_.settings.write, pace.deadline(sent)));
    boost::system::error_code error;
    co_await net::async_write(stream_, net::buffer(part.data(), part.size()),
                              net::redirect_error(kAwait, error));
    if (error) co_return false;
    sent += part.size();
    octets.remove_prefix(part.size());
  }
  co_return true;
}

// TLS's close_notify, then TCP's end, then reading for a while whatever the client still sends.
Session::Awaitable<void> Session::close() {
  auto& tcp = stream_.next_layer();
  if (!tcp.is_open()) co_return;
  must_end_within(front_.stopping ? kDrainTimeAtStop : kDrainTime);
  boost::system::error_code error;
  co_await stream_.async_shutdown(net::redirect_error(kAwait, error));
  if (!tcp.is_open()) co_return;
  tcp.shutdown(net::ip::tcp::socket::shutdown_send, error);
  std::size_t drained = 0;
  buffer_.clear();
  while (!error && drained < kDrainOctetsMax) {
    drained += co_await tcp.async_read_some(buffer_.prepare(buffer_.max_size()),
                                            net::redirect_error(kAwait, error));
  }
  tcp.close(error);
}

void Session::trace(std::string_view event, std::string_view detail) {
  if (front_.stopping) return;
  front_.traces.write(slot_.peer(), event, {{"peer", peer_}, {"detail", detail}});
}

void Session::trace_refusal(const RequestHead& head) {
  front_.traces.write(slot_.peer(), "request_refused",
                      {{"peer", peer_},
                       {"status", head.refused},
                       {"path", path_for_log(head.path)},
                       {"detail", head.rule}});
}

// A client that has not asked for anything. Some look at our certificate after the handshake, and
// say nothing when they do not like it.
void Session::trace_end_of_unused(const boost::system::error_code& error) {
  if (overdue_) return trace("connection_unused", "no request within limits.header_seconds");
  if (error.category() == net::error::get_ssl_category()) {
    return trace("handshake_failed", handshake_problem(error));
  }
  trace("connection_unused",
        "the client ended it after the handshake: perhaps it does not trust tls.certificate");
}

void Session::trace_cut_answer(const RequestHead& head) {
  front_.traces.write(slot_.peer(), "answer_cut",
                      {{"peer", peer_},
                       {"status", status_},
                       {"path", path_for_log(head.path)},
                       {"octets", sent_.octets},
                       {"detail", sent_.cut}});
}

pipeline::Answer Session::refusal(ErrorCode code, std::string detail,
                                  const RequestHead& head) const {
  return front_.application->refuse(Error{code, std::move(detail), {}, {}, {}}, head.content_type,
                                    peer_);
}

std::shared_ptr<const pipeline::Answer> Session::overload(const char* detail,
                                                          std::string_view content_type) {
  const Error why{ErrorCode::overloaded, detail, {}, {}, {}};
  return front_.refusals.give(*front_.application, why, content_type, peer_, steady_clock::now());
}

std::shared_ptr<const pipeline::Answer> Session::no_time_for_it() {
  if (api_request_) return no_time_to_read();
  return overload("too much is waiting to be answered in time", request_.content_type);
}

bool Session::may_keep_alive(bool wanted) const {
  return wanted && !front_.stopping && !front_.connections.crowded();
}

}  // namespace district::server
