#include "server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "observe/events.h"
#include "server/session.h"
#include "server/tls.h"

namespace district::server {
namespace {

namespace net = boost::asio;
using net::ip::tcp;
using std::chrono::steady_clock;

constexpr std::size_t kFilesBesidesConnections = 128;  // database, log, listening socket
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr auto kRefusalsReportedEvery = std::chrono::seconds(10);

// Each connection is a file descriptor; the usual soft limit of 1024 is soon reached.
Result<Ok> make_room_for_files(std::size_t connections) {
  const rlim_t wanted = connections + kFilesBesidesConnections;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return Ok{};
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (limit.rlim_cur < wanted || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(ErrorCode::config_invalid,
                "limits.connections needs " + std::to_string(wanted) +
                    " file descriptors, the system allows " + std::to_string(limit.rlim_max),
                "lower limits.connections or raise the limit (ulimit -n; LimitNOFILE in systemd)");
  }
  return Ok{};
}

Error cannot_listen(const Settings& settings, const boost::system::error_code& error) {
  const auto port = std::to_string(settings.port);
  const auto where = settings.address + " port " + port + ": " + error.message();
  if (error == net::error::address_in_use) {
    return {ErrorCode::address_in_use,
            "cannot listen on " + where,
            "another program uses port " + port + "; `ss -ltnp sport = :" + port +
                "` shows which; listen.port sets another",
            {},
            {}};
  }
  if (error == net::error::access_denied) {
    return {ErrorCode::config_invalid,
            "cannot listen on " + where,
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; listen.port sets another",
            {},
            {}};
  }
  return {ErrorCode::config_invalid,
          "cannot listen on " + where,
          "listen.address must be an address of this machine",
          {},
          {}};
}

net::ip::address without_v4_mapping(const net::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6());
}

// One customer of IPv6 has a whole /64 of addresses.
std::string counted_as(const net::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto octets = address.to_v6().to_bytes();
  std::fill(octets.begin() + 8, octets.end(), static_cast<unsigned char>(0));
  return net::ip::address_v6(octets).to_string();
}

std::chrono::milliseconds to_milliseconds(config::seconds value) { return value; }

}  // namespace

struct Server::Impl {
  Impl(Settings settings, net::ssl::context context)
      : front(std::move(settings)), tls(std::move(context)), acceptor(io), pause(io) {}

  Result<Ok> listen();
  void accept_next();
  void admit(tcp::socket socket);
  void report_refusal(const std::string& peer);

  // The order matters: what sessions use is destroyed after io, which holds the last of them.
  Front front;
  net::ssl::context tls;
  net::io_context io;
  tcp::acceptor acceptor;
  net::steady_timer pause;
  std::vector<std::thread> threads;
  std::uint64_t refused = 0;
  steady_clock::time_point refusals_reported{};
};

