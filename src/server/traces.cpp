#include "server/traces.h"

#include <algorithm>

#include "server/server.h"

namespace district::server {
namespace {

constexpr auto kMinute = std::chrono::minutes(1);
// Longer than any part of a path of ours, shorter than an API key, a token or a digest in hex.
constexpr std::size_t kPartOctetsMax = 40, kPathOctetsMax = 200;

}  // namespace

void Traces::write(const std::string& counted_as, std::string_view event,
                   std::initializer_list<observe::Field> fields, Clock::time_point now) {
  {
    const std::lock_guard lock(mutex_);
    if (now - minute_ >= kMinute) {
      end_minute();
      minute_ = now;
    }
    const auto known = peers_.find(counted_as);
    const bool too_many =
        all_.written >= kInAll || (known != peers_.end() && known->second.written >= kPerPeer);
    if (too_many) {
      ++all_.left_out;
      if (known != peers_.end()) ++known->second.left_out;
      return;
    }
    ++all_.written;
    ++peers_[counted_as].written;
  }
  observe::emit(observe::Level::info, event, fields);
}

void Traces::report(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now - minute_ >= kMinute) end_minute();
}

void Traces::end_minute() {
  if (all_.left_out > 0) {
    const auto most = std::max_element(
        peers_.begin(), peers_.end(),
        [](const auto& a, const auto& b) { return a.second.left_out < b.second.left_out; });
    observe::emit(observe::Level::info, "refusals_left_out",
                  {{"count", all_.left_out},
                   {"most_of_peer", most->first},
                   {"of_that_peer", most->second.left_out}});
  }
  all_ = {};
  peers_.clear();
}

std::string path_for_log(std::string_view path) {
  std::string shown;
  while (!path.empty() && shown.size() < kPathOctetsMax) {
    const auto part = path.substr(0, path.find('/', 1));
    if (part.size() > kPartOctetsMax) {
      shown += "/(" + std::to_string(part.size()) + " octets)";
    } else {
      shown += part;
    }
    path.remove_prefix(part.size());
  }
  if (!path.empty()) shown += "...";
  return shown;
}

}  // namespace district::server
