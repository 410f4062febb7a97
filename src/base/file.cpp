#include "base/file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace district {

Result<std::string> read_file(const std::filesystem::path& path) {
  const auto unreadable = [&path] {
    return fail(ErrorCode::file_unreadable,
                "cannot read " + path.string() + ": " + std::strerror(errno != 0 ? errno : EIO),
                "check the path and that this user may read it");
  };
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable();
  std::string content;
  std::array<char, 16 * 1024> block;
  while (file.read(block.data(), block.size()) || file.gcount() > 0) {
    content.append(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  // A folder can be opened, and fails only when it is read.
  if (file.bad()) return unreadable();
  return content;
}

}  // namespace district
