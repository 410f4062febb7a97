#include "server/tls_stream.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <cstring>

namespace district::server {
namespace {

namespace net = boost::asio;

// What the system may hold of an answer that is not on its way yet: the less, the better we know
// what has been taken.
constexpr int kNotSentOctetsMax = 64 * 1024;
// After an answer to a request that was not read to its end: what we still read, so that the system
// does not reset the connection before the client has seen the answer.
// Source: RFC 9112 section 9.6.
constexpr std::size_t kDrainOctetsMax = 16 * 1024 * 1024;

}  // namespace

void TlsStream::must_end_by(Time deadline) {
  deadline_ = deadline;
  overdue_ = false;
}

void TlsStream::must_end_within(std::chrono::milliseconds time) {
  must_end_by(std::chrono::steady_clock::now() + time);
}

void TlsStream::enforce_deadline(Time now) {
  if (now <= deadline_) return;
  overdue_ = true;
  if (at_deadline_ == AtDeadline::interrupt) {
    interrupt();  // the next call repeats it, if this one is not felt
  } else {
    close_now();
  }
}

Awaitable<bool> TlsStream::handshake() {
  co_await stream_.async_handshake(net::ssl::stream_base::server,
                                   net::redirect_error(kAwait, error_));
  if (error_) co_return false;
  const int few = kNotSentOctetsMax;
  ::setsockopt(stream_.next_layer().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &few,
               sizeof few);
  co_return true;
}

Awaitable<bool> TlsStream::read_ahead(std::size_t room, AtDeadline at_deadline) {
  room = std::min(room, ahead_.max_size() - ahead_.size());
  at_deadline_ = at_deadline;
  const auto octets =
      co_await stream_.async_read_some(ahead_.prepare(room), net::redirect_error(kAwait, error_));
  at_deadline_ = AtDeadline::close;
  if (error_) co_return false;
  ahead_.commit(octets);
  co_return true;
}

Awaitable<std::size_t> TlsStream::read_into(std::span<std::byte> room, AtDeadline at_deadline) {
  auto octets = std::min(room.size(), ahead_.size());
  if (octets > 0) {
    std::memcpy(room.data(), ahead_.data().data(), octets);
    ahead_.consume(octets);
    co_return octets;
  }
  at_deadline_ = at_deadline;
  octets = co_await stream_.async_read_some(net::buffer(room.data(), room.size()),
                                            net::redirect_error(kAwait, error_));
  at_deadline_ = AtDeadline::close;
  co_return error_ ? 0 : octets;
}

Awaitable<std::size_t> TlsStream::write(std::string_view octets) {
  not_taken_ = 0;
  return net::async_write(stream_, net::buffer(octets.data(), octets.size()),
                          net::redirect_error(kAwait, error_));
}

void TlsStream::shrink() {
  if (ahead_.size() == 0 && ahead_.capacity() > kFirstOctets) ahead_.shrink_to_fit();
}

void TlsStream::interrupt() {
  boost::system::error_code ignored;
  stream_.next_layer().cancel(ignored);
}

void TlsStream::close_now() {
  auto& tcp = stream_.next_layer();
  int waiting = 0;
  if (::ioctl(tcp.native_handle(), SIOCOUTQ, &waiting) == 0) {
    not_taken_ = static_cast<std::uint64_t>(std::max(waiting, 0));
  }
  boost::system::error_code ignored;
  tcp.close(ignored);
}

// TLS's close_notify, then TCP's end, then reading for a while whatever the client still sends.
Awaitable<void> TlsStream::close(std::chrono::milliseconds at_most) {
  auto& tcp = stream_.next_layer();
  if (!tcp.is_open()) co_return;
  must_end_within(at_most);
  boost::system::error_code error;
  co_await stream_.async_shutdown(net::redirect_error(kAwait, error));
  if (!tcp.is_open()) co_return;
  tcp.shutdown(net::ip::tcp::socket::shutdown_send, error);
  std::size_t drained = 0;
  ahead_.clear();
  while (!error && drained < kDrainOctetsMax) {
    drained += co_await tcp.async_read_some(ahead_.prepare(ahead_.max_size()),
                                            net::redirect_error(kAwait, error));
  }
  tcp.close(error);
}

}  // namespace district::server
