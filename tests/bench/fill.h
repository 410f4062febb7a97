// Fills an archive with envelopes, fast: the rows, the log tree and the replay keys are those that
// a server would have written, so that a server runs on it and an auditor finds it intact.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "gateways.h"

namespace district::bench {

struct FillPlan {
  std::string database;  // made by a server that has ended; its gateways are enrolled
  std::uint64_t envelopes = 1000;
  std::size_t messages = 1;  // in each
};
// Received one a second, the last a minute ago; quantified. The octets of some hundred signed
// envelopes are used again and again. Progress on stderr. Not durable until it has returned.
// Errors: as of store::Database::open and ArchiveReader::append; signing_failed.
Result<nlohmann::ordered_json> fill_archive(const std::vector<Gateway>& gateways,
                                            const Samples& samples, const Target& target,
                                            const FillPlan& plan);

}  // namespace district::bench
