#include "verify/unverified.h"

#include "base/limits.h"

namespace district::verify {

Result<Ok> UnverifiedBodies::check(const Sha256Digest& replay_key, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(replay_key);
  if (found == failures_.end() || found->second.until < now ||
      (found->second.count < limits::kFailedBodiesMax &&
       found->second.octets < limits::kFailedOctetsMax)) {
    return Ok{};
  }
  return fail(ErrorCode::overloaded,
              "this signature was sent with " + std::to_string(found->second.count) +
                  " Bodies that it does not sign",
              "somebody may be sending a captured header; its sender composes and signs anew");
}

void UnverifiedBodies::failed(const Sha256Digest& replay_key, std::uint64_t octets,
                              Instant acceptable_until, Instant now) {
  const std::lock_guard lock(mutex_);
  if (const auto known = failures_.find(replay_key); known != failures_.end()) {
    ++known->second.count;
    known->second.octets += octets;
    return;
  }
  if (failures_.size() >= limits::kFailedBodiesRemembered)
    std::erase_if(failures_, [&](const auto& entry) { return entry.second.until < now; });
  // Each costs a signature of an enrolled key, so that nobody else can fill it.
  if (failures_.size() >= limits::kFailedBodiesRemembered) failures_.erase(failures_.begin());
  failures_.emplace(replay_key, Failures{1, octets, acceptable_until});
}

OctetsUnderWay::Share::~Share() {
  if (octets_ == 0) return;
  const std::lock_guard lock(all_.mutex_);
  const auto found = all_.octets_.find(signer_);
  found->second -= octets_;
  if (found->second == 0) all_.octets_.erase(found);
}

Result<Ok> OctetsUnderWay::Share::add(std::size_t octets) {
  const std::lock_guard lock(all_.mutex_);
  auto& sum = all_.octets_[signer_];
  if (sum + octets > limits::kOctetsUnderWayPerSignerMax) {
    if (sum == 0) all_.octets_.erase(signer_);
    return fail(ErrorCode::overloaded,
                "too many octets of large envelopes of this signer under way");
  }
  sum += octets;
  octets_ += octets;
  return Ok{};
}

}  // namespace district::verify
