#include <zstd.h>

#include <algorithm>

#include "archive/archive.h"
#include "base/c_handle.h"

namespace district::archive {
namespace {

using Compressor = CHandle<ZSTD_CCtx, ZSTD_freeCCtx>;
using Decompressor = CHandle<ZSTD_DCtx, ZSTD_freeDCtx>;

Error damaged(const std::string& what) {
  return {ErrorCode::archive_corrupt,
          "the compressed octets are damaged: " + what,
          "restore the database from a backup; keep the damaged file",
          {},
          {}};
}

}  // namespace

Result<Bytes> compress(ByteView raw, int level) {
  // One for each thread: making one costs more than compressing a small envelope.
  thread_local const Compressor context(ZSTD_createCCtx());
  if (!context) return fail(ErrorCode::internal, "no memory to compress with");
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  Bytes stored(ZSTD_compressBound(raw.size()));
  const auto size =
      ZSTD_compress2(context.get(), stored.data(), stored.size(), raw.data(), raw.size());
  if (ZSTD_isError(size) != 0) {
    return fail(ErrorCode::internal, std::string("compressing: ") + ZSTD_getErrorName(size));
  }
  stored.resize(size);
  stored.shrink_to_fit();
  return stored;
}

Result<Bytes> decompress(ByteView stored, std::uint64_t raw_size) {
  const Decompressor context(ZSTD_createDCtx());
  if (!context) return fail(ErrorCode::internal, "no memory to decompress with");
  // Grows with what is there: neither the row's size nor the frame's is believed beforehand.
  Bytes raw;
  ZSTD_inBuffer in{stored.data(), stored.size(), 0};
  std::size_t status = 1;
  Bytes piece(ZSTD_DStreamOutSize());
  while (status != 0) {
    ZSTD_outBuffer out{piece.data(), piece.size(), 0};
    const auto consumed = in.pos;
    status = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(status) != 0) return fail(damaged(ZSTD_getErrorName(status)));
    if (out.pos > raw_size - raw.size()) return fail(damaged("more than the recorded size"));
    raw.insert(raw.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(out.pos));
    if (out.pos == 0 && in.pos == consumed && status != 0) return fail(damaged("cut off"));
  }
  if (in.pos != stored.size()) return fail(damaged("something follows them"));
  if (raw.size() != raw_size) return fail(damaged("less than the recorded size"));
  return raw;
}

}  // namespace district::archive
