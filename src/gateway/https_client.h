// Sends HTTPS POSTs to one server, over one connection that is kept open. Every step has a
// deadline. TLS 1.2 or later; the server's certificate is checked against the given authority and
// the host's name.
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

// Parses https://HOST[:PORT][/PATH]; without a path, it is that of the service. Errors:
// gateway_input.
Result<Url> parse_url(std::string_view text);

struct HttpReply {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;  // if the server gave one; bounded
  // How far the server's clock was ahead of ours when the answer came, within a second or two.
  // Known if the answer has a Date.
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
  // deadline: for connecting, for the handshake, and for sending and receiving the answer.
  // Errors: file_unreadable when ca_file has no certificate.
  static Result<HttpsClient> create(const Url& url, const std::string& ca_file,
                                    std::chrono::seconds deadline);
  HttpsClient(HttpsClient&&) noexcept;
  HttpsClient& operator=(HttpsClient&&) noexcept;
  ~HttpsClient();

  // Connects when there is no connection. When a kept connection turns out to be closed, it is
  // replaced at once and the same octets are sent again; the server accepts a signature only once.
  // Errors: gateway_unreachable; gateway_receipt_invalid when the answer is not HTTP or is too
  // large.
  Result<HttpReply> post(const HttpPost& request);

  // After post() has failed: true if trying again is useless, because the certificate of the server
  // was refused.
  bool certificate_refused() const;

 private:
  struct State;
  explicit HttpsClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace district::gateway
