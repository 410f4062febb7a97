// Rejected requests, bounded in number, octets and age, in a file of their own: rejections.db
// beside the archive's. docs/adr/0013-rejections-in-a-file-of-their-own.md.
// Threads: one RejectionStore per thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnosis.h"
#include "base/error.h"
#include "base/time.h"
#include "store/database.h"

namespace district::store {

struct Rejection {
  std::string rejection_id;
  Instant rejected_at{};
  Instant last_at{};        // repetitions get the same answer
  std::uint64_t times = 1;  // that the answer was given
  ErrorCode code = ErrorCode::internal;
  std::string detail, hint;
  std::vector<Violation> violations;
  std::string first_receipt_id;  // of a replay: its first copy's
  Diagnosis diagnosis;           // with its rule
  bool authenticated = false;
  std::string tenant;  // that authenticated; empty: none
  std::string peer, content_type, content_encoding, soap_action;
  std::uint64_t size = 0;     // octets of the raw envelope, as far as it was read
  bool size_is_whole = true;  // else there was more
  // The raw envelope, or its beginning, compressed. Not read by list(). Empty: not kept.
  Bytes raw_zstd;
  std::uint64_t raw_kept = 0;  // octets before compression; less than size: only the beginning
  std::string raw_absent;      // why none is kept
};

// How much is kept. 0: nothing of that kind.
struct RejectionBounds {
  std::uint64_t rows_per_tenant = 10'000;
  std::uint64_t rows_of_others = 20'000;  // of all that did not authenticate
  std::uint64_t raw_octets_per_tenant = std::uint64_t{64} << 20U;  // compressed
  std::uint64_t sample_count = 500;  // raw envelopes of those that did not authenticate
  std::uint64_t sample_octets = std::uint64_t{16} << 20U;  // compressed, of all of these
  std::chrono::hours age{30 * 24};
};

struct RejectionFilter {
  std::optional<std::string> tenant{};  // that authenticated, or whose certificate was presented
  std::optional<Instant> from{}, to{};  // half-open
  std::optional<ErrorCode> code{};
  std::size_t limit = 100;
};

class RejectionStore {
 public:
  // Makes the file where there is none, unless read only. Errors: as of Database::open.
  static Result<std::unique_ptr<RejectionStore>> open(const std::string& path, OpenMode mode);

  // Stores all in one transaction, then removes the oldest beyond the bounds. Of those that did not
  // authenticate, the code with most octets goes first, so that a flood of one code spares others.
  // Errors: archive_unavailable; then none of them is kept.
  Result<Ok> add(std::span<const Rejection> rejections, const RejectionBounds& bounds, Instant now);

  Result<std::vector<Rejection>> list(const RejectionFilter& filter);  // newest first
  Result<Rejection> find(std::string_view rejection_id);               // not_found
  // Compressed octets kept, and of how many envelopes, by tenant; "": those of no tenant.
  struct Usage {
    std::uint64_t rows = 0, raw_count = 0, raw_octets = 0;
  };
  Result<std::map<std::string, Usage>> usage();

 private:
  explicit RejectionStore(std::unique_ptr<RejectionDatabase> database) : db_(std::move(database)) {}
  Result<Ok> insert(const Rejection& rejection);
  Result<Ok> prune(const RejectionBounds& bounds, Instant now);
  Result<Ok> prune_rows(const std::string& tenant, std::uint64_t rows_max);
  Result<Ok> prune_raw(const std::string& tenant, std::uint64_t count_max,
                       std::uint64_t octets_max);

  std::unique_ptr<RejectionDatabase> db_;
  std::optional<std::map<std::string, Usage>> usage_;  // known to the writer after its first look
};

}  // namespace district::store
