#include "gateway/kept_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/descriptor.h"

namespace district::gateway {
namespace {

tl::unexpected<Error> cannot_write(const std::string& path, int reason) {
  return fail(ErrorCode::file_unreadable, "cannot write " + path + ": " + std::strerror(reason));
}

// rename() would replace another file of this name.
int rename_to_free_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // The file system cannot do it in one step. The folder is this gateway's own.
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0) return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

Result<Ok> sync_folder(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0) return cannot_write(folder, errno);
  if (::fsync(opened.number()) != 0 && errno != EINVAL) return cannot_write(folder, errno);
  return Ok{};
}

}  // namespace

Result<Ok> write_all(int descriptor, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Result<Ok> make_kept_folder(const std::string& folder) {
  std::error_code problem;
  if (std::filesystem::is_directory(folder, problem)) return Ok{};
  std::filesystem::create_directories(folder, problem);
  if (!problem) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, problem);
  if (problem) return cannot_write(folder, problem.value());
  return Ok{};
}

Result<Kept> compare_kept(const std::string& folder, const std::string& name,
                          std::string_view text) {
  const auto path = folder + "/" + name;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Kept::absent;
    return cannot_write(path, errno);
  }
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.number() < 0) return Kept::different;
  std::array<char, 16 * 1024> block;
  while (true) {
    const ssize_t count = ::read(file.number(), block.data(), block.size());
    if (count < 0) return Kept::different;
    if (count == 0) return text.empty() ? Kept::same : Kept::different;
    const std::string_view part(block.data(), static_cast<std::size_t>(count));
    if (!text.starts_with(part)) return Kept::different;
    text.remove_prefix(part.size());
  }
}

Result<Ok> write_kept(const std::string& folder, const std::string& name, std::string_view text) {
  const auto path = folder + "/" + name;
  auto temporary = folder + "/." + name + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (file.number() < 0) return cannot_write(path, errno);
  auto written = write_all(file.number(), path, text);
  if (written && ::fsync(file.number()) != 0) written = cannot_write(path, errno);
  if (!file.close() && written) written = cannot_write(path, errno);
  if (written) {
    const int problem = rename_to_free_name(temporary, path);
    if (problem == EEXIST) written = fail(ErrorCode::admin_conflict, path + " is there already");
    if (problem != 0 && problem != EEXIST) written = cannot_write(path, problem);
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_folder(folder);
}

}  // namespace district::gateway
