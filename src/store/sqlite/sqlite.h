// The embedded engine: each database is a file of SQLite's, with a write-ahead log beside it.
// Source: sqlite.org/c3ref/intro.html, sqlite.org/wal.html.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "store/connection.h"

namespace district::store::sqlite {

// `path`: of the file, or Location::kScratch. Sets WAL, synchronous=FULL (but for rejections),
// foreign keys and a busy time-out of 10 s, and runs the migrations. Writers of one process take
// over from each other at once; those of another one SQLite looks for ever more seldom, at last
// every 100 ms.
// Errors: archive_foreign (not ours, or newer than we are), archive_unavailable, file_unreadable.
Result<std::unique_ptr<Connection>> connect(const std::string& path, Schema schema, OpenMode mode);

}  // namespace district::store::sqlite
