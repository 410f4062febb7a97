#include "server/response_writer.h"

#include <algorithm>
#include <boost/beast/http/status.hpp>
#include <chrono>

namespace district::server {
namespace {

namespace http = boost::beast::http;

// At least so much of an answer must pass within Settings::write.
constexpr std::size_t kWriteOctets = 16 * 1024;
constexpr std::size_t kKeptHeadOctetsMax = 8 * 1024;
constexpr unsigned kNotModified = 304;

}  // namespace

Awaitable<bool> ResponseWriter::write(const HttpResponse& response, Form form) {
  const bool keep_alive = form.keep_alive && front_.may_keep_alive();
  const bool has_body = !form.without_body && response.http_status != kNotModified;
  begin_head(response, keep_alive);
  head_ += form.further_fields;
  return send(keep_alive, has_body ? std::string_view(response.body) : std::string_view());
}

Awaitable<bool> ResponseWriter::ask_for_body() {
  status_ = 100;
  head_ = "HTTP/1.1 100 Continue\r\n";
  return send(true, {});
}

// All of the head but its end.
void ResponseWriter::begin_head(const HttpResponse& response, bool keep_alive) {
  status_ = response.http_status;
  const auto reason = http::obsolete_reason(http::int_to_status(status_));
  head_ = "HTTP/1.1 ";
  head_ += std::to_string(status_);
  head_ += ' ';
  head_.append(reason.data(), reason.size());
  head_ += "\r\nDate: ";
  head_ += io_.http_date();
  if (!response.content_type.empty()) {
    head_ += "\r\nContent-Type: ";
    head_ += response.content_type;
  }
  head_ += "\r\nContent-Length: ";
  head_ += std::to_string(response.body.size());
  // Clients of HTTP/1.0 have to be told that it is kept.
  head_ += keep_alive ? "\r\nConnection: keep-alive\r\n" : "\r\nConnection: close\r\n";
  if (response.retry_after_seconds != 0) {
    head_ += "Retry-After: " + std::to_string(response.retry_after_seconds) + "\r\n";
  }
  head_ += response.fields;
}

// Ends the head and sends it, with the body in one TLS record if they are small. The time that a
// large one has follows its progress, as with bodies that arrive.
Awaitable<bool> ResponseWriter::send(bool keep_alive, std::string_view body) {
  head_ += "\r\n";
  const std::uint64_t head_octets = head_.size();
  const bool as_one = body.size() <= kWriteOctets;
  if (as_one) head_ += body;
  const Pace pace(front_.settings, front_.settings.write);
  std::uint64_t sent = 0;
  bool whole = co_await send_octets(head_, pace, sent);
  if (whole && !as_one) whole = co_await send_octets(body, pace, sent);
  if (!whole) {
    sent -= std::min(sent, stream_.not_taken());
    sent_.cut = stream_.overdue() ? "the client took it too slowly"
                : front_.stopping ? "the server stops"
                                  : "the client ended the connection";
  }
  sent_.octets = sent - std::min(sent, head_octets);
  if (head_.capacity() > kKeptHeadOctetsMax) head_ = {};
  co_return whole&& keep_alive;
}

// false: not all of it. `sent`: octets of the answer, to which these are added.
Awaitable<bool> ResponseWriter::send_octets(std::string_view octets, const Pace& pace,
                                            std::uint64_t& sent) {
  while (!octets.empty()) {
    const auto part = octets.substr(0, kWriteOctets);
    const auto now = std::chrono::steady_clock::now();
    stream_.must_end_by(std::min(now + front_.settings.write, pace.deadline(sent)));
    co_await stream_.write(part);
    if (stream_.error()) co_return false;
    sent += part.size();
    octets.remove_prefix(part.size());
  }
  co_return true;
}

}  // namespace district::server
