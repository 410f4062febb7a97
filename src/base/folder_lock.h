// Keeps a folder for one process: a second server would take the envelopes that the first one is
// still receiving for left-overs. The system gives it back when the process ends, however it does.
// Source: flock(2); the folder itself is locked, so that no file is left behind.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace district {

// Threads: one at a time.
class FolderLock {
 public:
  // Errors: data_in_use (another process has it), archive_unavailable (no such folder, no
  // permission).
  static Result<FolderLock> take(const std::filesystem::path& folder);

  FolderLock(FolderLock&& other) noexcept;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace district
