// Which of the known names a mistaken one was probably meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace district {

// The known name with the fewest letters changed, left out, added or swapped with their neighbour;
// empty where none is near: at most a third of the letters may differ, or one name begins with all
// of the other. Upper case, blanks, '-' and '_' count for nothing.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

// ", did you mean NAME?", or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace district
