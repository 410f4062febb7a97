// The raw envelope as it was received, read back from the archive block by block in flat memory.
#pragma once

#include <cstdint>
#include <memory>

#include "archive/compression.h"
#include "base/byte_source.h"
#include "crypto/digest.h"
#include "store/archive_reader.h"

namespace district::archive {

// The end is reached only when size and SHA-256 of all of them are found to be the recorded ones;
// until then what comes is not to be relied on. Holds no transaction between two blocks.
// Threads: as its ArchiveReader.
class StoredOctets final : public ByteSource {
 public:
  // Keeps a reference to the store.
  StoredOctets(store::ArchiveReader& archive, const StoredEnvelope& envelope);

  // Errors: archive_corrupt, archive_unavailable.
  Result<ByteView> next() override;

 private:
  Result<ByteView> read();
  Result<Bytes> next_chunk();
  tl::unexpected<Error> corrupt(const std::string& what) const;

  store::ArchiveReader& archive_;
  const StoredEnvelope envelope_;
  FrameReader frame_;
  crypto::Sha256 sha256_;
  std::uint64_t chunks_ = 0, stored_size_ = 0, raw_size_ = 0;
  std::unique_ptr<const Error> failed_;
  bool ended_ = false;
};

// All of them at once, for whoever needs the whole. Errors: those of StoredOctets.
Result<Bytes> read_octets(store::ArchiveReader& archive, const StoredEnvelope& envelope);

}  // namespace district::archive
