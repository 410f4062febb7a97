// A target under libFuzzer: half of its mutations are ours, which know of markup.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "fuzz_target.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    district::fuzz::fuzz({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    std::abort();
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, size_max);
  std::mt19937 random(seed);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string changed = district::fuzz::mutated(text, text, random);
  const auto kept = std::min(changed.size(), size_max);
  std::memcpy(data, changed.data(), kept);
  return kept;
}
