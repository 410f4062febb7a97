// Whether the database's own structures are what this program makes: whoever changes an index or
// plants a trigger changes what every other check reads. Reads only.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one Database per thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/database.h"

namespace district::store {

// Tables, indexes, triggers and views that a new database has otherwise, has not, or has and this
// one has not; a line each.
Result<std::vector<std::string>> schema_differences(ArchiveDatabase& database);
Result<std::vector<std::string>> schema_differences(SeriesDatabase& database);

// What SQLite finds wrong with pages, rows and indexes (PRAGMA integrity_check), such as a row that
// an index leaves out; a line each, at most 100. Reads all of the file.
Result<std::vector<std::string>> damaged_structures(Database& database);

// SQL without comments, and with no more space than it needs; what is quoted stays as it is.
std::string plain_sql(std::string_view sql);

}  // namespace district::store
