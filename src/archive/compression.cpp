#include "archive/compression.h"

#include <zstd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "archive/dictionary.h"
#include "base/c_handle.h"

namespace district::archive {
namespace {

using Compressor = CHandle<ZSTD_CCtx, ZSTD_freeCCtx>;
using Decompressor = CHandle<ZSTD_DCtx, ZSTD_freeDCtx>;

// Bounds the memory of a frame that is written or read piece by piece: 2^21 and 2^23 octets. Every
// level that can be chosen stays below the latter.
constexpr int kWindowLogWritten = 21;
constexpr int kWindowLogReadMax = 23;
// Higher levels take up to 100 MB to write a large frame.
constexpr int kLargeLevelMax = 3;

Error damaged(const std::string& what) {
  return {ErrorCode::archive_corrupt,
          "the compressed octets are damaged: " + what,
          "restore the database from a backup; keep the damaged file",
          {},
          {}};
}

tl::unexpected<Error> no_memory() { return fail(ErrorCode::internal, "no memory for zstd"); }

// Making one costs more than what is done with it to a small envelope: each thread keeps one.
Decompressor& idle_decompressor() {
  thread_local Decompressor idle;
  return idle;
}

}  // namespace

Result<Bytes> compress(ByteView raw, int level) {
  thread_local const Compressor context(ZSTD_createCCtx());
  thread_local Bytes scratch;
  if (!context) return no_memory();
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  if (raw.size() <= kDictionaryRawMax) {
    ZSTD_CCtx_refCDict(context.get(), compression_dictionary(level));
  }
  const auto bound = ZSTD_compressBound(raw.size());
  if (scratch.size() < bound) scratch.resize(bound);
  const auto size =
      ZSTD_compress2(context.get(), scratch.data(), scratch.size(), raw.data(), raw.size());
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorCode::internal, std::string("compressing: ") + ZSTD_getErrorName(size));
  }
  return to_bytes(ByteView(scratch).first(size));
}

struct FrameWriter::Context {
  Compressor zstd{ZSTD_createCCtx()};
};

FrameWriter::FrameWriter(int level) : context_(std::make_unique<Context>()) {
  auto* zstd = context_->zstd.get();
  if (zstd == nullptr) return;
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, std::min(level, kLargeLevelMax));
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, kWindowLogWritten);
  ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
}

FrameWriter::~FrameWriter() = default;

Result<Ok> FrameWriter::write(ByteView block) { return run(block, false); }

Result<Ok> FrameWriter::finish() {
  DISTRICT_CHECK(run({}, true));
  current_.resize(filled_);
  if (!current_.empty()) ready_.push_back(std::exchange(current_, {}));
  context_.reset();
  return Ok{};
}

Result<Ok> FrameWriter::run(ByteView block, bool last) {
  if (!context_ || !context_->zstd) return no_memory();
  ZSTD_inBuffer in{block.data(), block.size(), 0};
  while (true) {
    current_.resize(kChunkBytes);
    ZSTD_outBuffer out{current_.data(), current_.size(), filled_};
    const auto left =
        ZSTD_compressStream2(context_->zstd.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) {
      return fail(ErrorCode::internal, std::string("compressing: ") + ZSTD_getErrorName(left));
    }
    filled_ = out.pos;
    const bool done = last ? left == 0 : in.pos == in.size;
    if (filled_ == kChunkBytes) {
      ready_.push_back(std::exchange(current_, {}));
      filled_ = 0;
    }
    if (done) return Ok{};
  }
}

std::vector<Bytes> FrameWriter::take_chunks() { return std::exchange(ready_, {}); }

struct FrameReader::Context {
  Decompressor zstd;
  Bytes chunk, block;
  ZSTD_inBuffer in{nullptr, 0, 0};
  bool begun = false, complete = false;
  bool more_to_come = false;  // zstd holds octets for which `block` had no room
};

FrameReader::FrameReader(NextChunk next_chunk)
    : context_(std::make_unique<Context>()), next_chunk_(std::move(next_chunk)) {
  context_->zstd = std::move(idle_decompressor());
  if (!context_->zstd) context_->zstd.reset(ZSTD_createDCtx());
  if (!context_->zstd) return;
  ZSTD_DCtx_reset(context_->zstd.get(), ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(context_->zstd.get(), ZSTD_d_windowLogMax, kWindowLogReadMax);
}

FrameReader::~FrameReader() {
  if (!idle_decompressor()) idle_decompressor() = std::move(context_->zstd);
}

Result<Ok> FrameReader::load_chunk() {
  DISTRICT_TRY(context_->chunk, next_chunk_());
  context_->in = {context_->chunk.data(), context_->chunk.size(), 0};
  return Ok{};
}

Result<Ok> FrameReader::begin_frame() {
  // The size in the frame, where there is one, only saves memory: it need not be right.
  const auto size = ZSTD_getFrameContentSize(context_->chunk.data(), context_->chunk.size());
  context_->block.resize(std::clamp<unsigned long long>(size, 1, ZSTD_DStreamOutSize()));
  const auto id = ZSTD_getDictID_fromFrame(context_->chunk.data(), context_->chunk.size());
  if (id == 0) return Ok{};
  const auto* dictionary = decompression_dictionary(id);
  if (dictionary == nullptr) {
    return fail(damaged("they need dictionary " + std::to_string(id) + ", which is not known"));
  }
  ZSTD_DCtx_refDDict(context_->zstd.get(), dictionary);
  return Ok{};
}

Result<ByteView> FrameReader::next() {
  auto& context = *context_;
  if (!context.zstd) return no_memory();
  while (true) {
    if (!context.more_to_come && context.in.pos == context.in.size) {
      DISTRICT_CHECK(load_chunk());
      if (context.in.size == 0) {
        if (!context.complete) return fail(damaged("cut off"));
        return ByteView{};
      }
      if (!std::exchange(context.begun, true)) DISTRICT_CHECK(begin_frame());
    }
    if (context.complete) return fail(damaged("something follows them"));
    ZSTD_outBuffer out{context.block.data(), context.block.size(), 0};
    const auto status = ZSTD_decompressStream(context.zstd.get(), &out, &context.in);
    if (ZSTD_isError(status) != 0) return fail(damaged(ZSTD_getErrorName(status)));
    context.complete = status == 0;
    context.more_to_come = !context.complete && out.pos == out.size;
    if (out.pos != 0) return ByteView(context.block).first(out.pos);
  }
}

}  // namespace district::archive
