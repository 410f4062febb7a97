// One TLS connection: its requests, one after the other, each within its bounds. Private to
// server/.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "server/admission.h"
#include "server/exchange.h"
#include "server/front.h"
#include "server/io_thread.h"
#include "server/listener.h"
#include "server/response_writer.h"
#include "server/tls_stream.h"

namespace district::server {

// Threads: all but start() its I/O thread.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  // Keeps references to `front` and `io`, which must outlive it. `tls` and `listener` are used here
  // only. `peer`: the client's address.
  Connection(TlsStream::Socket socket, boost::asio::ssl::context& tls, const Listener& listener,
             Front& front, IoThread& io, Admission::Slot slot, const std::string& peer);

  // Serves until the connection ends, and keeps the object alive for as long.
  void start();
  // Called regularly: ends what should have ended by `now`.
  void enforce_deadline(std::chrono::steady_clock::time_point now);
  // Ends the connection unless a request is under way; then after its answer.
  void close_when_idle();
  // Ends the connection whatever is under way.
  void close_now() { stream_.close_now(); }
  // Ends a large body that is still being read.
  void cut_upload();

 private:
  Awaitable<void> run();
  // false: the connection is over.
  Awaitable<bool> handshake();
  Awaitable<bool> wait_for_request();
  void trace(std::string_view event, std::string_view detail);
  void trace_unused();

  Front& front_;
  IoThread& io_;
  const Admission::Slot slot_;
  Client client_;
  TlsStream stream_;
  ResponseWriter writer_;
  bool first_request_ = true;         // it has not begun to come
  std::optional<Exchange> exchange_;  // the request under way
};

}  // namespace district::server
