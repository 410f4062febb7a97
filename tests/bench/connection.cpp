#include "connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "gateway/https_client.h"

namespace district::bench {
namespace {

// A receipt has 5 KB; nothing that the server says to a client is larger than a WSDL.
constexpr std::size_t kAnswerOctetsMax = std::size_t{4} * 1024 * 1024;

std::string tls_problem(const SSL* tls, int outcome) {
  const int kind = ::SSL_get_error(tls, outcome);
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (code != 0) {
    std::array<char, 256> text{};
    ::ERR_error_string_n(code, text.data(), text.size());
    return text.data();
  }
  return kind == SSL_ERROR_ZERO_RETURN || errno == 0 ? "closed by the server"
                                                     : std::strerror(errno);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

// The value of a field of the header; empty where there is none.
std::string_view field(std::string_view header, std::string_view name) {
  std::size_t at = header.find("\r\n");
  while (at != std::string_view::npos) {
    const std::string_view line = header.substr(at + 2, header.find("\r\n", at + 2) - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name)) {
      std::string_view value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      return value;
    }
    at = header.find("\r\n", at + 2);
  }
  return {};
}

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

EventLoop::EventLoop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}
EventLoop::~EventLoop() { ::close(epoll_); }

void EventLoop::at(Moment when, std::function<void()> what) {
  timers_.push({when, next_order_++, std::move(what)});
}

void EventLoop::run_due_timers() {
  while (running_ && !timers_.empty() && timers_.top().when <= Steady::now()) {
    const auto what = timers_.top().what;
    timers_.pop();
    what();
  }
}

void EventLoop::run() {
  running_ = true;
  std::array<epoll_event, 256> events{};
  while (running_) {
    run_due_timers();
    if (!running_) return;
    timespec wait{0, 100'000'000};
    if (!timers_.empty()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::nanoseconds>(timers_.top().when - Steady::now());
      wait.tv_nsec = std::clamp<long>(left.count(), 0, wait.tv_nsec);
    }
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    for (int i = 0; i < count && running_; ++i) {
      static_cast<Connection*>(events.at(static_cast<std::size_t>(i)).data.ptr)->advance();
    }
  }
}

Result<Target> Target::create(const std::string& url, const std::string& ca_file) {
  DISTRICT_TRY(const auto parts, gateway::parse_url(url));
  Target target;
  target.host_ = parts.host;
  target.port_ = parts.port;
  target.path_ = parts.target;
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(parts.host.c_str(), nullptr, &wanted, &found) != 0 || found == nullptr) {
    return fail(ErrorCode::gateway_unreachable, "no IPv4 address of " + parts.host);
  }
  sockaddr_in address{};
  std::memcpy(&address, found->ai_addr, sizeof address);
  ::freeaddrinfo(found);
  target.address_ = address.sin_addr.s_addr;

  target.tls_.reset(::SSL_CTX_new(::TLS_client_method()));
  if (!target.tls_ || ::SSL_CTX_load_verify_file(target.tls_.get(), ca_file.c_str()) != 1) {
    return fail(ErrorCode::file_unreadable, "--ca " + ca_file + " has no certificate");
  }
  ::SSL_CTX_set_session_cache_mode(target.tls_.get(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_read_ahead(target.tls_.get(), 1);
  ::SSL_CTX_set_mode(target.tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                            SSL_MODE_RELEASE_BUFFERS);
  return target;
}

std::string Target::post_head(std::size_t body_octets) const {
  return "POST " + path_ + " HTTP/1.1\r\nHost: " + host_ + ":" + port_ +
         "\r\nContent-Type: text/xml; charset=utf-8\r\nSOAPAction: "
         "\"http://urb-grade.eu/AggregateMessage\"\r\nContent-Length: " +
         std::to_string(body_octets) + "\r\n\r\n";
}

std::string Target::get_request(std::string_view path) const {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + host_ + ":" + port_ + "\r\n\r\n";
}

Connection::Connection(EventLoop& loop, const Target& target, Listener& listener,
                       std::size_t number)
    : loop_(loop), target_(target), listener_(listener), number_(number) {}

Connection::~Connection() { close(); }

void Connection::open() {
  forget();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return lose(std::string("socket: ") + std::strerror(errno));
  const int one = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  constexpr std::uint32_t kLoopback = 0x7f000001;
  if (ntohl(target_.address_) == kLoopback) {
    ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    address.sin_addr.s_addr = htonl(kLoopback + 0x10000 + static_cast<std::uint32_t>(number_));
    // A port is chosen without it, too; what goes wrong shows at connect().
    static_cast<void>(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  address.sin_addr.s_addr = target_.address_;
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(target_.port_)));
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    return lose(std::string("connect: ") + std::strerror(errno));
  }

  tls_.reset(::SSL_new(target_.tls_.get()));
  ::SSL_set_fd(tls_.get(), socket_);
  ::SSL_set_connect_state(tls_.get());
  ::SSL_ctrl(tls_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(target_.host_.c_str()));
  if (number_ == 0 && life_ == 1) {
    ::SSL_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
    ::SSL_set1_host(tls_.get(), target_.host_.c_str());
  }
  state_ = State::connecting;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  ::epoll_ctl(loop_.epoll_, EPOLL_CTL_ADD, socket_, &event);
}

void Connection::forget() {
  ++life_;
  tls_.reset();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  state_ = State::closed;
  head_ = body_ = {};
  received_.clear();
}

void Connection::close() {
  if (tls_ && (state_ == State::ready || state_ == State::waiting)) ::SSL_shutdown(tls_.get());
  ::ERR_clear_error();
  forget();
}

void Connection::cut() {
  const linger at_once{1, 0};
  if (socket_ >= 0) ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  forget();
}

void Connection::lose(const std::string& why) {
  const bool waiting = state_ != State::ready;
  forget();
  listener_.lost(*this, waiting, why);
}

void Connection::send(std::string_view head, std::string_view body) {
  head_ = head;
  body_ = body;
  state_ = State::waiting;
  const auto life = life_;
  if (!write_more() && life == life_)
    loop_.at(Steady::now(), [this, life] {
      if (life == life_) lose("cannot send");
    });
}

void Connection::advance() {
  if (state_ == State::closed) return;
  if (state_ == State::connecting) {
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) return lose(std::string("connect: ") + std::strerror(problem));
    sockaddr_in peer{};
    socklen_t peer_size = sizeof peer;
    // An event of an earlier socket of this connection may come late.
    if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return;
    state_ = State::handshaking;
  }
  if (state_ == State::handshaking && !shake_hands()) return;
  // A peer that has closed may still have answered: what it said is read first.
  if (state_ == State::waiting) write_more();
  read_more();
}

