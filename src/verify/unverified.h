// What a sender may make us read of Bodies that do not turn out to be signed: a captured header can
// be sent with any Body, and is found out at its end only.
// Source: docs/reference/contract.md section 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::verify {

// Threads: any.
class UnverifiedBodies {
 public:
  // Errors: overloaded, when as many Bodies, or as many octets of envelopes, as are allowed have
  // failed under this SignedInfo.
  Result<Ok> check(const Sha256Digest& replay_key, Instant now);
  // One of an envelope of so many octets failed; remembered as long as the header would be
  // accepted.
  void failed(const Sha256Digest& replay_key, std::uint64_t octets, Instant acceptable_until,
              Instant now);

 private:
  struct Failures {
    std::size_t count = 0;
    std::uint64_t octets = 0;
    Instant until{};
  };
  std::mutex mutex_;
  std::map<Sha256Digest, Failures> failures_;  // by replay key
};

// Octets of large envelopes under way, by their signer. Threads: any.
class OctetsUnderWay {
 public:
  // One envelope's part, given back when it is destroyed.
  class Share {
   public:
    Share(OctetsUnderWay& all, const Sha256Digest& signer) : all_(all), signer_(signer) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share();
    // Errors: overloaded.
    Result<Ok> add(std::size_t octets);

   private:
    OctetsUnderWay& all_;
    const Sha256Digest signer_;
    std::uint64_t octets_ = 0;
  };

 private:
  std::mutex mutex_;
  std::map<Sha256Digest, std::uint64_t> octets_;  // by the certificate's SHA-256
};

}  // namespace district::verify
