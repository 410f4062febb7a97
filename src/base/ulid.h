// ULIDs: 48 bits of milliseconds and 80 random bits in 26 characters of Crockford's base 32, in
// the order of time. Source: github.com/ulid/spec.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace district {

std::string make_ulid(Instant at, const std::array<std::byte, 10>& random);
bool is_ulid(std::string_view text);
// When it was made; nullopt: it is none.
std::optional<Instant> time_of_ulid(std::string_view text);

}  // namespace district
