#include "archive/dictionary.h"

#include <zstd.h>

#include <map>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

#include "base/c_handle.h"

namespace district::archive {

// Written by cmake/embed.py from dictionaries/*.zdict, in the order of their names.
extern const std::span<const std::pair<std::string_view, std::string_view>> kDictionaries;

namespace {

using CompressionDictionary = CHandle<ZSTD_CDict, ZSTD_freeCDict>;
using DecompressionDictionary = CHandle<ZSTD_DDict, ZSTD_freeDDict>;

}  // namespace

const ZSTD_CDict_s* compression_dictionary(int level) {
  static std::mutex mutex;
  static std::map<int, CompressionDictionary> by_level;
  const std::lock_guard lock(mutex);
  auto& dictionary = by_level[level];
  if (!dictionary) {
    const auto octets = kDictionaries.back().second;
    dictionary.reset(ZSTD_createCDict(octets.data(), octets.size(), level));
  }
  return dictionary.get();
}

const ZSTD_DDict_s* decompression_dictionary(unsigned id) {
  static const auto by_id = [] {
    std::map<unsigned, DecompressionDictionary> made;
    for (const auto& [name, octets] : kDictionaries) {
      made[ZSTD_getDictID_fromDict(octets.data(), octets.size())].reset(
          ZSTD_createDDict(octets.data(), octets.size()));
    }
    return made;
  }();
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : found->second.get();
}

}  // namespace district::archive
