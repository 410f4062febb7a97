// Numbers as messages and files write them. Threads: any.
#pragma once

#include <optional>
#include <string_view>

namespace district {

// A decimal number with or without an exponent, as a double: 4, +4.5, -.4, 5.0E-4. Too small for a
// double is zero. nullopt: not one, NaN, INF, or too large.
std::optional<double> parse_finite_number(std::string_view text);

}  // namespace district
