// How much there is, for people and for going through all of it. Reads only.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one Database per thread at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "model/kpi.h"
#include "store/database.h"

namespace district::store {

struct Inventory {
  std::uint64_t envelopes = 0;
  std::uint64_t work_waiting = 0;  // envelopes that the quantifier has still to do
  std::uint64_t work_failed = 0;   // envelopes that it could not do
};
Result<Inventory> take_inventory(Database& database);

// Every meter that has ever had a measurement or master data, by tenant, source and meter.
Result<std::vector<MeterKey>> all_meters(Database& database);

}  // namespace district::store
