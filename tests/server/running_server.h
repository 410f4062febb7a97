// A server on a free port of the loopback, with an application that echoes, and requests for it.
#pragma once

#include <boost/test/unit_test.hpp>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../support/eventually.h"
#include "observe/events.h"
#include "server/server.h"
#include "tls_client.h"

namespace district::test {

// Throw-away certificates for the whole run.
struct Pki {
  Pki()
      : folder(std::filesystem::temp_directory_path() /
               ("district-server-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
    make("server");
    make("other");
    ::signal(SIGPIPE, SIG_IGN);  // writes to connections that the server has cut off
  }
  ~Pki() { std::filesystem::remove_all(folder); }
  void make(const std::string& name) const {
    const auto stem = (folder / name).string();
    const auto command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -keyout " +
        stem + ".key -out " + stem + ".pem 2>/dev/null";
    BOOST_REQUIRE(std::system(command.c_str()) == 0);
  }
  std::filesystem::path folder;
};

inline const Pki& pki() {
  static const Pki instance;
  return instance;
}

// Answers with what it was asked; can be made to hold its workers.
class Echo final : public server::Application {
 public:
  void post(receive::HttpRequest request, std::unique_ptr<pipeline::Requester> requester) override {
    {
      std::unique_lock lock(mutex_);
      ++posts_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !held_; });
    }
    if (later) return later(std::move(requester));
    requester->answer(request.rest != nullptr ? read_rest(request) : repeat(request));
  }
  static HttpResponse repeat(const receive::HttpRequest& request) {
    return {200, "text/xml",
            "body=" + std::string(as_text(request.body)) + " type=" + request.content_type +
                " coding=" + request.content_encoding + " action=" + request.soap_action +
                " peer=" + request.peer,
            0, request.soap_action};
  }
  HttpResponse refuse(const Error& error, std::string_view, std::string_view) override {
    ++refusals;
    if (error.code == ErrorCode::too_large) return {413, "text/xml", "fault", 0};
    if (error.code == ErrorCode::request_cut) {
      const std::lock_guard lock(mutex_);
      last_cut_ = error.detail;
      return {500, "text/xml", "cut", 0};
    }
    return {503, "text/xml", "fault", 7};
  }
  std::optional<std::string_view> document(std::string_view query) const override {
    if (query == "wsdl") return "<wsdl/>";
    return std::nullopt;
  }
  Result<bool> may_connect(const Sha256Digest&) override {
    ++looks;
    if (!trust_is_readable) return fail(ErrorCode::archive_unavailable, "the disk is gone");
    return enrolled.load();
  }
  std::string last_cut() const {
    const std::lock_guard lock(mutex_);
    return last_cut_;
  }
  // From now on, or no more.
  void hold(bool held) {
    {
      const std::lock_guard lock(mutex_);
      held_ = held;
    }
    changed_.notify_all();
  }
  int posts() const {
    const std::lock_guard lock(mutex_);
    return posts_;
  }
  void wait_for_posts(int count) {
    std::unique_lock lock(mutex_);
    BOOST_REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(5), [&] { return posts_ >= count; }));
  }

  // Where it is set: answers instead, perhaps not at once. Set before requests come.
  std::function<void(std::unique_ptr<pipeline::Requester>)> later;
  std::atomic<int> refusals{0};
  std::atomic<bool> enrolled{false};  // any certificate of a TLS client
  std::atomic<bool> trust_is_readable{true};
  std::atomic<int> looks{0};  // at whether one is
  // Of a large body: how much is read before it is answered; all of it unless set.
  std::atomic<std::size_t> read_at_most{SIZE_MAX};
  std::atomic<std::size_t> octets_read{0};
  std::atomic<int> cuts{0};
  std::atomic<int> pause_per_block_ms{0};  // it reads as slowly as that

 private:
  HttpResponse read_rest(const receive::HttpRequest& request) {
    octets_read = request.body.size();
    std::uint64_t sum = 0;
    for (const auto octet : request.body) sum = sum * 31 + std::to_integer<unsigned>(octet);
    while (octets_read < read_at_most) {
      const auto block = request.rest->next();
      if (!block) {
        ++cuts;
        return {block.error().code == ErrorCode::too_large ? 413U : 500U, "text/xml",
                std::to_string(static_cast<int>(block.error().code)), 0};
      }
      if (block->empty()) break;
      for (const auto octet : *block) sum = sum * 31 + std::to_integer<unsigned>(octet);
      octets_read += block->size();
      std::this_thread::sleep_for(std::chrono::milliseconds(pause_per_block_ms));
    }
    return {200, "text/xml", std::to_string(octets_read) + " " + std::to_string(sum), 0};
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int posts_ = 0;
  bool held_ = false;
  std::string last_cut_;
};

