// A whole file that somebody named, on a command line or in the configuration. It is read in memory,
// so every kind of file has a bound (limits::k...FileBytesMax).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/error.h"

namespace district {

// The octets of a file, also of a pipe; an empty file is an empty text. Threads: any.
// Errors: file_unreadable, with the system's reason (no such file, no permission, a folder), or more
// than `octets_max`.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t octets_max);

}  // namespace district