Result<Ok> Server::Impl::listen() {
  boost::system::error_code error;
  const auto address = net::ip::make_address(front.settings.address, error);
  if (error) return fail(cannot_listen(front.settings, error));
  const tcp::endpoint endpoint(address, front.settings.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return fail(cannot_listen(front.settings, error));
  return Ok{};
}

void Server::Impl::accept_next() {
  // Each connection has its own strand, so that no two threads run one session at a time.
  acceptor.async_accept(net::any_io_executor(net::make_strand(io)),
                        [this](boost::system::error_code error, tcp::socket socket) {
                          if (front.stopping || error == net::error::operation_aborted) return;
                          if (!error) {
                            admit(std::move(socket));
                            accept_next();
                            return;
                          }
                          // Out of descriptors or memory: wait until some connection has ended.
                          pause.expires_after(kAcceptPause);
                          pause.async_wait([this](boost::system::error_code stopped) {
                            if (!stopped) accept_next();
                          });
                        });
}

void Server::Impl::admit(tcp::socket socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const auto address = without_v4_mapping(endpoint.address());
  auto slot = front.connections.admit(counted_as(address));
  if (!slot) {
    report_refusal(address.to_string());
    return;  // closes the socket
  }
  socket.set_option(tcp::no_delay(true), error);
  std::make_shared<Session>(std::move(socket), tls, front, std::move(*slot), address.to_string())
      ->start();
}

// One line for many, so that a flood of connections is not a flood of lines.
void Server::Impl::report_refusal(const std::string& peer) {
  ++refused;
  const auto now = steady_clock::now();
  if (now - refusals_reported < kRefusalsReportedEvery) return;
  observe::emit(observe::Level::warning, "connections_refused",
                {{"count", refused}, {"last_peer", peer}});
  refusals_reported = now;
  refused = 0;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::open(Settings settings) {
  DISTRICT_TRY(auto tls, make_tls_context(settings.certificate, settings.key));
  DISTRICT_CHECK(make_room_for_files(settings.connections_max));
  auto impl = std::make_unique<Impl>(std::move(settings), std::move(tls));
  DISTRICT_CHECK(impl->listen());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const {
  boost::system::error_code error;
  return impl_->acceptor.local_endpoint(error).port();
}

Result<Ok> Server::start(Application& application) {
  impl_->front.application = &application;
  impl_->accept_next();
  const auto io_threads = std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
  try {
    impl_->front.workers.start();
    impl_->front.large_workers.start();
    for (unsigned i = 0; i < io_threads; ++i) {
      impl_->threads.emplace_back([io = &impl_->io] { io->run(); });
    }
  } catch (const std::system_error& error) {
    stop();
    return fail(ErrorCode::internal, std::string("cannot start threads: ") + error.what(),
                "lower limits.workers or raise the limit of threads (ulimit -u)");
  }
  return Ok{};
}

void Server::stop() {
  auto& front = impl_->front;
  if (front.stopping.exchange(true)) return;
  net::post(impl_->io, [impl = impl_.get()] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    impl->pause.cancel();
  });
  const auto for_each_session = [&front](auto what) {
    std::vector<std::shared_ptr<Session>> sessions;
    {
      const std::lock_guard lock(front.mutex);
      for (const auto& [address, session] : front.sessions) {
        if (auto alive = session.lock()) sessions.push_back(std::move(alive));
      }
    }
    for (const auto& session : sessions) what(*session);
  };
  for_each_session([](Session& session) { session.close_when_idle(); });
  if (!impl_->threads.empty() && !front.connections.wait_until_none(front.settings.finish)) {
    observe::emit(observe::Level::warning, "requests_cut_off_at_stop", {});
  }
  // A thread that waits for octets would wait for ever.
  front.cutting_uploads = true;
  for_each_session([](Session& session) { session.cut_upload(); });
  front.large_workers.stop();
  front.workers.stop();
  impl_->io.stop();
  for (auto& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

Settings settings_from(const config::Config& config) {
  const auto& limits = config.limits;
  const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  Settings settings;
  settings.address = config.listen.address;
  settings.port = static_cast<std::uint16_t>(config.listen.port);
  settings.certificate = config.tls.certificate;
  settings.key = config.tls.key;
  settings.body_octets_max = size(limits.body_bytes);
  settings.body_octets_total_max = size(limits.body_bytes_total);
  settings.header_octets_max = size(limits.header_bytes);
  settings.connections_max = size(limits.connections);
  settings.connections_per_peer_max = size(limits.connections_per_peer);
  settings.handshake = to_milliseconds(limits.handshake_seconds);
  settings.header = to_milliseconds(limits.header_seconds);
  settings.body = to_milliseconds(limits.body_seconds);
  settings.idle = to_milliseconds(limits.idle_seconds);
  settings.write = to_milliseconds(limits.write_seconds);
  settings.body_octets_per_second_min = size(limits.minimum_rate_bytes_per_second);
  settings.workers = size(limits.workers);
  settings.queue_max = size(limits.queue);
  // They wait for the network most of the time; each takes a few MB of memory.
  settings.large_bodies = std::clamp<std::size_t>(2 * std::thread::hardware_concurrency(), 4, 64);
  return settings;
}

}  // namespace district::server
