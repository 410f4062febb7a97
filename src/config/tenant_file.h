// A tenant's settings as a TOML file: code, name, zone, content_types and, optionally, sources.
#pragma once

#include <string>

#include "base/error.h"
#include "model/trust.h"

namespace district::config {

// The tenant without a valid_from, which the change itself sets.
// Errors: file_unreadable; config_invalid, naming the line: not TOML, a key that is missing, not
// known or of another type.
Result<Tenant> load_tenant_file(const std::string& path);

}  // namespace district::config
