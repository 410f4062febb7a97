// Whether the file's own structures are what this program makes. Private to store/sqlite/.
// Errors of every function: archive_unavailable, archive_corrupt. Threads: as the connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/connection.h"

namespace district::store::sqlite {

// Tables, indexes, triggers and views that a new database has otherwise, has not, or has and this
// one has not; a line each.
Result<std::vector<std::string>> schema_differences(Connection& connection, Schema schema);

// What SQLite finds wrong with pages, rows and indexes (PRAGMA integrity_check), such as a row that
// an index leaves out; a line each, at most 100. Reads all of the file.
Result<std::vector<std::string>> damaged_pages(Connection& connection);

// SQL without comments, and with no more space than it needs; what is quoted stays as it is.
std::string plain_sql(std::string_view sql);

}  // namespace district::store::sqlite
