// Who may send: tenants and their enrolled certificates, with their history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace district {

// What a tenant is set to from the leaf of the log on that says so. A change adds a row; none is
// ever deleted.
struct Tenant {
  std::string code;  // xs:token, e.g. "20"
  std::string name;  // e.g. "Barcelona, shops and homes"
  std::string zone;  // IANA name of the sites' time zone, e.g. "Europe/Madrid"
  std::vector<std::string> content_types;  // allowed "type/version", e.g. "001/0.0.1"
  std::vector<std::string>
      sources;                   // allowed messageSourceElement; empty: any, unknown ones flagged
  Instant valid_from{};          // the time of the change
  std::uint64_t leaf_index = 0;  // of the change
  bool operator==(const Tenant&) const = default;
};

// One certificate enrolled for one tenant. It may sign from valid_from until valid_to, by the
// clock; the certificate's own period binds as well. One for which no begin was stated begins with
// its leaf, and a revocation ends it with its leaf, whatever times they are given:
// docs/adr/0024-trust-by-the-order-of-the-log.md.
struct Enrolment {
  std::string tenant;
  Sha256Digest certificate_sha256{};  // of the DER
  Bytes certificate_der;
  std::string subject;  // RFC 2253, for people
  Instant enrolled_at{};
  Instant valid_from{};  // enrolled_at, if no begin was stated
  std::optional<Instant> valid_to;
  std::optional<Instant> allow_sha1_until;
  std::optional<Instant> revoked_at;
  std::string revocation_reason;
  std::uint64_t leaf_index = 0;  // of the enrolment
  std::optional<std::uint64_t> revocation_leaf_index;

  // For those who know of the enrolment. The clocks of whoever enrolled and whoever asks may
  // differ.
  bool has_begun(Instant at) const { return valid_from == enrolled_at || at >= valid_from; }
  // By the end that was stated; a revocation is another matter.
  bool has_ended(Instant at) const { return valid_to && at >= *valid_to; }
};

}  // namespace district
