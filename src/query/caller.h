// Who asks, and what that one may see. Private to query/.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/api.h"
#include "store/database.h"
#include "trust/trust.h"

namespace district::query {

struct Caller {
  std::string name;                  // for the log: "key 01KAG..." or "certificate ab12..."
  std::vector<std::string> tenants;  // codes, sorted: all that it may see
  bool may_read_raw = false;

  bool sees(std::string_view tenant) const {
    return std::binary_search(tenants.begin(), tenants.end(), tenant);
  }
};

// nullopt: nobody that we know, or not any more. A bearer key that comes counts alone, else the TLS
// client's certificate, which sees the tenants that it is enrolled for.
// Errors: archive_unavailable, archive_corrupt.
Result<std::optional<Caller>> identify(const ApiRequest& request, const trust::TrustSnapshot& trust,
                                       store::ArchiveDatabase& database, Instant now);

}  // namespace district::query
