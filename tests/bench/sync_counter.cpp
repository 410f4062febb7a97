// Counts how often a program waits for the disk. Preloaded (LD_PRELOAD), it stands before the C
// library's fsync and fdatasync, adds one to a counter, and calls the real one.
// The counter is the first 8 octets of the file that DISTRICT_SYNC_COUNT names, mapped into memory
// and shared, so that others read it while the program runs. Without the variable it counts
// nothing.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

namespace {

std::atomic<std::uint64_t>* map_counter() {
  const char* path = std::getenv("DISTRICT_SYNC_COUNT");
  if (path == nullptr) return nullptr;
  const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  void* page = MAP_FAILED;
  if (::ftruncate(file, sizeof(std::uint64_t)) == 0) {
    page = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  }
  ::close(file);
  return page == MAP_FAILED ? nullptr : static_cast<std::atomic<std::uint64_t>*>(page);
}

void count() {
  static std::atomic<std::uint64_t>* const counter = map_counter();
  if (counter != nullptr) counter->fetch_add(1, std::memory_order_relaxed);
}

template <typename Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int file) {
  static const auto call = real<int (*)(int)>("fsync");
  count();
  return call(file);
}

int fdatasync(int file) {
  static const auto call = real<int (*)(int)>("fdatasync");
  count();
  return call(file);
}

}  // extern "C"
