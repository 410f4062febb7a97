// Changes of trust, for districtctl. Each is a leaf of the log; each list is all or nothing.
// Errors of every function that changes: admin_invalid (weak key, no digitalSignature, expired,
// unknown tenant or zone), admin_conflict (already enrolled for the tenant; tenant unchanged),
// not_found, archive_unavailable.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "crypto/certificate.h"
#include "model/trust.h"
#include "store/database.h"
#include "store/trust_store.h"

namespace district::trust {

struct EnrolRequest {
  std::string tenant;
  crypto::Certificate certificate;
  std::optional<Instant> valid_from;  // default: the time of the change
  std::optional<Instant> valid_to;
  std::optional<Instant> allow_sha1_until;
  std::string origin;  // file and line, for the error
};
// Adds the tenant, or changes it from now on; its valid_from is set to the time of the change.
Result<Ok> add_tenant(store::ArchiveDatabase& database, Tenant tenant, Instant now);
Result<Ok> enrol(store::ArchiveDatabase& database, std::span<const EnrolRequest> requests,
                 Instant now);
// The one certificate ever enrolled with this SHA-256 in hex, in either case and with or without
// colons, whole or a unique beginning of at least 8 digits. Errors: admin_invalid, not_found.
Result<Sha256Digest> find_certificate(const store::TrustRecords& records,
                                      std::string_view fingerprint);
// By find_certificate(); for one tenant, or for all that it is enrolled for. Gives the number of
// enrolments revoked, which is never 0.
Result<std::size_t> revoke(store::ArchiveDatabase& database, std::string_view fingerprint,
                           const std::optional<std::string>& tenant, std::string_view reason,
                           Instant now);

}  // namespace district::trust
