// The messages of a valid request, as values: what validate/ extracts and quantify/ works on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace district {

// How a value relates to time (docs/reference/kpi-rules.md section 1). The content schema says it.
enum class ValueKind : std::uint8_t {
  interval,  // an amount over [start, end)
  mean,      // a mean (price: a constant) over [start, end)
  instant,   // at start; held until the next sample
  reading,   // a register at start; only differences mean anything
};
// As xsd/annotations.xsd has them: "interval", "mean", "instant", "register".
const char* name_of(ValueKind kind);

// Noted on values that are accepted, never a reason to drop them.
enum ObservationFlag : std::uint32_t {
  flag_unknown_source = 1U << 0U,  // neither a policy nor master data names this source
  flag_future = 1U << 1U,          // head/timestamp more than 60 s ahead of receipt
  flag_estimated = 1U << 2U,       // the gateway says that it estimated the value
  // The value counts, but a register's step up to it is out of all proportion (series/course.h).
  flag_rise = 1U << 3U,
  // The value counts, but its envelope gives another one for the same period, too.
  flag_disputed = 1U << 4U,
  // The value counts, but a register fell before it, and has neither come back nor counted its way.
  flag_fallen = 1U << 5U,
  // From here on rules of plausibility (series/plausibility.h): such a value is set aside.
  flag_first_rule = 1U << 8U,
};
inline constexpr std::uint32_t kRuleFlags = ~(std::uint32_t{flag_first_rule} - 1);
// What is judged from the values themselves; the other flags are what the message says.
inline constexpr std::uint32_t kJudgedFlags = kRuleFlags | flag_rise | flag_disputed | flag_fallen;

// One value of one quantity of one meter.
struct Observation {
  std::string source;  // messageSourceElement
  std::string meter;   // ID_Meter_consumption; empty where the source is the meter
  std::string
      quantity;      // the annotation's, e.g. active_energy, energy_price, active_power, register
  std::string unit;  // the annotation's, e.g. kWh, EUR/kWh, W; "meter": master data knows it
  ValueKind kind = ValueKind::interval;
  Instant start{};
  Instant end{};  // equal to start for instant and reading
  double value = 0;
  std::uint32_t message_index = 0;  // from 1
  std::uint32_t flags = 0;          // of ObservationFlag
  bool operator==(const Observation&) const = default;
};

// One statement of master data (message type 002/001): for the meter, the attribute has the value
// from valid_from on, until a later valid_from or valid_to.
struct MasterFact {
  std::string source;
  std::string meter;      // empty where the source is the meter
  std::string attribute;  // medium, unit, register_modulus, nominal_step, on_threshold_w, ...
  std::string value;
  Instant valid_from{};
  std::optional<Instant> valid_to;
  std::uint32_t message_index = 0;  // from 1
  bool operator==(const MasterFact&) const = default;
};

// Attributes whose value names another meter, or a site. Of the statements on one of them, only the
// one with the latest valid_from counts.
inline constexpr std::array<std::string_view, 3> kReferences{"outdoor_sensor", "replaces_meter",
                                                             "at_site"};

struct MessageHead {
  Instant timestamp{};
  std::string type;         // "001"
  std::string version;      // "0.0.1"
  std::string source;       // messageSourceElement
  std::uint32_t flags = 0;  // of ObservationFlag
};

// What the archive notes of the messages of a valid request.
struct Content {
  std::string tenant;
  std::uint64_t message_count = 0;
  std::string first_source;  // messageSourceElement of the first message, for listings
};

// Messages of one request, in its order: all of them, or some of a large one.
struct Batch {
  std::string tenant;
  std::vector<MessageHead> messages;
  std::vector<Observation> observations;
  std::vector<MasterFact> master_facts;

  void append(const Batch& part) {
    messages.insert(messages.end(), part.messages.begin(), part.messages.end());
    observations.insert(observations.end(), part.observations.begin(), part.observations.end());
    master_facts.insert(master_facts.end(), part.master_facts.begin(), part.master_facts.end());
  }
};

}  // namespace district
