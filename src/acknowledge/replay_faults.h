// Signed faults for replays: one for each repeated signature, kept for a while, and of each sender
// only so many in a time. A gateway that repeats itself costs no signature.
// Source: docs/reference/contract.md section 9.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::acknowledge {

// Threads: any.
class ReplayFaults {
 public:
  struct Answer {
    std::string rejection_id;
    std::string envelope;
    Instant made_at{};
    ErrorCode code = ErrorCode::message_replayed;
  };
  // The answer that is kept under the key, or one that `make` gives; many who come with one key at
  // once get the same, which is made once. nullopt: this signer's replays have cost too many
  // signatures lately. `key` must name everything that the answer depends on.
  std::optional<Answer> give(const Sha256Digest& signer, const std::string& key, Instant now,
                             const std::function<Answer()>& make);

 private:
  // Signatures that a signer's replays may still cost: it refills with time.
  struct Allowance {
    double left = 0;
    Instant counted_at{};
  };
  const Answer* find(const std::string& key, Instant now) const;
  bool take(const Sha256Digest& signer, Instant now);
  void keep(const std::string& key, Answer answer);

  std::mutex mutex_;
  std::condition_variable made_;
  std::unordered_set<std::string> making_;  // keys
  // Those kept lately and those before them: when there are too many, the latter go.
  std::unordered_map<std::string, Answer> answers_, earlier_;
  std::map<Sha256Digest, Allowance> allowances_;
};

}  // namespace district::acknowledge