// What is logged goes to a file for as long as it lives.
struct Log {
  Log() { BOOST_REQUIRE(observe::start_log({"info", file})); }
  ~Log() {
    BOOST_CHECK(observe::start_log({}));
    std::filesystem::remove(file);
  }
  std::string text() const {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // A line comes a moment after what it tells of.
  bool has(std::string_view part) const {
    const bool found = eventually([&] { return text().find(part) != std::string::npos; });
    if (!found) BOOST_TEST_MESSAGE(text());
    return found;
  }
  const std::filesystem::path file = std::filesystem::temp_directory_path() /
                                     ("district-server-" + std::to_string(::getpid()) + ".log");
};

inline server::Settings settings() {
  using namespace std::chrono_literals;
  server::Settings s;
  s.listeners.emplace_back();
  s.certificates.push_back({"", pki().folder / "server.pem", pki().folder / "server.key"});
  s.body_octets_max = 200'000;
  s.body_octets_total_max = 1'000'000;
  s.header_octets_max = 4096;
  s.connections_max = 64;
  s.connections_per_peer_max = 64;
  s.handshake = s.header = s.body = s.idle = s.write = 5s;
  s.body_octets_per_second_min = 1;
  s.workers = 4;
  s.queue_max = 16;
  s.finish = 5s;
  return s;
}

struct Running {
  explicit Running(const server::Settings& s = settings(), ApiHandler* api = nullptr) {
    auto opened = server::Server::open(s);
    BOOST_REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().detail));
    server = std::move(*opened);
    BOOST_REQUIRE(server->start(application, api));
  }
  ~Running() {
    application.hold(false);
    server->stop();
  }
  std::uint16_t port() const { return server->port(); }

  Echo application;
  std::unique_ptr<server::Server> server;
};

inline std::string post(std::string_view body, std::string_view extra = {}) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\n" +
         std::string(extra) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

inline std::string chunked(std::string_view rest) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
         std::string(rest);
}

// The head of a POST whose body is sent separately.
inline std::string head_of(std::size_t length, std::string_view extra = {}) {
  return "POST /services/aggregation HTTP/1.1\r\nHost: x\r\n" + std::string(extra) +
         "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

inline std::string get(std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

// Octet i of a body that is never held as a whole.
inline char octet_at(std::size_t i) { return static_cast<char>('a' + i * 7 / 3 % 26); }

// false: the server did not take it.
inline bool send_octets(TlsClient& client, std::size_t from, std::size_t to,
                        bool in_chunks = false) {
  std::string part;
  for (std::size_t i = from; i < to;) {
    part.clear();
    for (const auto end = std::min(to, i + 50'000); i < end; ++i) part += octet_at(i);
    if (in_chunks) {
      char size[32];
      std::snprintf(size, sizeof size, "%zx\r\n", part.size());
      part = size + part + "\r\n";
    }
    if (!client.send(part)) return false;
  }
  return true;
}

// The first of the clients that the server sends something to, or whose connection it ends. Each
// has asked for something before, and read the answer: so it has read TLS's session tickets, too.
inline TlsClient& first_answered(const std::vector<TlsClient*>& clients) {
  std::vector<pollfd> files;
  for (const auto* client : clients) files.push_back({::SSL_get_fd(client->ssl()), POLLIN, 0});
  BOOST_REQUIRE(::poll(files.data(), files.size(), 5000) > 0);
  std::size_t first = 0;
  while (files[first].revents == 0) ++first;
  return *clients[first];
}

// Sends a POST, and returns when the server is waiting for the body.
inline void begin_post(TlsClient& client, std::size_t length) {
  client.send(head_of(length, "Content-Type: text/xml\r\nExpect: 100-continue\r\n"));
  BOOST_REQUIRE(client.read(false).status == 100);
}

}  // namespace district::test
