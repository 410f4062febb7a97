// What can be told of a database file before SQLite sees it, whose "unable to open database file"
// says little. Private to store/sqlite/. Threads: any.
#pragma once

#include <string>

#include "base/error.h"
#include "store/connection.h"

namespace district::store::sqlite {

// With OpenMode::create it makes the file where there is none, so that others on the machine cannot
// read it. Errors: file_unreadable.
Result<Ok> check_file(const std::string& path, OpenMode mode);

// SQLite needs a file beside a database in WAL mode, and cannot make it where nothing may be
// written.
bool cannot_write_beside(const std::string& path);
// It is not needed where the file alone is the database: after a clean shutdown, and in a backup.
// Errors: archive_unavailable, where it is not.
Result<Ok> check_is_whole(const std::string& path);
// For SQLite: the file is to be read without locks and without a file beside it.
// Source: sqlite.org/uri.html section 3.1.
std::string immutable_uri(const std::string& path);

std::string system_text(int code);  // of an errno

}  // namespace district::store::sqlite
