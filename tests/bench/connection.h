// One TLS connection to the server under load and the loop that drives many of them in one thread.
// As little work as possible for each request, since driver and server share a machine: octets to
// send are made ahead, of an answer only status, Content-Length, Retry-After and Connection are
// read. The server's certificate is checked on the first connection only: it is the clients' cost.
// Source: RFC 9112; openssl SSL_write(3), epoll(7). Threads: one loop, one thread.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/c_handle.h"
#include "base/error.h"

namespace district::bench {

using Steady = std::chrono::steady_clock;
using Moment = Steady::time_point;

class Connection;

// Times and the readiness of sockets.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void at(Moment when, std::function<void()> what);
  void run();  // until stop()
  void stop() { running_ = false; }

 private:
  friend class Connection;
  struct Timer {
    Moment when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Timer& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  void run_due_timers();

  int epoll_ = -1;
  bool running_ = false;
  std::uint64_t next_order_ = 0;
  std::priority_queue<Timer> timers_;
};

using TlsContext = CHandle<SSL_CTX, SSL_CTX_free>;
using Tls = CHandle<SSL, SSL_free>;

// Where all connections of a run lead to.
class Target {
 public:
  // url: https://HOST[:PORT][/PATH]; ca_file: who vouches for the server.
  // Errors: gateway_input, gateway_unreachable, file_unreadable.
  static Result<Target> create(const std::string& url, const std::string& ca_file);

  // A whole HTTP request without its body.
  std::string post_head(std::size_t body_octets) const;
  std::string get_request(std::string_view path) const;
  const std::string& host() const { return host_; }

 private:
  friend class Connection;
  std::string host_, port_, path_;
  std::uint32_t address_ = 0;  // IPv4, network order
  TlsContext tls_;
};

struct Answer {
  unsigned status = 0;
  std::string_view body;  // until the listener returns
  std::chrono::seconds retry_after{0};
};

class Listener {
 public:
  virtual ~Listener() = default;
  virtual void connected(Connection& connection) = 0;
  virtual void answered(Connection& connection, const Answer& answer) = 0;
  // The connection ended by itself; `waiting`: before the answer to a request was whole.
  virtual void lost(Connection& connection, bool waiting, const std::string& why) = 0;
};

class Connection {
 public:
  // number: given back by number(); where the server is on this machine, it also chooses the
  // address 127.a.b.c that the connection comes from, since gateways have addresses of their own.
  Connection(EventLoop& loop, const Target& target, Listener& listener, std::size_t number);
  ~Connection();
  Connection(Connection&&) = delete;
  Connection& operator=(Connection&&) = delete;

  void open();  // answers by connected() or lost()
  // head and body must stay as they are until the answer; the connection must be ready.
  void send(std::string_view head, std::string_view body);
  void close();
  // Without a word to the server, as when a cable is cut.
  void cut();

  bool ready() const { return state_ == State::ready; }
  bool open_or_opening() const { return state_ != State::closed; }
  std::size_t number() const { return number_; }
  std::size_t unsent() const { return head_.size() + body_.size(); }

 private:
  friend class EventLoop;
  enum class State { closed, connecting, handshaking, ready, waiting };

  void advance();
  bool shake_hands();
  bool write_some(std::string_view& octets);
  bool write_more();
  void read_more();
  bool deliver_answer();
  void forget();
  void lose(const std::string& why);

  EventLoop& loop_;
  const Target& target_;
  Listener& listener_;
  const std::size_t number_;
  State state_ = State::closed;
  int socket_ = -1;
  Tls tls_;
  std::uint64_t life_ = 0;        // counts open() and close()
  std::string_view head_, body_;  // not yet sent
  std::string received_;
};

}  // namespace district::bench
