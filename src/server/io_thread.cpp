#include "server/io_thread.h"

#include <pthread.h>

#include <boost/asio/post.hpp>
#include <cstdio>
#include <utility>
#include <vector>

#include "server/connection.h"

namespace district::server {
namespace {

// Whatever the locale.
std::string imf_fixdate(std::time_t at) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  ::gmtime_r(&at, &utc);
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays[utc.tm_wday], utc.tm_mday, kMonths[utc.tm_mon],
                                   utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace

IoThread::IoThread(std::function<void()> every_tick) : every_tick_(std::move(every_tick)) {}

void IoThread::start() {
  tick();
  thread_ = std::thread([this] { io_.run(); });
  ::pthread_setname_np(thread_.native_handle(), "district-io");  // for top and perf
}

void IoThread::stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void IoThread::for_each_connection(std::function<void(Connection&)> what) {
  boost::asio::post(io_, [this, what = std::move(what)] {
    for (auto* connection : connections) what(*connection);
  });
}

// One timer looks after the deadlines of all connections: a timer for each would be set and
// cancelled several times in each request.
void IoThread::tick() {
  const auto now = std::chrono::steady_clock::now();
  closed_for_room_ = 0;
  for (auto* connection : connections) connection->enforce_deadline(now);
  every_tick_();
  timer_.expires_after(kTick);
  timer_.async_wait([this](boost::system::error_code stopped) {
    if (!stopped) tick();
  });
}

std::string_view IoThread::http_date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_of_) {
    date_ = imf_fixdate(now);
    date_of_ = now;
  }
  return date_;
}

}  // namespace district::server
