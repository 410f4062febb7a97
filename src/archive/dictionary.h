// The zstd dictionaries that frames of small envelopes refer to; dictionaries/README.md.
// Threads: any.
#pragma once

#include <cstddef>

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace district::archive {

// Above it a dictionary no longer helps: the envelope's own beginning is one for the rest of it.
inline constexpr std::size_t kDictionaryRawMax = 64 * 1024;

// The newest, digested for a level of zstd. Null: no memory.
const ZSTD_CDict_s* compression_dictionary(int level);
// The one that a frame names. Null: not known.
const ZSTD_DDict_s* decompression_dictionary(unsigned id);

}  // namespace district::archive
