// Master data that an administrator states: a leaf of the log, the statements, and which meters are
// to be computed anew, in one transaction. The quantifier does the computing.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "store/database.h"

namespace district::quantify {

struct SiteImportReport {
  std::uint64_t leaf_index = 0;
  std::size_t statements = 0;  // that say something new
  std::size_t meters = 0;      // whose KPIs are computed anew
};

// What is stated already changes nothing, and where all of it is, nothing is written.
// Errors: archive_unavailable, archive_corrupt.
Result<SiteImportReport> import_statements(store::Database& database, const std::string& tenant,
                                           const std::vector<MasterFact>& facts, Instant now);

}  // namespace district::quantify
