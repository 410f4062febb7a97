#include "store/sqlite/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/bytes.h"

namespace district::store::sqlite {

std::string system_text(int code) {
  return std::error_code(code, std::generic_category()).message();
}

Result<Ok> check_file(const std::string& path, OpenMode mode) {
  namespace fs = std::filesystem;
  std::error_code status;
  const auto folder =
      fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, status)) {
    return fail(ErrorCode::file_unreadable, "no folder " + folder.string() + " for the database",
                "make it (mkdir -p) or correct the setting of the data folder");
  }
  const auto kind = fs::status(path, status).type();
  if (kind == fs::file_type::regular) return Ok{};
  if (kind != fs::file_type::not_found) {
    return fail(ErrorCode::file_unreadable, path + " is not a regular file",
                "name a regular file; the server keeps district.db in the data folder");
  }
  if (mode != OpenMode::create) {
    return fail(ErrorCode::file_unreadable, "no database at " + path,
                "start districtd once, which makes it, or correct the setting of the data folder");
  }
  // SQLite gives its side files the same mode.
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) {
    return fail(ErrorCode::file_unreadable, "cannot make " + path + ": " + system_text(errno),
                "the folder must be writable for the user who runs this");
  }
  ::close(file);
  return Ok{};
}

std::string immutable_uri(const std::string& path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    if (kPlain.find(c) != std::string_view::npos) {
      uri += c;
      continue;
    }
    uri += '%' + to_hex(as_bytes(std::string_view(&c, 1)));
  }
  return uri + "?immutable=1";
}

bool cannot_write_beside(const std::string& path) {
  const auto folder = std::filesystem::absolute(path).parent_path();
  return ::access(folder.c_str(), W_OK) != 0 && (errno == EACCES || errno == EROFS);
}

Result<Ok> check_is_whole(const std::string& path) {
  for (const auto& file : {path, path + "-wal", path + "-shm"}) {
    if (::access(file.c_str(), R_OK) == 0 || errno == ENOENT) continue;
    return fail(ErrorCode::archive_unavailable, "cannot read " + file + ": " + system_text(errno),
                "this user must be allowed to read the database with its -wal and -shm files; or "
                "run it as the user of the server: sudo -u district districtctl ...");
  }
  std::error_code no_log, unknown;
  const auto size = std::filesystem::file_size(path + "-wal", no_log);
  const bool in_use = std::filesystem::exists(path + "-shm", unknown);
  if (!in_use && (no_log || size == 0)) return Ok{};
  return fail(ErrorCode::archive_unavailable,
              path +
                  "-wal holds commits that are not in the database file yet, and here they "
                  "cannot be read: nothing can be written beside it",
              "copy the database and its -wal file to a folder that you may write, and name that "
              "by --data; or make a backup, which is one file: sqlite3 " +
                  path + " \".backup COPY\"");
}

}  // namespace district::store::sqlite
