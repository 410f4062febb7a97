// The octets of a file of meter data, plain or gzip.
#pragma once

#include <string>

#include "base/error.h"

namespace district::gateway {

// The largest size of a file, both as it is and decoded. A year of quarter-hours of 90 meters is
// about as large.
inline constexpr std::size_t kInputOctetsMax = std::size_t{256} * 1024 * 1024;

// gzip is recognised by its first octets. Several members make one text, and nothing may follow
// them.
// Errors: file_unreadable (with the system's reason; larger than kInputOctetsMax; a gzip file that
// is cut short or damaged).
Result<std::string> read_input(const std::string& path);

}  // namespace district::gateway
