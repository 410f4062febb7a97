#include "archive/stored_octets.h"

#include <string>

namespace district::archive {

StoredOctets::StoredOctets(store::ArchiveReader& archive, const StoredEnvelope& envelope)
    : archive_(archive), envelope_(envelope), frame_([this] { return next_chunk(); }) {}

Result<ByteView> StoredOctets::next() {
  if (failed_) return fail(*failed_);
  if (ended_) return ByteView{};
  auto block = read();
  if (!block) failed_ = std::make_unique<const Error>(block.error());
  if (block && block->empty()) ended_ = true;
  return block;
}

Result<ByteView> StoredOctets::read() {
  auto block = frame_.next();
  if (!block && block.error().code == ErrorCode::archive_corrupt) {
    return corrupt("the stored octets cannot be unpacked: " + block.error().detail);
  }
  if (!block) return block;
  raw_size_ += block->size();
  if (raw_size_ > envelope_.raw_size) return corrupt("more octets are stored than were received");
  if (!block->empty()) {
    sha256_.update(*block);
    return block;
  }
  if (raw_size_ != envelope_.raw_size) {
    return corrupt("fewer octets are stored than were received");
  }
  if (sha256_.finish() != envelope_.payload_digest) {
    return corrupt("the stored octets do not match their recorded digest");
  }
  return block;
}

Result<Bytes> StoredOctets::next_chunk() {
  if (chunks_ != 0 && stored_size_ == envelope_.stored_size) return Bytes{};
  DISTRICT_TRY(auto chunk, archive_.raw_chunk(envelope_, chunks_));
  ++chunks_;
  stored_size_ += chunk.size();
  if (chunk.empty() ? stored_size_ != envelope_.stored_size
                    : stored_size_ > envelope_.stored_size) {
    return fail(ErrorCode::archive_corrupt, "chunk " + std::to_string(chunks_ - 1) +
                                                " is missing, or of another size than recorded");
  }
  return chunk;
}

tl::unexpected<Error> StoredOctets::corrupt(const std::string& what) const {
  return fail(ErrorCode::archive_corrupt, "envelope " + envelope_.receipt_id + ": " + what,
              "restore the database from a backup; 'districtctl log verify' checks all of it");
}

Result<Bytes> read_octets(store::ArchiveReader& archive, const StoredEnvelope& envelope) {
  StoredOctets stored(archive, envelope);
  Bytes octets;
  while (true) {
    DISTRICT_TRY(const auto block, stored.next());
    if (block.empty()) return octets;
    octets.insert(octets.end(), block.begin(), block.end());
  }
}

}  // namespace district::archive
