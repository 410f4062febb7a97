// Identifies the caller, and what it may see. Private to query/.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/api.h"
#include "store/database.h"
#include "trust/snapshot.h"

namespace district::query {

struct Caller {
  std::string name;                  // for the log: "key 01KAG..." or "certificate ab12..."
  std::vector<std::string> tenants;  // the codes of all that it may see, sorted
  bool may_read_raw = false;

  bool sees(std::string_view tenant) const {
    return std::binary_search(tenants.begin(), tenants.end(), tenant);
  }
};

// nullopt: an unknown caller, or one that is no longer known. If there is a bearer key, it alone
// counts; otherwise the TLS client's certificate, which sees the tenants that it is enrolled for.
// Errors: archive_unavailable, archive_corrupt.
Result<std::optional<Caller>> identify(const ApiRequest& request, const trust::TrustSnapshot& trust,
                                       store::ArchiveDatabase& database, Instant now);

}  // namespace district::query
