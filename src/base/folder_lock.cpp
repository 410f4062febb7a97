#include "base/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace district {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(ErrorCode::archive_unavailable,
                "cannot open the folder " + folder.string() + ": " + std::strerror(errno),
                "data.folder must be a folder that this user may read and write");
  }
  FolderLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) {
    return fail(ErrorCode::archive_unavailable,
                "cannot lock the folder " + folder.string() + ": " + std::strerror(errno),
                "data.folder must be on a file system of this machine");
  }
  return fail(ErrorCode::data_in_use, "another server uses the folder " + folder.string(),
              "stop it first, or give this one a data.folder of its own");
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace district
