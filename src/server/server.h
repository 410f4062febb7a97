// The HTTPS front: takes requests off the network, bounded in number, octets and time, and hands
// them to a bounded pool of workers. Idle connections cost memory, but no thread.
// Source: RFC 9110, RFC 9112 (HTTP/1.1); RFC 9325 (use of TLS).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "pipeline/pipeline.h"
#include "receive/receive.h"
#include "server/listener.h"

namespace district::server {

inline constexpr std::string_view kServicePath = "/services/aggregation";
inline constexpr std::string_view kHealthPath = "/health";
inline constexpr std::string_view kApiPath = "/api/v1";  // and all below it

// What the front asks of the service behind it.
class Application {
 public:
  virtual ~Application() = default;
  // A POST: whole, or with a `rest` that is still arriving; who answers without reading all of it
  // has the connection closed. Answers `requester`, now or later. On a worker thread, many at once;
  // may block, but had better go on later.
  virtual void post(receive::HttpRequest request,
                    std::shared_ptr<pipeline::Requester> requester) = 0;
  // A POST that the front refuses before its body is whole: too_large, overloaded. On an I/O
  // thread; must not block.
  virtual pipeline::Answer refuse(const Error& error, std::string_view content_type,
                                  std::string_view peer) = 0;
  // What GET gives for the query (without "?"): an XML document, or nullopt for 404. On an I/O
  // thread; must not block.
  virtual std::optional<std::string_view> document(std::string_view query) const = 0;
  // Whether the certificate with this SHA-256 is enrolled and in force now. On an I/O thread, for
  // each request of a client that came with one; must not block for long.
  virtual bool may_connect(const Sha256Digest& /*certificate*/) { return false; }
};

// A GET or HEAD below kApiPath. Fields are as sent; empty: there was none.
struct ApiRequest {
  std::string path;   // the whole of it
  std::string query;  // without "?"
  std::string authorization, accept, if_none_match;
  std::string range, if_range;                     // empty with HEAD, for which they mean nothing
  std::optional<Sha256Digest> client_certificate;  // its key proved in the handshake; enrolled
  std::string peer;
};

// A path as it may stand in the log: what is long enough to be a secret does not.
std::string path_for_log(std::string_view path);

// What became of an answer's body on the way to the client.
struct Sent {
  std::uint64_t octets = 0;   // that the client's system has taken, as far as ours knows
  const char* cut = nullptr;  // why the rest was not sent; null: all was
};

// Answers what is asked below kApiPath.
class Api {
 public:
  virtual ~Api() = default;
  // On one of kApiThreads threads, which do nothing else; may block. A HEAD is answered as a GET:
  // the front leaves the body out, as it does with status 304.
  virtual pipeline::Answer get(const ApiRequest& request) = 0;
  // Once for each request, before the first octet of its answer is sent, which may be another than
  // get() gave, or none of get()'s. On an I/O thread; must not block.
  virtual void answering(const ApiRequest& /*request*/, const pipeline::Answer& /*answer*/) {}
  // Once after answering(), when all is sent or cut. As above.
  virtual void sent(const ApiRequest& /*request*/, const pipeline::Answer& /*answer*/,
                    const Sent& /*sent*/) {}
};
inline constexpr std::size_t kApiThreads = 2;

struct Settings {
  std::vector<Listener> listeners;             // one or more
  std::vector<CertificateFiles> certificates;  // of all listeners; one for each type of key
  std::size_t body_octets_max = 0, body_octets_total_max = 0, header_octets_max = 0;
  std::size_t connections_max = 0, connections_per_peer_max = 0;
  std::chrono::milliseconds handshake{}, header{}, body{}, idle{}, write{};
  std::size_t body_octets_per_second_min = 0;
  std::chrono::milliseconds body_grace{5000};  // before the rate counts
  std::size_t io_threads = 2, workers = 0, queue_max = 0;
  std::size_t few = 0;  // requests are let in whatever the rate, and at least one for each worker
  std::chrono::milliseconds answer{100};  // more are not let in than can be answered within it
  std::size_t large_bodies = 4;  // bodies above limits::kWholeOctetsMax that arrive at a time
  std::chrono::milliseconds finish{10'000};  // for requests under way when stop() is called
};
Settings settings_from(const config::Config& config);
// Whether all listeners could use the certificates and keys; listens nowhere.
// Errors: file_unreadable (certificate, key), config_invalid.
Result<Ok> check_certificates(const Settings& settings);

class Server {
 public:
  // Listens; connections wait in the system's queue until start().
  // Errors: address_in_use (or not of this machine), file_unreadable (certificate, key),
  // config_invalid.
  static Result<std::unique_ptr<Server>> open(Settings settings);
  ~Server();  // stops

  // Of a listener, by its place in Settings.
  std::uint16_t port(std::size_t listener = 0) const;

  // Keeps references: both must live until stop() has returned. Once only. `api`: null: there is
  // none. Listeners for old TLS never have it.
  // Errors: internal (no threads to be had).
  Result<Ok> start(Application& application, Api* api = nullptr);

  // Reads the certificates and keys again, for connections that come from now on; says in the log
  // how it went. Where one cannot be used all stay as they were. The server does so by itself once
  // a day.
  // Threads: any.
  void reload_certificates();

  // Takes no more connections, closes the idle ones, finishes the requests under way within
  // Settings::finish, and returns when nothing calls the application any more.
  // Threads: any but those of the server; once.
  void stop();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::server
