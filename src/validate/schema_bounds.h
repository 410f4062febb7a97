// What a content schema may cost before libxml2 compiles it: the time that takes grows with the
// square or the cube of some of its parts. Counted, so that a schema is good or bad on any machine.
// Private to validate/. Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "xml/document.h"

namespace district::validate {

// What is too much, and the element it is about. limits::kSchema... has the bounds.
struct TooMuch {
  xml::Element at;
  std::string what;
};
// The first thing that is too much; nullopt: nothing.
std::optional<TooMuch> find_too_much(xml::Element schema);

// Of one regular expression (XML Schema Part 2, appendix F). nullopt: nothing is too much.
std::optional<std::string> too_much_in_pattern(std::string_view pattern);

}  // namespace district::validate
