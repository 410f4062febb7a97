// Whose a database file is, and of which version: its application_id and user_version, and the
// migrations that bring it to this program's. Private to store/sqlite/.
// Source: sqlite.org/pragma.html#pragma_application_id. Threads: as the connection.
#pragma once

#include <string>

#include "base/error.h"
#include "store/connection.h"

namespace district::store::sqlite {

// Nothing is written before this has passed: a file of somebody else's stays as it is.
// Errors: archive_foreign, archive_unavailable.
Result<Ok> check_identity(Connection& connection, const std::string& path, Schema schema,
                          OpenMode mode);
// Each migration in a transaction of its own; several processes may do it at once.
Result<Ok> migrate(Connection& connection, Schema schema);

}  // namespace district::store::sqlite
