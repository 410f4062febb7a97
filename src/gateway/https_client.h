// HTTPS POSTs to one server over one connection that is kept open, every step with a deadline.
// TLS 1.2+, the server's certificate checked against the given authority and the host's name.
// Source: RFC 9110, RFC 9112, RFC 9325, RFC 9525.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace district::gateway {

struct Url {
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  std::string target;  // path and query
};

// https://HOST[:PORT][/PATH]; without a path, the service's. Errors: gateway_input.
Result<Url> parse_url(std::string_view text);

struct HttpReply {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;  // bounded, where the server gave one
  // The server's clock less ours when the answer came, where it has a Date; within a second or two.
  std::optional<std::chrono::seconds> clock_ahead;
};

struct HttpPost {
  std::string_view content_type;
  std::string_view soap_action;  // with its quotes; empty: no such header
  std::string_view body;
};

// Threads: one client, one thread.
class HttpsClient {
 public:
  // ca_file: PEM certificates of the authorities that may vouch for the server.
  // deadline: for connecting, for the handshake, and for sending and answering.
  // Errors: file_unreadable, where ca_file has no certificate.
  static Result<HttpsClient> create(const Url& url, const std::string& ca_file,
                                    std::chrono::seconds deadline);
  HttpsClient(HttpsClient&&) noexcept;
  HttpsClient& operator=(HttpsClient&&) noexcept;
  ~HttpsClient();

  // Connects when there is no connection. A kept connection that turns out to be closed is
  // replaced at once, and the same octets are sent again: the server takes a signature once.
  // Errors: gateway_unreachable; gateway_receipt_invalid, where what comes is no HTTP or too large.
  Result<HttpReply> post(const HttpPost& request);

  // After post() failed: whether trying again is of no use, since the server's certificate was
  // refused.
  bool certificate_refused() const;

 private:
  struct State;
  explicit HttpsClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace district::gateway
