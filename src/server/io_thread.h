// One thread that serves many connections, each of them on this thread alone. Private to server/.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace district::server {

class Session;

// Threads: sessions, http_date() and what for_each_session() calls are of this thread; the rest of
// that which creates it.
class IoThread {
 public:
  using Executor = boost::asio::io_context::executor_type;

  // `every_tick`: called on the thread every kTick.
  explicit IoThread(std::function<void()> every_tick);
  // After it has been stopped; ends what is left of its sessions.
  ~IoThread() = default;

  // Throws std::system_error when the system has no more threads.
  void start();
  void stop();

  boost::asio::io_context& context() { return io_; }
  Executor executor() { return io_.get_executor(); }
  // Calls `what` on the thread, later.
  void for_each_session(std::function<void(Session&)> what);

  std::unordered_set<Session*> sessions;
  // Whether one more connection may be closed in this tick to make room: so many that came back at
  // once would be a load of their own.
  bool may_close_for_room() { return closed_for_room_++ < kClosedForRoomMax; }
  // IMF-fixdate of this second (RFC 9110 section 5.6.7).
  std::string_view http_date();

 private:
  static constexpr auto kTick = std::chrono::milliseconds(250);
  static constexpr std::size_t kClosedForRoomMax = 32;
  void tick();

  const std::function<void()> every_tick_;
  std::size_t closed_for_room_ = 0;
  std::time_t date_of_ = -1;
  std::string date_;
  boost::asio::io_context io_{1};  // destroyed first: it holds the sessions
  boost::asio::steady_timer timer_{io_};
  std::thread thread_;
};

}  // namespace district::server
