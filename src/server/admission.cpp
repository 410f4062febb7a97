#include "server/admission.h"

namespace district::server {

std::optional<Admission::Slot> Admission::admit(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  if (count_ >= max_) return std::nullopt;
  auto& of_peer = per_peer_[peer];
  if (of_peer >= per_peer_max_) return std::nullopt;
  ++of_peer;
  ++count_;
  return Slot(*this, peer);
}

void Admission::release(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  const auto of_peer = per_peer_.find(peer);
  if (--of_peer->second == 0) per_peer_.erase(of_peer);
  if (--count_ == 0) none_.notify_all();
}

bool Admission::wait_until_none(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, at_most, [this] { return count_ == 0; });
}

bool BodyBudget::Share::grow_to(std::size_t octets) {
  if (octets <= octets_) return true;
  const std::size_t more = octets - octets_;
  if (all_.used_.fetch_add(more) + more > all_.max_) {
    all_.used_ -= more;
    return false;
  }
  octets_ = octets;
  return true;
}

}  // namespace district::server
