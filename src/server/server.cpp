#include "server/server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "observe/events.h"
#include "server/connection.h"
#include "server/front.h"
#include "server/io_thread.h"
#include "server/tls.h"

namespace district::server {
namespace {

namespace net = boost::asio;
using net::ip::tcp;
using std::chrono::steady_clock;

constexpr std::size_t kFilesBesidesConnections = 128;  // database, log, listening socket
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// For what was cut off to be told in the log.
constexpr auto kCutAtStop = std::chrono::milliseconds(500);
constexpr auto kRefusalsReportedEvery = std::chrono::seconds(10);

// Each connection is a file descriptor; the usual soft limit of 1024 is soon reached. Gives how
// many connections there can be.
std::size_t make_room_for_files(std::size_t connections) {
  const rlim_t wanted = connections + kFilesBesidesConnections;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return connections;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == wanted) return connections;
  const auto possible =
      std::max<rlim_t>(limit.rlim_cur, 2 * kFilesBesidesConnections) - kFilesBesidesConnections;
  observe::emit(
      observe::Level::warning, "connections_limited",
      {{"wanted", connections},
       {"possible", possible},
       {"detail", "the system allows " + std::to_string(limit.rlim_max) +
                      " file descriptors, limits.connections needs " + std::to_string(wanted)},
       {"hint", "raise the limit (ulimit -n; LimitNOFILE in systemd)"}});
  return std::min<std::size_t>(connections, possible);
}

// Of the configuration.
const char* section_of(const Listener& listener) {
  return listener.profile == TlsProfile::legacy ? "legacy" : "listen";
}

Error cannot_listen(const Listener& listener, const boost::system::error_code& error) {
  const auto port = std::to_string(listener.port);
  const std::string section = section_of(listener);
  const auto where = listener.address + " port " + port + ": " + error.message();
  if (error == net::error::address_in_use) {
    return {ErrorCode::address_in_use,
            "cannot listen on " + where,
            "another program uses port " + port + "; `ss -ltnp sport = :" + port +
                "` shows which; " + section + ".port sets another",
            {},
            {}};
  }
  if (error == net::error::access_denied) {
    return {ErrorCode::config_invalid,
            "cannot listen on " + where,
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE; " + section +
                ".port sets another",
            {},
            {}};
  }
  // At boot the address may come a little later: not the end, as a wrong configuration would be.
  return {ErrorCode::address_in_use,
          "cannot listen on " + where,
          section + ".address must be an address of this machine",
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

}  // namespace

using TlsContext = std::shared_ptr<net::ssl::context>;

// A listening socket. Threads: of the first I/O thread.
struct Door {
  Door(const Listener& l, TlsContext context, net::io_context& io)
      : listener(l), tls(std::move(context)), acceptor(io), pause(io) {}

  const Listener listener;
  TlsContext tls;  // for new connections
  tcp::acceptor acceptor;
  net::steady_timer pause;
};

struct Server::Impl {
  explicit Impl(Settings settings);

  Result<Ok> listen();
  void accept_next(Door& door);
  void admit(TlsStream::Socket socket, IoThread& io, Door& door);
  void reload_certificates();
  void reload_every_day();
  void report_refusals(steady_clock::time_point now);
  std::vector<std::unique_ptr<IoThread>> make_io_threads();
  void for_each_connection(const std::function<void(Connection&)>& what);

  // The order matters: what connections use is destroyed after the threads, which hold the last of
  // them.
  Front front;
  std::vector<std::unique_ptr<IoThread>> io_threads;
  std::vector<std::unique_ptr<Door>> doors;  // on the first of them
  net::steady_timer day;
  std::size_t next_io_thread = 0;
  std::uint64_t refused = 0;
  std::string last_refused;
  steady_clock::time_point refusals_reported{};
};

std::vector<std::unique_ptr<IoThread>> Server::Impl::make_io_threads() {
  std::vector<std::unique_ptr<IoThread>> threads;
  threads.push_back(std::make_unique<IoThread>([this] {
    const auto now = steady_clock::now();
    front.refusals.report(now);
    front.traces.report(now);
    report_refusals(now);
  }));
  while (threads.size() < front.settings.io_threads) {
    threads.push_back(std::make_unique<IoThread>([] {}));
  }
  return threads;
}

Server::Impl::Impl(Settings settings)
    : front(std::move(settings)),
      io_threads(make_io_threads()),
      day(io_threads.front()->context()) {}

// One for each listener.
Result<std::vector<TlsContext>> make_contexts(const Settings& settings) {
  std::vector<TlsContext> contexts;
  for (const auto& listener : settings.listeners) {
    DISTRICT_TRY(auto context, make_tls_context(settings.certificates, listener));
    contexts.push_back(std::move(context));
  }
  return contexts;
}

Result<Ok> check_certificates(const Settings& settings) {
  DISTRICT_CHECK(make_contexts(settings));
  return Ok{};
}

Result<Ok> open_door(Door& door) {
  boost::system::error_code error;
  auto& acceptor = door.acceptor;
  const auto address = net::ip::make_address(door.listener.address, error);
  if (error) return fail(cannot_listen(door.listener, error));
  const tcp::endpoint endpoint(address, door.listener.port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return fail(cannot_listen(door.listener, error));
  return Ok{};
}

Result<Ok> Server::Impl::listen() {
  DISTRICT_TRY(auto contexts, make_contexts(front.settings));
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    doors.push_back(std::make_unique<Door>(front.settings.listeners[i], std::move(contexts[i]),
                                           io_threads.front()->context()));
    DISTRICT_CHECK(open_door(*doors.back()));
  }
  return Ok{};
}

// New files are often put in place one after the other: a certificate whose key is not there yet is
// no reason to serve nobody.
void Server::Impl::reload_certificates() {
  auto contexts = make_contexts(front.settings);
  if (!contexts) {
    observe::emit(observe::Level::error, "certificates_kept",
                  {{"detail", contexts.error().detail}, {"hint", contexts.error().hint}});
    return;
  }
  net::post(io_threads.front()->executor(), [this, contexts = std::move(*contexts)] {
    for (std::size_t i = 0; i < doors.size(); ++i) doors[i]->tls = contexts[i];
    observe::emit(observe::Level::info, "certificates_loaded", {});
  });
}

// For the sake of the key of the tickets, which comes with each context (RFC 9325 section 3.4).
void Server::Impl::reload_every_day() {
  day.expires_after(std::chrono::hours(24));
  day.async_wait([this](boost::system::error_code stopped) {
    if (stopped) return;
    reload_certificates();
    reload_every_day();
  });
}

void Server::Impl::accept_next(Door& door) {
  // They are dealt out in turn; each stays with its thread.
  auto& io = *io_threads[next_io_thread++ % io_threads.size()];
  door.acceptor.async_accept(
      io.context(), [this, &io, &door](boost::system::error_code error, TlsStream::Socket socket) {
        if (front.stopping || error == net::error::operation_aborted) return;
        if (!error) {
          admit(std::move(socket), io, door);
          accept_next(door);
          return;
        }
        // Out of descriptors or memory: wait until some connection has ended.
        door.pause.expires_after(kAcceptPause);
        door.pause.async_wait([this, &door](boost::system::error_code stopped) {
          if (!stopped) accept_next(door);
        });
      });
}

void Server::Impl::admit(TlsStream::Socket socket, IoThread& io, Door& door) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const auto address = without_v4_mapping(endpoint.address());
  auto slot = front.admission.admit(counted_as(address));
  if (!slot) {
    ++refused;
    last_refused = address.to_string();
    report_refusals(steady_clock::now());
    return;  // closes the socket
  }
  socket.set_option(tcp::no_delay(true), error);
  std::make_shared<Connection>(std::move(socket), *door.tls, door.listener, front, io,
                               std::move(*slot), address.to_string())
      ->start();
}

// One line for many, so that a flood of connections is not a flood of lines.
void Server::Impl::report_refusals(steady_clock::time_point now) {
  if (refused == 0 || now - refusals_reported < kRefusalsReportedEvery) return;
  observe::emit(observe::Level::warning, "connections_refused",
                {{"count", refused}, {"last_peer", last_refused}});
  refusals_reported = now;
  refused = 0;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::open(Settings settings) {
  settings.connections_max = make_room_for_files(settings.connections_max);
  auto impl = std::make_unique<Impl>(std::move(settings));
  DISTRICT_CHECK(impl->listen());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port(std::size_t listener) const {
  boost::system::error_code error;
  return impl_->doors.at(listener)->acceptor.local_endpoint(error).port();
}

void Server::reload_certificates() { impl_->reload_certificates(); }

Result<Ok> Server::start(Application& application, ApiHandler* api) {
  impl_->front.application = &application;
  impl_->front.api = api;
  for (const auto& door : impl_->doors) impl_->accept_next(*door);
  impl_->reload_every_day();
  try {
    impl_->front.workers.start();
    impl_->front.large_workers.start();
    impl_->front.api_workers.start();
    impl_->front.certificate_workers.start();
    for (const auto& thread : impl_->io_threads) thread->start();
  } catch (const std::system_error& error) {
    stop();
    return fail(ErrorCode::internal, std::string("cannot start threads: ") + error.what(),
                "lower limits.workers or raise the limit of threads (ulimit -u)");
  }
  return Ok{};
}

void Server::Impl::for_each_connection(const std::function<void(Connection&)>& what) {
  for (const auto& thread : io_threads) thread->for_each_connection(what);
}

void Server::stop() {
  auto& front = impl_->front;
  if (front.stopping.exchange(true)) return;
  net::post(impl_->io_threads.front()->executor(), [impl = impl_.get()] {
    boost::system::error_code ignored;
    for (const auto& door : impl->doors) {
      door->acceptor.close(ignored);
      door->pause.cancel();
    }
    impl->day.cancel();
  });
  impl_->for_each_connection([](Connection& connection) { connection.close_when_idle(); });
  const bool cut =
      front.application != nullptr && !front.admission.wait_until_none(front.settings.finish);
  if (cut) observe::emit(observe::Level::warning, "requests_cut_off_at_stop", {});
  // A thread that waits for octets would wait for ever.
  front.cutting_uploads = true;
  impl_->for_each_connection([](Connection& connection) { connection.cut_upload(); });
  if (cut) {
    impl_->for_each_connection([](Connection& connection) { connection.close_now(); });
    front.admission.wait_until_none(kCutAtStop);
  }
  front.large_workers.stop();
  front.api_workers.stop();
  front.certificate_workers.stop();
  front.workers.stop();
  for (const auto& thread : impl_->io_threads) thread->stop();
  front.refusals.report(steady_clock::time_point::max());
  front.traces.report(steady_clock::time_point::max());
  impl_->report_refusals(steady_clock::time_point::max());
}

}  // namespace district::server
