// Keys for the query API: who may read what, and until when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace district {

// reader: everything but raw envelopes; auditor: those as well.
enum class ApiRole : std::uint8_t { reader, auditor };

struct ApiKey {
  std::string key_id;  // a ULID
  Sha256Digest secret_sha256{};
  std::string name;  // for people: who holds it
  ApiRole role = ApiRole::reader;
  bool every_tenant = false;         // also those that are added later
  std::vector<std::string> tenants;  // by code; empty with every_tenant
  Instant created_at{};
  Instant expires_at{};
  std::optional<Instant> revoked_at;
  std::string revocation_reason;

  // From its making on until expires_at, unless it is revoked: a clock that is set back to before
  // the revocation must not give it another life.
  bool in_force(Instant at) const { return at < expires_at && !revoked_at; }
};

}  // namespace district
