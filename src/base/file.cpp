#include "base/file.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace district {

namespace {

// "4 MiB", "1000 octets"
std::string spelled(std::size_t octets) {
  constexpr std::size_t kMebi = 1024 * 1024;
  if (octets >= kMebi && octets % kMebi == 0) return std::to_string(octets / kMebi) + " MiB";
  return std::to_string(octets) + " octets";
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, std::size_t octets_max,
                              const char* too_large) {
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
    const auto count = static_cast<std::size_t>(file.gcount());
    if (count > octets_max - content.size()) {
      return fail(ErrorCode::file_unreadable,
                  path.string() + " has more than " + spelled(octets_max) +
                      ", which is the most that is read of such a file",
                  too_large);
    }
    content.append(block.data(), count);
  }
  // A folder can be opened, and fails only when it is read.
  if (file.bad()) return unreadable();
  return content;
}

}  // namespace district
