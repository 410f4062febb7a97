// What a content schema may cost before libxml2 compiles it: the time that takes grows with the
// square or the cube of some of its parts. Counted, so that a schema is good or bad on any machine.
// Private to validate/. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "xml/document.h"

namespace district::validate {

// libxml2 makes an automaton of the elements, whose cost grows with the cube of those that may be
// absent (0.1 s for 200), and one of each pattern, whose cost grows with the square of its length
// (0.1 s for 500 octets). The largest of our schemas has 50 elements.
inline constexpr std::size_t kSchemaParticlesMax = 256;
inline constexpr std::size_t kSchemaPatternBytesMax = 8 * 1024;  // of all its patterns
inline constexpr std::size_t kPatternBytesMax = 512;
inline constexpr std::size_t kPatternNestingMax = 8;     // groups in each other
inline constexpr std::size_t kPatternRepeatsMax = 1000;  // {n,m}; of such in each other: multiplied

// What is too much, and the element it is about.
struct TooMuch {
  xml::Element at;
  std::string what;
};
// The first thing that is too much; nullopt: nothing.
std::optional<TooMuch> find_too_much(xml::Element schema);

// Of one regular expression (XML Schema Part 2, appendix F). nullopt: nothing is too much.
std::optional<std::string> too_much_in_pattern(std::string_view pattern);

}  // namespace district::validate
