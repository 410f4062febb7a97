// Tenants and enrolments. Every change is a row and a leaf of the log in one transaction, and
// raises trust_epoch; nothing is ever deleted.
// Threads: one TrustStore per thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/trust.h"
#include "store/database.h"

namespace district::store {

struct TrustRecords {
  std::uint64_t epoch = 0;
  std::vector<Tenant> tenants;        // all versions of all tenants, in the order of their leaves
  std::vector<Enrolment> enrolments;  // in the order in which they were made
};

// One change, and the text of its leaf.
struct TrustChange {
  enum class Kind { tenant, enrol, revoke } kind = Kind::tenant;
  Tenant tenant;        // with kind tenant
  Enrolment enrolment;  // with kind enrol or revoke; for revoke, load()'s with revoked_at set
  std::string log_entry;
};

// A change as its rows state it now, for comparing it with its leaf. log_entry is empty.
struct RecordedChange {
  std::uint64_t leaf_index = 0;
  Instant at{};
  TrustChange change;
};

class TrustStore {
 public:
  explicit TrustStore(ArchiveDatabase& database) : db_(database) {}

  Result<std::uint64_t> epoch();
  Result<Instant> changed_at();  // when the epoch was raised last
  Result<TrustRecords> load();

  // Calls `decide` inside the write transaction, with the stored records and the change's time:
  // `now`, or just after the last change if that is later. Stores all the changes that it gives, or
  // none. A change takes effect with its leaf, not at its time. Errors: those of `decide`,
  // archive_unavailable, archive_corrupt.
  Result<Ok> change(
      Instant now,
      const std::function<Result<std::vector<TrustChange>>(const TrustRecords&, Instant)>& decide);

  // All changes, in the order of their leaves.
  Result<std::vector<RecordedChange>> recorded_changes();

 private:
  Result<Ok> insert_tenant(const Tenant& tenant, std::uint64_t leaf_index);
  Result<Ok> insert_enrolment(const Enrolment& enrolment, std::uint64_t leaf_index);
  Result<Ok> revoke(const Enrolment& enrolment, std::uint64_t leaf_index);

  ArchiveDatabase& db_;
};

}  // namespace district::store