// false: not yet, or the connection is not the same any more.
bool Connection::shake_hands() {
  errno = 0;
  const int outcome = ::SSL_do_handshake(tls_.get());
  if (outcome == 1) {
    const auto life = life_;
    state_ = State::ready;
    listener_.connected(*this);
    return life == life_;
  }
  const int kind = ::SSL_get_error(tls_.get(), outcome);
  if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
    lose("handshake: " + tls_problem(tls_.get(), outcome));
  }
  return false;
}

// false: the connection takes no more, now (octets are left) or ever.
bool Connection::write_some(std::string_view& octets) {
  while (!octets.empty()) {
    const int outcome =
        ::SSL_write(tls_.get(), octets.data(),
                    static_cast<int>(std::min<std::size_t>(octets.size(), 1U << 30U)));
    if (outcome <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(outcome));
  }
  return true;
}

// false: it will never take more.
bool Connection::write_more() {
  if (unsent() == 0) return true;
  errno = 0;
  // One record, one packet for what is small.
  if (head_.size() + body_.size() <= 16 * 1024 && !head_.empty()) {
    std::array<char, 16 * 1024> whole;
    const std::size_t size = head_.size() + body_.size();
    head_.copy(whole.data(), head_.size());
    body_.copy(whole.data() + head_.size(), body_.size());
    std::string_view octets(whole.data(), size);
    const bool all = write_some(octets);
    const std::size_t sent = size - octets.size();
    body_.remove_prefix(sent > head_.size() ? sent - head_.size() : 0);
    head_.remove_prefix(std::min(sent, head_.size()));
    if (all) return true;
  } else if (write_some(head_) && write_some(body_)) {
    return true;
  }
  const int kind = ::SSL_get_error(tls_.get(), -1);
  ::ERR_clear_error();
  return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

void Connection::read_more() {
  static thread_local std::array<char, 64 * 1024> buffer;
  while (state_ == State::ready || state_ == State::waiting) {
    errno = 0;
    const int outcome = ::SSL_read(tls_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (outcome <= 0) {
      const int kind = ::SSL_get_error(tls_.get(), outcome);
      if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
        lose(tls_problem(tls_.get(), outcome));
      }
      return;
    }
    received_.append(buffer.data(), static_cast<std::size_t>(outcome));
    if (state_ == State::ready) return lose("an answer that nobody asked for");
    if (!deliver_answer()) return;
  }
}

// false: the connection is not the same any more.
bool Connection::deliver_answer() {
  const std::size_t header_end = received_.find("\r\n\r\n");
  if (header_end == std::string::npos) {
    if (received_.size() <= kAnswerOctetsMax) return true;
    lose("an answer without end");
    return false;
  }
  const std::string_view header = std::string_view(received_).substr(0, header_end);
  const std::size_t body_at = header_end + 4;
  const auto status = number_of(header.substr(std::min<std::size_t>(9, header.size())));
  const auto length = number_of(field(header, "Content-Length"));
  if (!status || !length || *length > kAnswerOctetsMax) {
    lose("an answer without status or length");
    return false;
  }
  if (received_.size() < body_at + *length) return true;

  Answer answer;
  answer.status = static_cast<unsigned>(*status);
  answer.body = std::string_view(received_).substr(body_at, *length);
  answer.retry_after = std::chrono::seconds(number_of(field(header, "Retry-After")).value_or(0));
  // The listener may look at ready(); what it sends must not be mixed up with an unsent rest.
  const bool closes = unsent() != 0 || equal_ignoring_case(field(header, "Connection"), "close");
  std::string keep;
  if (closes) {
    keep = std::move(received_);
    answer.body = std::string_view(keep).substr(body_at, *length);
    close();
  } else {
    state_ = State::ready;
  }
  const auto life = life_;
  listener_.answered(*this, answer);
  if (life != life_ || closes) return false;
  received_.clear();
  return true;
}

}  // namespace district::bench
