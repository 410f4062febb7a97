// A whole file that somebody named, on a command line or in the configuration.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"

namespace district {

// The octets of a file; an empty file is an empty text. Threads: any.
// Errors: file_unreadable, with the system's reason (no such file, no permission, a folder).
Result<std::string> read_file(const std::filesystem::path& path);

}  // namespace district
