// Computes values and KPIs of a period again from the raw envelopes. Values that are missing or
// differ are restored. Values and KPIs that come from no envelope are removed. Where nothing is
// damaged, nothing changes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "model/standards.h"
#include "store/database.h"
#include "trust/trust.h"
#include "validate/validator.h"

namespace district::quantify {

struct RebuildSelection {
  std::optional<std::string> tenant;
  std::optional<Instant> from, to;  // of the windows; none: all
};

struct RebuildReport {
  std::uint64_t envelopes = 0, restored = 0, removed = 0, meters = 0;
  std::uint64_t changed = 0;  // KPI values
};

// Uses transactions of its own, so a server may run at the same time.
// Errors: archive_unavailable, archive_corrupt (octets that are not those received).
Result<RebuildReport> rebuild(
    store::ArchiveDatabase& archive, store::SeriesDatabase& series,
    const validate::Validator& validator, trust::Trust& trust, const RebuildSelection& selection,
    const Standards& standards, Instant now,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace district::quantify
