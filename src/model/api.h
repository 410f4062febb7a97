// The query API as its two sides see it: server/ takes requests off the network, query/ answers
// them, and neither includes the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "model/http.h"

namespace district {

inline constexpr std::string_view kApiPath = "/api/v1";  // and all below it
inline constexpr std::size_t kApiThreads = 2;

// A GET or HEAD below kApiPath. Fields are as sent; empty: there was none.
struct ApiRequest {
  std::string path;   // the whole of it
  std::string query;  // without "?"
  std::string authorization, accept, if_none_match;
  std::string range, if_range;  // empty with HEAD, for which they mean nothing
  // Whose key the client proved to have in TLS. Whether it is enrolled is for query/ to find out.
  std::optional<Sha256Digest> client_certificate;
  std::string peer;
};

// What became of an answer's body on the way to the client.
struct Sent {
  std::uint64_t octets = 0;   // that the client's system has taken, as far as ours knows
  const char* cut = nullptr;  // why the rest was not sent; null: all was
};

// Answers what is asked below kApiPath.
class ApiHandler {
 public:
  virtual ~ApiHandler() = default;
  // On one of kApiThreads threads, which do nothing else; may block. A HEAD is answered as a GET:
  // the front leaves the body out, as it does with status 304.
  virtual HttpResponse get(const ApiRequest& request) = 0;
  // Once for each request that get() was called for, before the first octet of its answer is sent.
  // The answer may be another than get() gave. On an I/O thread; must not block.
  virtual void answering(const ApiRequest& /*request*/, const HttpResponse& /*answer*/) {}
  // Once after answering(), when all is sent or cut. As above.
  virtual void sent(const ApiRequest& /*request*/, const HttpResponse& /*answer*/,
                    const Sent& /*sent*/) {}
};

}  // namespace district
