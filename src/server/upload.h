// A large body on its way from the network to the thread that reads it: a few blocks, so that
// memory stays flat and a slow reader slows the sender down. Private to server/.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "base/byte_source.h"
#include "base/limits.h"

namespace district::server {

// Threads: one that writes and must not block, one that reads and may.
class Upload final : public ByteSource {
 public:
  static constexpr std::size_t kBlocks = 4;
  static constexpr std::size_t kOctetsMax = kBlocks * limits::kBlockOctets;

  // `has_room` is called on the reader's thread when there is room again after there was none.
  explicit Upload(std::function<void()> has_room) : has_room_(std::move(has_room)) {}

  // Where the next octets go. Empty: no room until `has_room` is called.
  std::span<std::byte> room();
  // So many octets have been written to the beginning of room().
  void wrote(std::size_t octets);
  // All has come.
  void finish();
  // The rest will never come. Without effect after finish() or another fail().
  void fail(Error error);

  // Errors: what fail() was given. It does not wait for blocks before it to be read.
  Result<ByteView> next() override;

 private:
  const std::function<void()> has_room_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // A ring: `full_` blocks from `first_` on are to be read, the one after them is being filled.
  std::array<Bytes, kBlocks> blocks_;
  std::array<std::size_t, kBlocks> sizes_{};
  std::size_t first_ = 0, full_ = 0;
  bool reading_ = false;  // the reader still uses the first block
  bool writer_waits_ = false;
  bool ended_ = false;
  std::optional<Error> failure_;
};

}  // namespace district::server
