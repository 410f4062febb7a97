// Compares what was recorded with what a replay gives. Values are compared as multisets: one that
// is recorded twice differs once.
// Pure functions. Threads: any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/kpi.h"
#include "store/series_reader.h"

namespace district::audit {

enum class DifferenceKind : std::uint8_t {
  octets,     // the raw octets are not those whose digest was recorded
  log_entry,  // what is recorded of the envelope is not what its leaf says
  verdict,    // it was accepted, but is not accepted now as of then
  sender,     // another certificate or signature method
  content,    // another tenant, source or number of messages
  measurement,
  master_data,
  kpi,
  replay_key,  // the key by which a second copy is recognised
  failure,     // what is noted of an envelope that could not be quantified
  registry,    // meters, their series, and what is noted of the envelopes that gave values
  count,       // the numbers of values that `districtctl status` shows
  place,       // a row lies where readers do not find it, or find it for another time
};
const char* name_of(DifferenceKind kind);

struct Difference {
  DifferenceKind kind = DifferenceKind::octets;
  // The envelope. For a KPI, all envelopes that it was computed from.
  std::vector<std::string> receipt_ids;
  std::string where;               // the part of it, e.g. the meter and the time; may be empty
  std::string recorded, replayed;  // empty: there is none
};

// Every digit of a number, so that the last bit shows.
std::string exact(double value);

// "BCN-SCHOOL" or "House12 4711".
std::string name_of(const MeterKey& meter);

// Doubles are equal when they have the same bits. `with_unknown_source`: compare that flag, too. It
// depends on the master data of other meters of the source.
std::vector<Difference> compare_measurements(const std::vector<Measurement>& recorded,
                                             const std::vector<Measurement>& replayed,
                                             bool with_unknown_source);
// The difference for a recorded measurement that cannot be read, when the replay gives this one.
Difference unreadable(const Measurement& replayed, const Error& error);
std::vector<Difference> compare_facts(const MeterKey& meter,
                                      const std::vector<StoredFact>& recorded,
                                      const std::vector<StoredFact>& replayed);

// Meters, series, origins and counts: a text by name.
using Named = std::map<std::string, std::string>;
std::vector<Difference> compare_named(DifferenceKind kind, const Named& recorded,
                                      const Named& replayed);

// Takes a KPI value that differs. null: there is none.
using KpiDifference = std::function<void(const KpiValue* recorded, const KpiValue* replayed)>;
// Calls `each` for every value that differs in anything but revision and computed_at, which depend
// on the order of processing.
void compare_kpis(const std::vector<KpiValue>& recorded, const std::vector<KpiValue>& replayed,
                  const KpiDifference& each);
Difference describe(const KpiValue* recorded, const KpiValue* replayed,
                    std::vector<std::string> receipt_ids);

}  // namespace district::audit
