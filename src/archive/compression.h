// Raw envelopes to zstd frames and back. Frames of small envelopes refer to a dictionary of the
// envelopes' common parts; each frame names its dictionary, and has a checksum of its content.
// Source: RFC 8878. docs/adr/0010-staging-and-dictionary.md.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/error.h"

namespace district::archive {

// One frame of octets that are all there. Level: zstd's, 1 to 19. Errors: internal (no memory).
// Threads: any.
Result<Bytes> compress(ByteView raw, int level);

// One frame of octets that come in blocks, in flat memory: chunks of kChunkBytes and a last one.
// Threads: one at a time.
class FrameWriter {
 public:
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  explicit FrameWriter(int level);
  ~FrameWriter();
  // Errors: internal (no memory).
  Result<Ok> write(ByteView block);
  Result<Ok> finish();  // once
  // The chunks that are full so far, and after finish() all.
  std::vector<Bytes> take_chunks();
  std::size_t chunks_ready() const { return ready_.size(); }

 private:
  Result<Ok> run(ByteView block, bool last);
  struct Context;
  std::unique_ptr<Context> context_;
  Bytes current_;
  std::size_t filled_ = 0;
  std::vector<Bytes> ready_;
};

// The octets of one frame that is kept in chunks; neither a size in the frame nor one recorded
// elsewhere is believed beforehand. Flat memory. Threads: one at a time.
class FrameReader final : public ByteSource {
 public:
  using NextChunk = std::function<Result<Bytes>()>;  // in their order; empty: there are no more

  explicit FrameReader(NextChunk next_chunk);
  ~FrameReader() override;
  // Errors: archive_corrupt (not one whole frame, or of a dictionary that is not known), those of
  // NextChunk.
  Result<ByteView> next() override;

 private:
  Result<Ok> load_chunk();
  Result<Ok> begin_frame();
  struct Context;
  std::unique_ptr<Context> context_;
  NextChunk next_chunk_;
};

}  // namespace district::archive
