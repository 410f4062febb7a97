// One thread that serves many connections, each of them on this thread alone. Private to server/.
#pragma once

#include <utility>  // Boost 1.74's awaitable.hpp needs it first

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace district::server {

class Connection;

// Threads: `connections`, http_date() and what for_each_connection() calls belong to this thread.
// The rest belongs to the thread that creates it.
class IoThread {
 public:
  using Executor = boost::asio::io_context::executor_type;

  // `every_tick`: called on the thread every kTick.
  explicit IoThread(std::function<void()> every_tick);
  // After it has been stopped; ends what is left of its connections.
  ~IoThread() = default;

  // Throws std::system_error when the system has no more threads.
  void start();
  void stop();

  boost::asio::io_context& context() { return io_; }
  Executor executor() { return io_.get_executor(); }
  // Calls `what` on the thread, later.
  void for_each_connection(std::function<void(Connection&)> what);

  std::unordered_set<Connection*> connections;
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
  boost::asio::io_context io_{1};  // destroyed first: it holds the connections
  boost::asio::steady_timer timer_{io_};
  std::thread thread_;
};

// What a coroutine of an I/O thread is.
template <typename T>
using Awaitable = boost::asio::awaitable<T, IoThread::Executor>;
inline constexpr boost::asio::use_awaitable_t<IoThread::Executor> kAwait;

}  // namespace district::server
