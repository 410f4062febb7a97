#include "server/traces.h"

#include <algorithm>

namespace district::server {
namespace {

constexpr auto kMinute = std::chrono::minutes(1);

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

}  // namespace district::server
