// Stored measurements, and what a series of them, an origin and a statement of master data are once
// they are stored.
// Threads: values, any.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/batch.h"
#include "model/kpi.h"

namespace district {

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

// The envelope that a value came in.
struct Origin {
  std::uint64_t leaf_index = 0;
  std::string receipt_id;
  Instant received_at{};
  auto operator<=>(const Origin&) const = default;
};

// All values of one quantity of a meter that have the same kind and unit.
struct Series {
  std::int64_t series_id = 0;
  std::string quantity;
  ValueKind kind = ValueKind::interval;
  std::string unit;
  Duration longest{};      // no value of the series lasts longer
  Instant packed_until{};  // start of a month: values before it are packed by the month
  Instant last_start{};    // no value starts after it
};

// One stored value of a series, with what decides which of them counts.
struct ValueVersion {
  Instant start{}, end{};
  std::uint64_t leaf_index = 0;
  std::uint32_t message_index = 0;
  Instant received_at{};
  double value = 0;
  std::uint32_t flags = 0;
  MeasurementState state = MeasurementState::current;
  bool operator==(const ValueVersion&) const = default;
};

// Ends of two intervals that overlap by at most this, and by less than half of either, are one
// boundary: 00:59:59 is 01:00:00.
inline constexpr Duration kBoundary = std::chrono::seconds(2);

// A value that KPIs are computed from: current; or excluded or implausible, which they only count.
struct VisibleValue {
  Instant start{}, end{};
  double value = 0;
  std::uint32_t flags = 0;
  MeasurementState state = MeasurementState::current;
  bool counts() const { return state == MeasurementState::current; }
};
// nullopt: no KPI sees it.
std::optional<VisibleValue> visible(const ValueVersion& version);

// A statement of master data with the envelope or import that made it.
struct StoredFact {
  MasterFact fact;  // source and meter empty: they are the meter's
  Origin origin;
};

// A stored value as people see it.
struct Measurement {
  MeterKey meter;
  Observation observation;  // unit as computed with: kWh, W, ...; flag_unknown_source as of now
  MeasurementState state = MeasurementState::current;
  Origin origin;
};

}  // namespace district
