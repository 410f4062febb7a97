// Simulated pilots: gateways with realistic data, faults and clocks, each at its own pace, and what
// the server must make of each of their envelopes.
#pragma once

#include <string>

#include "scenarios.h"

namespace district::bench {

struct SimulationPlan {
  double seconds = 60;
  // Hourly gateways send an hour's data each simulated hour, daily ones a day's each day. A
  // simulated hour takes 3600/speed seconds.
  double speed = 3600;
  double fault_share = 0.2;   // of envelopes that something happens to
  double clock_share = 0.02;  // of gateways whose clock is beyond what the server accepts
  std::string receipts_file;  // tenant,receiptId of every envelope that was acknowledged
};
// Errors: those of a scenario; file_unreadable.
Result<Json> run_simulation(const Setting& setting, const SimulationPlan& plan);

}  // namespace district::bench
