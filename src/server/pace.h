// How long a body may take, one that arrives or one that is sent. Private to server/.
#pragma once

#include <chrono>
#include <cstdint>

#include "server/settings.h"

namespace district::server {

// Time in which we do not want to read does not count. Threads: one at a time.
class Pace {
 public:
  // `grace`: the time before the minimum rate counts.
  Pace(const Settings& settings, std::chrono::milliseconds grace)
      : settings_(settings), grace_(grace), begin_(std::chrono::steady_clock::now()) {}

  // When the next octet must have passed, after `octets` of them have.
  std::chrono::steady_clock::time_point deadline(std::uint64_t octets) const;
  void pause() { paused_ = std::chrono::steady_clock::now(); }
  void resume() { begin_ += std::chrono::steady_clock::now() - paused_; }

 private:
  const Settings& settings_;
  const std::chrono::milliseconds grace_;
  std::chrono::steady_clock::time_point begin_, paused_;
};

}  // namespace district::server
