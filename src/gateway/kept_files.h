// Files that are written once: whole or not at all, readable by their owner only, never
// overwritten.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace district::gateway {

// Makes the folder where it is not there. Errors: file_unreadable.
Result<Ok> make_kept_folder(const std::string& folder);

// Whether FOLDER/NAME has exactly this text.
enum class Kept { absent, same, different };
Result<Kept> compare_kept(const std::string& folder, const std::string& name,
                          std::string_view text);

// A temporary file, fsync, rename, fsync of the folder. Errors: file_unreadable; admin_conflict,
// where a file of the name is there.
Result<Ok> write_kept(const std::string& folder, const std::string& name, std::string_view text);

// Writes all of it. Errors: file_unreadable, naming the path.
Result<Ok> write_all(int descriptor, const std::string& path, std::string_view text);

}  // namespace district::gateway
