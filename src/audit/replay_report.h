// What a replay has compared, and what it found to differ.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "audit/comparison.h"

namespace district::audit {

struct ReplayReport {
  std::uint64_t envelopes = 0;
  std::uint64_t not_quantified = 0;  // of them: still waiting, so their values are not compared
  std::uint64_t measurements = 0, master_facts = 0, kpis = 0;  // compared
  std::vector<Difference> differences;                         // empty: all is as recorded
};

// `total` 0: not known.
using ReplayProgress =
    std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t total)>;

}  // namespace district::audit
