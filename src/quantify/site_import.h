// Master data that an administrator states: a leaf of the log, the statements and a work item in
// one transaction; then the facts, and which meters are to be computed anew, in the series. The
// quantifier does the computing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/stored_envelope.h"
#include "store/database.h"
#include "store/series_reader.h"

namespace district::quantify {

struct SiteImportReport {
  std::uint64_t leaf_index = 0;
  std::size_t statements = 0;  // that say something new
  std::size_t meters = 0;      // whose KPIs are computed anew
};

// What is stated already changes nothing, and where all of it is, nothing is written.
// Errors: archive_unavailable, archive_corrupt.
Result<SiteImportReport> import_statements(store::ArchiveDatabase& archive,
                                           store::SeriesDatabase& series, const std::string& tenant,
                                           const std::vector<MasterFact>& facts, Instant now);

// The work item of an import, as the quantifier does those of envelopes: it takes effect once, and
// is done again where it broke off. The archive is not told yet. Gives the number of meters that
// are to be computed anew, or nullopt where it was done before.
// Errors: archive_unavailable, archive_corrupt.
struct QuantifiedImport {
  std::optional<std::size_t> meters;
  store::SeriesMark mark;
};
Result<QuantifiedImport> quantify_import(store::ArchiveDatabase& archive,
                                         store::SeriesDatabase& series, const SiteImport& import);

// What stands for the receipt of an envelope with facts that came in none: "site-import-12".
std::string receipt_id_of_import(std::uint64_t leaf_index);
// What was stated, as its leaf has the digest of it. Earlier versions did not write in which record
// of its file a fact stood: there it is as in `stored`, the facts of the import that are in use.
// Errors: archive_corrupt.
Result<std::vector<MasterFact>> imported_facts(const SiteImport& import,
                                               const std::vector<MasterFact>& stored);

}  // namespace district::quantify
