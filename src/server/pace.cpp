#include "server/pace.h"

#include <algorithm>

namespace district::server {
namespace {

// Settings::body is the time for so many octets of a body.
constexpr std::uint64_t kPaceOctets = 32 * 1024 * 1024;

}  // namespace

// At the minimum rate the next octets would be here by then.
std::chrono::steady_clock::time_point Pace::deadline(std::uint64_t octets) const {
  const auto parts = static_cast<std::int64_t>(octets / kPaceOctets);
  const auto at_rate =
      std::chrono::milliseconds(1000 * octets / settings_.body_octets_per_second_min);
  return begin_ + std::min(settings_.body * (1 + parts), grace_ + at_rate);
}

}  // namespace district::server
