// What is noted of changes of trust beside their rows, for the check of the log. Reads only.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one Database per thread at a time.
#pragma once

#include <cstdint>
#include <map>

#include "base/error.h"
#include "base/time.h"
#include "store/database.h"

namespace district::store {

// When the trust epoch was raised last.
Result<Instant> trust_changed_at(ArchiveDatabase& database);

// The leaf of each revocation, with the leaf of the enrolment that it ended.
Result<std::map<std::uint64_t, std::uint64_t>> revoked_enrolments(ArchiveDatabase& database);

}  // namespace district::store
