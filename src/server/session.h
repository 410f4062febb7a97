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
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "pipeline/pipeline.h"
#include "server/admission.h"
#include "server/request_head.h"
#include "server/server.h"
#include "server/upload.h"
#include "server/workers.h"

namespace district::server {

class Session;

// How long a body may take to arrive. Time in which we do not want to read does not count.
class Pace {
 public:
  explicit Pace(const Settings& settings)
      : settings_(settings), begin_(std::chrono::steady_clock::now()) {}
  // When the next octet must be here, `octets` having come.
  std::chrono::steady_clock::time_point deadline(std::size_t octets) const;
  void pause() { paused_ = std::chrono::steady_clock::now(); }
  void resume() { begin_ += std::chrono::steady_clock::now() - paused_; }

 private:
  const Settings& settings_;
  std::chrono::steady_clock::time_point begin_, paused_;
};

// What all sessions share. Outlives them.
struct Front {
  explicit Front(Settings s)
      : settings(std::move(s)),
        connections(settings.connections_max, settings.connections_per_peer_max),
        bodies(settings.body_octets_total_max),
        workers(settings.workers, settings.queue_max),
        large_workers(settings.large_bodies, 0) {}

  const Settings settings;
  Connections connections;
  BodyBudget bodies;
  Workers workers;
  // Large bodies come as slowly as their senders like: they never hold a worker of the others.
  Workers large_workers;
  Application* application = nullptr;
  std::atomic<bool> stopping{false};
  std::atomic<bool> cutting_uploads{false};  // stop() waits no longer

  std::mutex mutex;
  std::unordered_map<const Session*, std::weak_ptr<Session>> sessions;
};

// Threads: everything but start(), close_when_idle() and cut_upload() runs on the strand of the
// socket.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& tls, Front& front,
          Connections::Slot slot, std::string peer);
  ~Session();

  // Serves until the connection ends, and keeps the session alive for as long.
  void start();
  // Ends the connection unless a request is under way; then after its answer. Threads: any.
  void close_when_idle();
  // Ends a large body that is still being read. Threads: any.
  void cut_upload();

 private:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;
  // `large`: what has been read is the beginning of a large body.
  enum class BodyEnd { complete, large, too_large, no_room, malformed, gone };

  Awaitable<void> run();
  Awaitable<bool> handshake();
  // From here on a false means: the connection is over.
  Awaitable<bool> wait_for_request();
  Awaitable<bool> serve_request();
  Awaitable<bool> serve_post(Parser& parser, const RequestHead& head, bool too_large);
  Awaitable<bool> serve_get(const RequestHead& head);
  Awaitable<BodyEnd> read_body(Parser& parser, Pace& pace, Bytes& body, BodyBudget::Share& share);
  Awaitable<BodyEnd> read_some_body(Parser& parser, Pace& pace, std::span<std::byte> room,
                                    std::size_t& octets);
  Awaitable<bool> serve_large(Parser& parser, const RequestHead& head, Pace& pace, Bytes begin,
                              BodyBudget::Share& share);
  Awaitable<BodyEnd> stream_body(Parser& parser, Pace& pace, Upload& upload);
  Awaitable<bool> refuse_body(BodyEnd end, const RequestHead& head);
  bool submit(Workers& workers, receive::HttpRequest request);
  Awaitable<void> wait_for_answer();
  Awaitable<void> wait_for_event();
  void take_answer(pipeline::Answer answer);
  void interrupt_reading();
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
  boost::asio::steady_timer event_;  // cancelled when a worker has done something to wait for
  std::optional<pipeline::Answer> answer_;  // a worker's, when it is there
  std::shared_ptr<Upload> upload_;          // the large body that is being read
  bool reading_upload_ = false;             // from the network, just now
};

}  // namespace district::server
