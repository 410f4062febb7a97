// One TLS connection: its requests, one after the other, each within its bounds. Private to
// server/.
#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp needs it first

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "pipeline/pipeline.h"
#include "server/admission.h"
#include "server/chunk_decoder.h"
#include "server/io_thread.h"
#include "server/refusals.h"
#include "server/request_head.h"
#include "server/server.h"
#include "server/traces.h"
#include "server/upload.h"
#include "server/workers.h"

namespace district::server {

// How long a body may take, one that arrives and one that is sent. Time in which we do not want to
// read does not count.
class Pace {
 public:
  // `grace`: the time before the minimum rate counts.
  Pace(const Settings& settings, std::chrono::milliseconds grace)
      : settings_(settings), grace_(grace), begin_(std::chrono::steady_clock::now()) {}
  // When the next octet must have passed, `octets` having done so.
  std::chrono::steady_clock::time_point deadline(std::uint64_t octets) const;
  void pause() { paused_ = std::chrono::steady_clock::now(); }
  void resume() { begin_ += std::chrono::steady_clock::now() - paused_; }

 private:
  const Settings& settings_;
  const std::chrono::milliseconds grace_;
  std::chrono::steady_clock::time_point begin_, paused_;
};

// What all sessions share. Outlives them.
struct Front {
  explicit Front(Settings s);

