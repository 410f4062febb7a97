// A line in the log for what ends before it is a message: a refused handshake or request, a body or
// an answer that was cut off. So many a minute for each peer and in all, since anybody can cause
// them; a further line says how many were left out. Private to server/.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "observe/events.h"

namespace district::server {

// Threads: any.
class Traces {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kPerPeer = 30, kInAll = 300;  // lines of a minute

  // `counted_as`: the peer as Admission counts it.
  void write(const std::string& counted_as, std::string_view event,
             std::initializer_list<observe::Field> fields, Clock::time_point now = Clock::now());
  // Says what was left out in a minute that is over.
  void report(Clock::time_point now);

 private:
  struct Lines {
    std::size_t written = 0;
    std::uint64_t left_out = 0;
  };
  void end_minute();

  std::mutex mutex_;
  Clock::time_point minute_{};
  Lines all_;
  std::map<std::string, Lines> peers_;  // those with lines: not more than kInAll
};

}  // namespace district::server
