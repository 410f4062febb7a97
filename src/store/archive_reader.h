// Reads envelopes with their octets, and imports of master data.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one ArchiveReader per thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/stored_envelope.h"
#include "store/database.h"

namespace district::store {

struct EnvelopeFilter {
  std::optional<std::string> tenant{};
  std::optional<Instant> from{}, to{};        // of received_at, half-open
  std::optional<std::uint64_t> after_leaf{};  // for paging
  std::optional<Sha256Digest> signer{};       // its certificate
  bool newest_first = false;                  // else in leaf order
  std::size_t limit = 1000;
};

class ArchiveReader {
 public:
  explicit ArchiveReader(ArchiveDatabase& archive) : db_(archive) {}

  Result<std::vector<StoredEnvelope>> list(const EnvelopeFilter& filter);
  Result<StoredEnvelope> find(std::string_view receipt_id);  // not_found
  Result<std::optional<StoredEnvelope>> of_leaf(std::uint64_t leaf_index);

  // Chunk `chunk_index` of the compressed octets; empty where there is no such chunk.
  Result<Bytes> raw_chunk(const StoredEnvelope& envelope, std::uint64_t chunk_index);
  Result<Bytes> staged_chunk(std::uint64_t raw_id, std::uint64_t chunk_index);
  // All chunks of an envelope. Those of an intact one have stored_size octets together.
  struct StoredChunks {
    std::uint64_t count = 0, octets = 0;
    bool elsewhere = false;  // a large one has chunks in the table of the small ones
  };
  Result<StoredChunks> stored_chunks(const StoredEnvelope& envelope);
  // Rows that give octets of a large envelope to another envelope, or that would have them removed
  // as left over from a crash. A line each, at most 100.
  Result<std::vector<std::string>> stray_octets();

  Result<std::vector<SiteImport>> site_imports();  // by leaf_index
  Result<std::optional<SiteImport>> site_import(std::uint64_t leaf_index);

 private:
  ArchiveDatabase& db_;
};

}  // namespace district::store
