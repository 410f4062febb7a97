// Which of the known names a mistaken one was probably meant to be.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace district {

// The known name with the fewest letters changed, left out, added or swapped with their neighbour;
// empty where none is near: at most a third of the letters may differ, or one name begins with all
// of the other. Upper case, blanks, '-' and '_' count for nothing.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

// ", did you mean NAME?", or nothing: the end of a sentence.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);
// "did you mean 'NAME'? ", or nothing: the start of a hint. `quotes`: before and behind the name.
std::string meant_hint(std::string_view name, std::span<const std::string> known,
                       std::array<std::string_view, 2> quotes = {"'", "'"});

}  // namespace district
