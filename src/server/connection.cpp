#include "server/connection.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

#include "observe/events.h"
#include "server/tls.h"

namespace district::server {
namespace {

namespace net = boost::asio;
using std::chrono::steady_clock;

// For the client to read the last answer.
constexpr auto kCloseTime = std::chrono::seconds(5), kCloseTimeAtStop = std::chrono::seconds(2);

}  // namespace

Connection::Connection(TlsStream::Socket socket, net::ssl::context& tls, const Listener& listener,
                       Front& front, IoThread& io, Admission::Slot slot, const std::string& peer)
    : front_(front),
      io_(io),
      slot_(std::move(slot)),
      client_{.peer = peer,
              .counted_as = slot_.peer(),
              .flow = "peer " + peer,
              .proved_certificate = {},
              .certificates = listener.client_certificates,
              .may_read_api = front.api != nullptr && listener.profile == TlsProfile::modern},
      // Room for a whole header and the start of a body behind it.
      stream_(std::move(socket), tls, front.settings.header_octets_max + TlsStream::kFirstOctets),
      writer_(stream_, io, front) {}

void Connection::start() {
  net::co_spawn(
      io_.executor(), [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](const std::exception_ptr& problem) {
        self->io_.connections.erase(self.get());
        // Only want of memory gets here; this connection is lost, the others go on.
        if (problem)
          observe::emit(observe::Level::error, "connection_failed", {{"peer", self->client_.peer}});
      });
}

Awaitable<void> Connection::run() {
  io_.connections.insert(this);
  // stop() may have looked for connections before this one was among them.
  if (front_.stopping) co_return;
  const bool ready = co_await handshake();
  if (!ready) co_return;
  bool more = true;
  while (more) {
    more = co_await wait_for_request();
    if (!more) break;
    exchange_.emplace(client_, stream_, writer_, io_, front_);
    more = co_await exchange_->run();
    exchange_.reset();
  }
  co_await stream_.close(front_.stopping ? kCloseTimeAtStop : kCloseTime);
}

Awaitable<bool> Connection::handshake() {
  stream_.must_end_within(front_.settings.handshake);
  const bool done = co_await stream_.handshake();
  if (done) {
    const bool asked = client_.certificates != ClientCertificates::off;
    if (asked) client_.proved_certificate = client_certificate(stream_.ssl());
  } else if (stream_.overdue()) {
    trace("handshake_failed", "the handshake was not over within limits.handshake_seconds");
  } else if (has_sent(stream_.ssl())) {
    trace("handshake_failed", handshake_problem(stream_.error()));
  } else {  // it has only looked whether somebody listens
    observe::emit(observe::Level::debug, "handshake_failed",
                  {{"peer", client_.peer}, {"detail", stream_.error().message()}});
  }
  co_return done;
}

Awaitable<bool> Connection::wait_for_request() {
  if (stream_.ahead().empty()) {
    if (front_.stopping) co_return false;
    stream_.shrink();
    const auto& settings = front_.settings;
    // A new connection has to prove itself; one that has already sent a request may rest.
    stream_.must_end_within(first_request_ ? settings.header : settings.idle);
    const bool came =
        co_await stream_.read_ahead(TlsStream::kFirstOctets, TlsStream::AtDeadline::close);
    if (!came && first_request_) trace_unused();
    if (!came) co_return false;
  }
  first_request_ = false;
  co_return true;
}

void Connection::enforce_deadline(steady_clock::time_point now) {
  // When places get scarce those who rest give up theirs, a few at a time.
  const bool rests = !exchange_ && !first_request_;
  if (rests && front_.admission.crowded() && io_.may_close_for_room()) return stream_.close_now();
  stream_.enforce_deadline(now);
}

void Connection::close_when_idle() {
  if (!exchange_) stream_.close_now();
}

void Connection::cut_upload() {
  if (exchange_) exchange_->cut_upload();
}

void Connection::trace(std::string_view event, std::string_view detail) {
  if (front_.stopping) return;
  front_.traces.write(client_.counted_as, event, {{"peer", client_.peer}, {"detail", detail}});
}

// A client that has not asked for anything. Some look at our certificate after the handshake, and
// say nothing when they do not like it.
void Connection::trace_unused() {
  if (stream_.overdue()) {
    trace("connection_unused", "no request within limits.header_seconds");
  } else if (stream_.error().category() == net::error::get_ssl_category()) {
    trace("handshake_failed", handshake_problem(stream_.error()));
  } else {
    trace("connection_unused",
          "the client ended it after the handshake: perhaps it does not trust tls.certificate");
  }
}

}  // namespace district::server
