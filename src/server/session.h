// One TLS connection: its requests, one after the other, each within its bounds. Private to
// server/.
#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp needs it first

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "pipeline/pipeline.h"
#include "server/admission.h"
#include "server/request_head.h"
#include "server/server.h"
#include "server/workers.h"

namespace district::server {

class Session;

// What all sessions share. Outlives them.
struct Front {
  explicit Front(Settings s)
      : settings(std::move(s)),
        connections(settings.connections_max, settings.connections_per_peer_max),
        bodies(settings.body_octets_total_max),
        workers(settings.queue_max) {}

  const Settings settings;
  Connections connections;
  BodyBudget bodies;
  Workers workers;
  Application* application = nullptr;
  std::atomic<bool> stopping{false};

  std::mutex mutex;
  std::unordered_map<const Session*, std::weak_ptr<Session>> sessions;
};

// Threads: everything but start() and close_when_idle() runs on the strand of the socket.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, Front& front,
          Connections::Slot slot, std::string peer);
  ~Session();

  // Serves until the connection ends, and keeps the session alive for as long.
  void start();
  // Ends the connection unless a request is under way; then after its answer. Threads: any.
  void close_when_idle();

 private:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  enum class BodyEnd { complete, too_large, no_room, malformed, gone };

  Awaitable<void> run();
  Awaitable<bool> handshake();
  // From here on a false means: the connection is over.
  Awaitable<bool> wait_for_request();
  Awaitable<bool> serve_request();
  Awaitable<bool> serve_post(Parser& parser, const RequestHead& head, bool too_large);
  Awaitable<bool> serve_get(const RequestHead& head);
  Awaitable<BodyEnd> read_body(Parser& parser, Bytes& body, BodyBudget::Share& share);
  Awaitable<pipeline::Answer> ask_worker(receive::HttpRequest request);
  Awaitable<bool> send_status(unsigned status, const RequestHead& head);
  Awaitable<bool> send_answer(pipeline::Answer answer, bool keep_alive);
  Awaitable<bool> send(Response response, bool keep_alive);
  Awaitable<void> close();
  pipeline::Answer refusal(ErrorCode code, std::string detail, const RequestHead& head) const;
  bool may_keep_alive(bool wanted) const;

  Front& front_;
  const Connections::Slot slot_;
  const std::string peer_;
  boost::beast::ssl_stream<boost::beast::tcp_stream> stream_;
  boost::beast::flat_buffer buffer_;
  bool first_request_ = true;
  bool request_under_way_ = false;
  boost::asio::steady_timer answered_;  // cancelled when a worker has set answer_
  pipeline::Answer answer_;
};

}  // namespace district::server
