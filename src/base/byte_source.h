// Octets that come in blocks: from memory, from the network, from the archive.
#pragma once

#include "base/bytes.h"
#include "base/error.h"

namespace district {

// Threads: one at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // The next octets, valid until the next call; empty at the end, and from then on. Blocks until
  // there are some. After an error there is nothing more to be had.
  virtual Result<ByteView> next() = 0;
  // Whether it is known, without waiting, that there are no more.
  virtual bool at_end() const { return false; }
};

// Octets that are all there.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteView octets) : octets_(octets) {}
  Result<ByteView> next() override {
    const ByteView all = octets_;
    octets_ = {};
    return all;
  }
  bool at_end() const override { return octets_.empty(); }

 private:
  ByteView octets_;
};

}  // namespace district
