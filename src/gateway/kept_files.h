// Files that are written once: completely or not at all, readable only by their owner, and never
// overwritten.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace district::gateway {

// Makes the folder if there is none. Errors: file_unreadable.
Result<Ok> make_kept_folder(const std::string& folder);

// Whether FOLDER/NAME has exactly this text.
enum class Kept { absent, same, different };
Result<Kept> compare_kept(const std::string& folder, const std::string& name,
                          std::string_view text);

// Writes a temporary file, syncs and renames it, and syncs the folder. Errors: file_unreadable;
// admin_conflict when there is a file of this name.
Result<Ok> write_kept(const std::string& folder, const std::string& name, std::string_view text);

// Writes all of it. Errors: file_unreadable, naming the path.
Result<Ok> write_all(int descriptor, const std::string& path, std::string_view text);

}  // namespace district::gateway
