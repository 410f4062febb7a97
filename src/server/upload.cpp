#include "server/upload.h"

#include <utility>

namespace district::server {

std::span<std::byte> Upload::room() {
  const std::lock_guard lock(mutex_);
  writer_waits_ = full_ == kBlocks;
  if (writer_waits_) return {};
  const auto filling = (first_ + full_) % kBlocks;
  auto& block = blocks_[filling];
  block.resize(limits::kBlockOctets);
  return std::span(block).subspan(sizes_[filling]);
}

void Upload::wrote(std::size_t octets) {
  {
    const std::lock_guard lock(mutex_);
    auto& size = sizes_[(first_ + full_) % kBlocks];
    size += octets;
    // Whole blocks only: the reader is not woken for every packet.
    if (size < limits::kBlockOctets) return;
    ++full_;
  }
  changed_.notify_one();
}

void Upload::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    if (full_ < kBlocks && sizes_[(first_ + full_) % kBlocks] > 0) ++full_;
  }
  changed_.notify_one();
}

void Upload::fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    failure_ = std::move(error);
  }
  changed_.notify_one();
}

Result<ByteView> Upload::next() {
  bool wake_writer = false;
  if (std::lock_guard lock(mutex_); reading_) {
    reading_ = false;
    sizes_[first_] = 0;
    first_ = (first_ + 1) % kBlocks;
    --full_;
    wake_writer = std::exchange(writer_waits_, false);
  }
  if (wake_writer) has_room_();

  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return full_ > 0 || ended_; });
  if (failure_) return district::fail(*failure_);
  if (full_ == 0) return ByteView();
  reading_ = true;
  return ByteView(blocks_[first_]).first(sizes_[first_]);
}

}  // namespace district::server
