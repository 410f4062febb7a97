// A disk whose fsync of the write-ahead log fails on demand, after the octets were handed to it:
// whoever commits cannot know what a crash would leave of the commit.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <stdexcept>

namespace district::test {

// Databases that are opened while it lives fail when told to. One at a time.
class FailingSync {
 public:
  FailingSync() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.zName = "failing-sync";
    vfs_.xOpen = &FailingSync::open;
    real() = real_;
    if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error("no VFS");
  }
  ~FailingSync() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    fails() = false;
  }
  FailingSync(const FailingSync&) = delete;
  FailingSync& operator=(const FailingSync&) = delete;

  static std::atomic<bool>& fails() {
    static std::atomic<bool> fails = false;
    return fails;
  }

 private:
  static sqlite3_vfs*& real() {
    static sqlite3_vfs* real = nullptr;
    return real;
  }
  // Of a write-ahead log: as the real disk has them, but for sync.
  static sqlite3_io_methods& methods() {
    static sqlite3_io_methods methods{};
    return methods;
  }
  static int (*&real_sync())(sqlite3_file*, int) {
    static int (*sync)(sqlite3_file*, int) = nullptr;
    return sync;
  }

  static int open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out) {
    const int status = real()->xOpen(real(), name, file, flags, out);
    if (status != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return status;
    methods() = *file->pMethods;
    real_sync() = methods().xSync;
    methods().xSync = &FailingSync::sync;
    file->pMethods = &methods();
    return status;
  }
  static int sync(sqlite3_file* file, int flags) {
    return fails() ? SQLITE_IOERR_FSYNC : real_sync()(file, flags);
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace district::test
