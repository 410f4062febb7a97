// A part of an answer (RFC 9110 section 14). Private to query/.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace district::query {

struct Range {
  std::uint64_t first = 0, octets = 0;
};

// The part of `size` octets that the field Range asks for. nullopt: it asks for none or several,
// has another unit or is malformed; then everything is given. An empty part: there is nothing where
// it begins.
std::optional<Range> range_of(std::string_view field, std::uint64_t size);

}  // namespace district::query
