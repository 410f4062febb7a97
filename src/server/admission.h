// Who may come in: counts of connections, in total and per peer, and of octets held for bodies.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace district::server {

// Counts connections. Threads: any.
class Admission {
 public:
  Admission(std::size_t max, std::size_t per_peer_max) : max_(max), per_peer_max_(per_peer_max) {}

  // One admitted connection, counted until it is destroyed.
  class Slot {
   public:
    Slot(Admission& all, std::string peer) : all_(&all), peer_(std::move(peer)) {}
    Slot(Slot&& other) noexcept
        : all_(std::exchange(other.all_, nullptr)), peer_(std::move(other.peer_)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (all_ != nullptr) all_->release(peer_);
    }
    const std::string& peer() const { return peer_; }  // as admit() was given it

   private:
    Admission* all_;
    std::string peer_;
  };

  // nullopt: too many.
  std::optional<Slot> admit(const std::string& peer);

  // Most places are taken: time to keep some headroom for those who come new.
  bool crowded() const { return count_ >= max_ - max_ / 8; }

  // false: time out.
  bool wait_until_none(std::chrono::milliseconds at_most);

 private:
  void release(const std::string& peer);

  const std::size_t max_, per_peer_max_;
  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::condition_variable none_;
  std::map<std::string, std::size_t> per_peer_;
};

// The octets of all bodies under way in one direction. Threads: any.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t max) : max_(max) {}

  // One request's part, given back when it is destroyed.
  class Share {
   public:
    explicit Share(BodyBudget& all) : all_(all) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { all_.used_ -= octets_; }
    // false: there is no room for that many.
    bool grow_to(std::size_t octets);

   private:
    BodyBudget& all_;
    std::size_t octets_ = 0;
  };

 private:
  const std::size_t max_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace district::server
