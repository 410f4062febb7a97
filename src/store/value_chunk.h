// Values of a series as octets: a row of the database holds those of a day or a month. A value of a
// regular series takes about four octets, most of them for its digits.
// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::store {

enum class MeasurementState : std::uint8_t {
  current,      // the value that counts for its period or instant
  superseded,   // a later received one has its key
  duplicate,    // equal to the value that was current before it
  excluded,     // a later received one with another period overlaps it
  unusable,     // kept, but no window can be found for it: unit, length or time make no sense
  implausible,  // kept and counted, but set aside by a rule of plausibility, which its flags name
};
inline constexpr std::array kMeasurementStates = {
    MeasurementState::current,  MeasurementState::superseded, MeasurementState::duplicate,
    MeasurementState::excluded, MeasurementState::unusable,   MeasurementState::implausible};
const char* name_of(MeasurementState state);

// One stored value of a series, with what decides which of them counts.
struct Version {
  Instant start{}, end{};
  std::uint64_t leaf_index = 0;
  std::uint32_t message_index = 0;
  Instant received_at{};
  double value = 0;
  std::uint32_t flags = 0;
  MeasurementState state = MeasurementState::current;
  bool operator==(const Version&) const = default;
};

// In the order of start, end, leaf_index, message_index.
std::string pack(std::span<const Version> versions);
// Appends them. Errors: archive_corrupt.
Result<Ok> unpack(ByteView octets, std::vector<Version>& versions);

}  // namespace district::store
