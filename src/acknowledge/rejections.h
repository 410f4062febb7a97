// Keeps what a fault was given for, so that its rejectionId leads to the whole cause:
// districtctl rejection show. Beside the way of the envelope, never in it: whoever answers leaves
// the facts in a bounded queue, and a thread of its own writes them.
// docs/adr/0013-rejections-in-a-file-of-their-own.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "store/rejection_store.h"
#include "verify/verifier.h"

namespace district::acknowledge {

// What was refused. Views: what is kept of it is copied.
struct RefusedRequest {
  std::string_view peer, content_type, content_encoding, soap_action;
  ByteView octets;             // the raw envelope, or its beginning; empty: nothing of it was read
  std::uint64_t size = 0;      // octets that were read
  bool size_is_whole = false;  // else there may have been more
};

class Rejections {
 public:
  // Opens (or makes) the file and starts the thread. Errors: as of store::Database::open.
  static Result<std::unique_ptr<Rejections>> open(const std::string& path,
                                                  const store::RejectionBounds& bounds);
  ~Rejections();  // writes what is waiting, then stops
  Rejections(const Rejections&) = delete;
  Rejections& operator=(const Rejections&) = delete;

  // Never blocks and never fails: what there is no room for is counted, and the log tells the
  // number. `sender`: null unless authenticated. Threads: any.
  void keep(const std::string& rejection_id, Instant now, const Error& error,
            const RefusedRequest& request, const verify::Sender* sender);

 private:
  struct Impl;
  explicit Rejections(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::acknowledge
