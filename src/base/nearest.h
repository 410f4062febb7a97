// What somebody meant who wrote something near it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace district {

// The one of `known` that `word` is most likely a slip of the fingers for: a few letters more,
// less, other, swapped or in capitals. nullopt: none is near.
std::optional<std::string> nearest_of(std::string_view word, const std::vector<std::string>& known);

}  // namespace district
