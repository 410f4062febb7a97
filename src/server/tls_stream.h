// The octets of one connection: TLS over TCP, and what of it has been read ahead. Nothing here
// waits beyond its deadline. Private to server/.
#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp needs it first

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "server/io_thread.h"

namespace district::server {

// Threads: its I/O thread.
class TlsStream {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoThread::Executor>;
  using Time = std::chrono::steady_clock::time_point;
  // What a connection reads first: a usual header with the beginning of its body. An idle
  // connection holds no more memory than that for reading.
  static constexpr std::size_t kFirstOctets = 1024;
  static constexpr std::size_t kReadOctets = 64 * 1024;
  // What happens to a read at the deadline. After `interrupt` the client can still be answered.
  enum class AtDeadline : std::uint8_t { close, interrupt };

  // `read_ahead_max`: octets. `tls` is used here only.
  TlsStream(Socket socket, boost::asio::ssl::context& tls, std::size_t read_ahead_max)
      : stream_(std::move(socket), tls), ahead_(read_ahead_max) {}

  // The deadline of what is awaited next, and until it is set again.
  void must_end_by(Time deadline);
  void must_end_within(std::chrono::milliseconds time);
  void may_take_for_ever() { must_end_by(Time::max()); }
  // Called regularly: ends what should have ended by `now`.
  void enforce_deadline(Time now);
  bool overdue() const { return overdue_; }  // the deadline has passed

  // Each of these ends with an error() if it fails. false, or 0 octets, say so as well.
  Awaitable<bool> handshake();
  // Reads more than is ahead(); at most `room` octets more.
  Awaitable<bool> read_ahead(std::size_t room, AtDeadline at_deadline);
  // What was read ahead, or else what comes next. Gives how many octets.
  Awaitable<std::size_t> read_into(std::span<std::byte> room, AtDeadline at_deadline);
  Awaitable<std::size_t> write(std::string_view octets);  // all of them
  const boost::system::error_code& error() const { return error_; }

  std::string_view ahead() const {
    return {static_cast<const char*>(ahead_.data().data()), ahead_.size()};
  }
  void consume(std::size_t octets) { ahead_.consume(octets); }
  // Gives back what memory a large header took.
  void shrink();

  // Ends the read that is under way. A read does not feel it if it comes between two of its steps.
  void interrupt();
  // Ends the connection at once, and all that is under way.
  void close_now();
  // Octets that were written, and were not on their way yet when the connection was closed.
  std::uint64_t not_taken() const { return not_taken_; }
  // Ends the connection so that the client can still read what was written.
  Awaitable<void> close(std::chrono::milliseconds at_most);

  SSL* ssl() { return stream_.native_handle(); }

 private:
  boost::asio::ssl::stream<Socket> stream_;
  boost::beast::flat_buffer ahead_;
  Time deadline_ = Time::max();
  bool overdue_ = false;
  AtDeadline at_deadline_ = AtDeadline::close;
  boost::system::error_code error_;
  std::uint64_t not_taken_ = 0;
};

}  // namespace district::server
