// The owner of a file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace district {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}  // below 0: none
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  // false: it could not be closed. Some file systems tell of a full disk only here.
  bool close() {
    const int closed = std::exchange(number_, -1);
    return closed < 0 || ::close(closed) == 0;
  }

 private:
  int number_;
};

}  // namespace district
