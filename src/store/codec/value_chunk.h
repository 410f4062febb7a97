// Values of a series as octets. A row of the database holds those of a day or a month. A value of a
// regular series takes about four octets, most of them for its digits.
// Threads: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/measurement.h"

namespace district::store {

// In the order of start, end, leaf_index, message_index.
std::string pack(std::span<const ValueVersion> versions);
// Appends them. Errors: archive_corrupt.
Result<Ok> unpack(ByteView octets, std::vector<ValueVersion>& versions);

}  // namespace district::store
