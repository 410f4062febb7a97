// Answers 503 to many at once: a fault is made once a second for each version of SOAP and given to
// all, so that a refusal costs next to nothing. Private to server/.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/error.h"
#include "model/http.h"

namespace district::server {

class Application;

// Nothing is dropped silently: the fault's rejectionId stands in the log with its first refusal,
// and once more with the number of those that were given it.
// Threads: any.
class Refusals {
 public:
  using Clock = std::chrono::steady_clock;

  std::shared_ptr<const HttpResponse> give(Application& application, const Error& why,
                                           std::string_view content_type, std::string_view peer,
                                           Clock::time_point now);
  // Writes the lines of the seconds that are over.
  void report(Clock::time_point now);

 private:
  struct Slice {
    std::shared_ptr<const HttpResponse> answer;  // null: none has begun
    Clock::time_point begin{};
    std::uint64_t count = 0;
  };
  static void end(Slice& slice);

  std::mutex mutex_;
  std::array<Slice, 2> slices_;  // by version of SOAP
};

}  // namespace district::server
