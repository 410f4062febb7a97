// Import of master data by an administrator. One transaction of the archive writes a leaf of the
// log, the statements and a work item. Another, of the series, writes the facts and marks the
// meters whose KPIs must be computed again. The quantifier computes them.
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

// A statement that holds already changes nothing. If all of them do, nothing is written.
// Errors: archive_unavailable, archive_corrupt.
Result<SiteImportReport> import_statements(store::ArchiveDatabase& archive,
                                           store::SeriesDatabase& series, const std::string& tenant,
                                           const std::vector<MasterFact>& facts, Instant now);

// Does the work item of an import. As with an envelope, it takes effect once, and is done again if
// it broke off. It does not tell the archive. Gives the number of meters that must be computed
// again, or nullopt if the item was done before.
// Errors: archive_unavailable, archive_corrupt.
struct QuantifiedImport {
  std::optional<std::size_t> meters;
  store::SeriesMark mark;
};
Result<QuantifiedImport> quantify_import(store::ArchiveDatabase& archive,
                                         store::SeriesDatabase& series, const SiteImport& import);

// The receipt id of facts that came by an import and not in an envelope: "site-import-12".
std::string receipt_id_of_import(std::uint64_t leaf_index);
// The imported facts, read from the text whose digest is in the import's leaf. Earlier versions did
// not write in which record of its file a fact stood; for their imports it is taken from `stored`,
// the facts of the import that are in use.
// Errors: archive_corrupt.
Result<std::vector<MasterFact>> imported_facts(const SiteImport& import,
                                               const std::vector<MasterFact>& stored);

}  // namespace district::quantify