  const Settings settings;
  Connections connections;
  BodyBudget bodies;   // that arrive
  BodyBudget answers;  // of the query API: who reads slowly stops nobody who sends
  Workers workers;
  // Large bodies come as slowly as their senders like: they never hold a worker of the others.
  Workers large_workers;
  Workers api_workers;  // reading never waits for what is being accepted, nor the other way round
  Refusals refusals;
  Traces traces;
  Application* application = nullptr;
  Api* api = nullptr;
  std::atomic<bool> stopping{false};
  std::atomic<bool> cutting_uploads{false};  // stop() waits no longer
};

// Threads: everything but start() and what overrides Job and Requester runs on its I/O thread.
class Session final : public std::enable_shared_from_this<Session>,
                      public Job,
                      public pipeline::Requester {
 public:
  using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, IoThread::Executor>;

  // `tls` and `listener` are used here only.
  Session(Socket socket, boost::asio::ssl::context& tls, const Listener& listener, Front& front,
          IoThread& io, Connections::Slot slot, std::string peer);

  // Serves until the connection ends, and keeps the session alive for as long.
  void start();
  void close_if_overdue(std::chrono::steady_clock::time_point now);
  // Ends the connection unless a request is under way; then after its answer.
  void close_when_idle();
  // Ends the connection whatever is under way.
  void end_now();
  // Ends a large body that is still being read.
  void cut_upload();

  // As a job for the workers, while the coroutine waits for the answer.
  void work() override;
  void refuse() override;
  void go_on(std::function<void()> rest) override;
  void answer(pipeline::Answer answer) override;

 private:
  template <typename T>
  using Awaitable = boost::asio::awaitable<T, IoThread::Executor>;
  // `large`: what has been read is the beginning of a large body.
  enum class BodyEnd { complete, large, too_large, no_room, malformed, too_slow, gone };

  // A request whose body is being read.
  struct Incoming {
    const RequestHead& head;
    ChunkDecoder chunks;
    Pace pace;
    BodyBudget::Share share;
    std::uint64_t octets = 0;  // of the body that have come

    bool complete() const;
  };

  Awaitable<void> run();
  Awaitable<bool> handshake();
  // From here on a false means: the connection is over.
  Awaitable<bool> wait_for_request();
  // The head is in buffer_, `octets` long, unless `head` is refused.
  Awaitable<bool> read_head(RequestHead& head, std::size_t& octets);
  Awaitable<bool> serve_request();
  Awaitable<bool> answer_request(const RequestHead& head);
  Awaitable<bool> serve_post(const RequestHead& head);
  Awaitable<bool> serve_get(const RequestHead& head);
  Awaitable<bool> serve_api(const RequestHead& head);
  Awaitable<bool> send_continue();
  Awaitable<BodyEnd> read_body(Incoming& incoming, Bytes& body);
  Awaitable<BodyEnd> read_some_body(Incoming& incoming, std::span<std::byte> room);
  Awaitable<BodyEnd> read_some_chunked(Incoming& incoming, std::span<std::byte> room);
  Awaitable<bool> serve_large(Incoming& incoming, Bytes begin);
  Awaitable<BodyEnd> stream_body(Incoming& incoming, Upload& upload);
  Awaitable<bool> refuse_body(BodyEnd end, const Incoming& incoming);
  std::shared_ptr<const pipeline::Answer> refusal_of(BodyEnd end, const Incoming& incoming);
  static std::string gone_text(const Incoming& incoming);
  static std::string too_slow_text(const Incoming& incoming);
  Awaitable<void> wait_for_answer();
  Awaitable<void> wait_for_event();
  Awaitable<bool> send_refusal(const RequestHead& head);
  Awaitable<bool> send_answer(const pipeline::Answer& answer, const RequestHead& head,
                              bool keep_alive);
  Awaitable<bool> send_response(bool keep_alive, std::string_view body);
  Awaitable<bool> send_octets(std::string_view octets, const Pace& pace, std::uint64_t& sent);
  Awaitable<void> close();

  bool may_ask();
  bool submit(Workers& workers);
  void compute(const std::function<void()>& part);
  void deliver();
  void take_answer();
  void interrupt_reading();
  void trace(std::string_view event, std::string_view detail);
  void trace_refusal(const RequestHead& head);
  void trace_end_of_unused(const boost::system::error_code& error);
  void trace_cut_answer(const RequestHead& head);
  pipeline::Answer refusal(ErrorCode code, std::string detail, const RequestHead& head) const;
  std::shared_ptr<const pipeline::Answer> overload(const char* detail,
                                                   std::string_view content_type);
  std::shared_ptr<const pipeline::Answer> no_time_for_it();
  bool may_keep_alive(bool wanted) const;
  void begin_response(unsigned status, std::string_view content_type, std::size_t length,
                      bool keep_alive);
  void must_end_by(std::chrono::steady_clock::time_point deadline);
  void must_end_within(std::chrono::milliseconds time);

  Front& front_;
  IoThread& io_;
  const Connections::Slot slot_;
  const std::string peer_;
  const ClientCertificates client_certificates_;
  const bool may_read_api_;
  std::optional<Sha256Digest> proved_certificate_;  // its key, in the handshake
  std::optional<Sha256Digest> client_certificate_;  // good for the request under way
  boost::asio::ssl::stream<Socket> stream_;
  boost::beast::flat_buffer buffer_;
  std::chrono::steady_clock::time_point deadline_;  // of what is under way on the network
  bool overdue_ = false;                            // the deadline has passed
  // What is overdue is cancelled, so that it can be answered; else the connection is closed.
  bool answer_when_overdue_ = false;
  bool first_request_ = true;
  bool request_under_way_ = false;
  std::string response_;  // kept for its memory
  unsigned status_ = 0;   // of it
  Sent sent_;             // of its body
  // What the system still had to send when the connection was closed.
  std::uint64_t not_taken_ = 0;
  // Whose requests these are, for the fair queue: the tenant last authenticated, or the address.
  std::string flow_;

  // From submit() to take_answer() these are the workers'.
  Workers* workers_ = nullptr;
  receive::HttpRequest request_;
  std::optional<ApiRequest> api_request_;  // instead of request_
  bool read_by_api_ = false;               // the API has been asked
  std::shared_ptr<const pipeline::Answer> worked_out_;

  // Cancelled when a worker has done something to wait for.
  boost::asio::steady_timer::rebind_executor<IoThread::Executor>::other event_;
  std::shared_ptr<const pipeline::Answer> answer_;
  std::shared_ptr<Upload> upload_;  // the large body that is being read
  bool reading_upload_ = false;     // from the network, just now
};

}  // namespace district::server
