// What the unavoidable parts of an envelope's way cost on this machine, each alone in one thread:
// the measure that results are given as ratios of.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace district::bench {

// folder: where the disk is measured. ms: CPU or, for the disk, elapsed milliseconds of one.
// Errors: internal, file_unreadable.
Result<nlohmann::ordered_json> measure_primitives(const std::string& folder, double seconds_each);

}  // namespace district::bench
