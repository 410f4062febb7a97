// Sends the responses of one connection, and knows how much of each the client has taken.
// Private to server/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/api.h"
#include "model/http.h"
#include "server/front.h"
#include "server/io_thread.h"
#include "server/pace.h"
#include "server/tls_stream.h"

namespace district::server {

// Threads: its I/O thread.
class ResponseWriter {
 public:
  ResponseWriter(TlsStream& stream, IoThread& io, const Front& front)
      : stream_(stream), io_(io), front_(front) {}

  struct Form {
    bool keep_alive = false;               // the connection lasts afterwards
    bool without_body = false;             // as for HEAD
    std::string_view further_fields = {};  // of the header, each with its CRLF
  };
  // false: the connection is over, because it is not to be kept, or not all could be sent.
  // `response` must live until then.
  Awaitable<bool> write(const HttpResponse& response, Form form);
  // Source: RFC 9110 section 15.2.1 (100 Continue).
  Awaitable<bool> ask_for_body();

  // Of the response written last.
  unsigned status() const { return status_; }
  const Sent& sent() const { return sent_; }

 private:
  void begin_head(const HttpResponse& response, bool keep_alive);
  Awaitable<bool> send(bool keep_alive, std::string_view body);
  Awaitable<bool> send_octets(std::string_view octets, const Pace& pace, std::uint64_t& sent);

  TlsStream& stream_;
  IoThread& io_;
  const Front& front_;
  std::string head_;  // kept for its memory
  unsigned status_ = 0;
  Sent sent_;
};

}  // namespace district::server
