// What the fuzz targets share. Each defines fuzz(); libFuzzer runs it (preset "fuzz"), or the plain
// program of run_plain.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace district::fuzz {

// Runs one input; throws Failure when what must agree does not.
void fuzz(std::string_view input);

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool good, const std::string& otherwise) {
  if (!good) throw Failure(otherwise);
}

// Numbers for whatever is not the document itself, such as where it is cut: from its own octets, so
// that a document alone is an input.
inline std::mt19937 numbers_of(std::string_view input) {
  return std::mt19937(static_cast<std::mt19937::result_type>(std::hash<std::string_view>()(input)));
}

// Choices from the input's octets; 0 when there are no more.
inline std::function<std::size_t(std::size_t bound)> choices_of(std::string_view input) {
  return [input](std::size_t bound) mutable -> std::size_t {
    if (input.empty()) return 0;
    const auto octet = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return octet % bound;
  };
}

// Some of the prefixes that inputs have.
inline std::vector<std::string> some_prefixes(std::mt19937& numbers) {
  std::vector<std::string> list;
  for (const char* prefix : {"#default", "a", "b", "c", "soap", "wsu", "wsse", "urb", "ds",
                             "SOAP-ENV", "xml", "nowhere"}) {
    if (numbers() % 4 == 0) list.emplace_back(prefix);
  }
  return list;
}

// One change as attackers and broken networks make them; keeps a first word that ends in ':', which
// tells targets what the rest is.
std::string mutated(std::string text, const std::string& other, std::mt19937& random);

}  // namespace district::fuzz
