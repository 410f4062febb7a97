// Signed faults for replays, kept for a while: a gateway that repeats itself costs no signature.
// Source: contract.md "Faults".
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/time.h"

namespace district::acknowledge {

// Threads: any.
class ReplayFaults {
 public:
  struct Answer {
    std::string rejection_id;
    std::string envelope;
    Instant made_at{};
  };
  // `key` must name everything that the answer depends on. nullopt: none, or too old.
  std::optional<Answer> find(const std::string& key, Instant now) const;
  void keep(const std::string& key, Answer answer);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Answer> answers_;
};

}  // namespace district::acknowledge
