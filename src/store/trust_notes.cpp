#include "store/trust_notes.h"

namespace district::store {

Result<Instant> trust_changed_at(ArchiveDatabase& database) {
  DISTRICT_TRY(auto row, database.prepare("SELECT changed_at FROM trust_epoch WHERE id = 1"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorCode::archive_corrupt, database.path() + ": no trust epoch");
  return row.instant(0);
}

Result<std::map<std::uint64_t, std::uint64_t>> revoked_enrolments(ArchiveDatabase& database) {
  DISTRICT_TRY(auto row, database.prepare("SELECT revocation_leaf_index, leaf_index FROM enrolment "
                                          "WHERE revocation_leaf_index IS NOT NULL"));
  std::map<std::uint64_t, std::uint64_t> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    found.emplace(row.count(0), row.count(1));
  }
}

}  // namespace district::store
