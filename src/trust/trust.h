// Who may send what, as of an instant: tenants, enrolled certificates, and their changes.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "crypto/certificate.h"
#include "model/trust.h"
#include "store/database.h"
#include "store/trust_store.h"

namespace district::trust {

struct EnrolledCertificate {
  crypto::Certificate certificate;
  std::vector<Enrolment> enrolments;  // of this certificate, one or more
};

// Immutable; any thread may read it. Every question is asked as of an instant, so that a replay
// judges by the trust of the moment of receipt.
class TrustSnapshot {
 public:
  // A stored certificate that cannot be read, or is not the one enrolled, is left out: it cannot
  // sign. districtctl log verify names it.
  explicit TrustSnapshot(store::TrustRecords records);

  std::uint64_t epoch() const { return records_.epoch; }

  // Certificates ever enrolled, revoked and expired ones too: what they may do is asked below.
  const EnrolledCertificate* find_by_sha256(const Sha256Digest& sha256) const;
  // The following may match several (renewed with the same key, same serial by mistake).
  std::vector<const EnrolledCertificate*> find_by_sha1(ByteView thumbprint) const;
  std::vector<const EnrolledCertificate*> find_by_subject_key_identifier(ByteView identifier) const;
  std::vector<const EnrolledCertificate*> find_by_issuer_serial(std::string_view issuer_name,
                                                                std::string_view serial) const;

  // Those enrolled last, at most so many.
  std::vector<crypto::Certificate> newest(std::size_t count_max) const;

  // The tenants for which the certificate is enrolled at the instant: started, not ended, not
  // revoked, and within the certificate's own validity.
  std::vector<const Enrolment*> active(const EnrolledCertificate& certificate, Instant at) const;
  // The tenant's settings at the instant.
  const Tenant* tenant(std::string_view code, Instant at) const;

  const store::TrustRecords& records() const { return records_; }

 private:
  // Keys are octets or text; a certificate is given by its place in certificates_.
  using Index = std::unordered_multimap<std::string, std::size_t>;
  std::vector<const EnrolledCertificate*> find_all(const Index& index, std::string_view key) const;

  store::TrustRecords records_;
  std::vector<EnrolledCertificate> certificates_;
  std::unordered_map<std::string, std::size_t> by_sha256_;
  Index by_sha1_, by_subject_key_identifier_, by_serial_;
};

// The current snapshot, reloaded when the store's epoch has moved, so that a change by districtctl
// acts on the next request.
// Threads: any.
class Trust {
 public:
  // Keeps its own connection to the database file. Errors: as of store::ArchiveDatabase::open.
  static Result<std::unique_ptr<Trust>> open(const store::Location& location, store::OpenMode mode);
  // This snapshot and no other, without a database.
  static std::unique_ptr<Trust> fixed(std::shared_ptr<const TrustSnapshot> snapshot);
  // Errors: archive_unavailable, archive_corrupt.
  Result<std::shared_ptr<const TrustSnapshot>> snapshot();

 private:
  explicit Trust(std::unique_ptr<store::ArchiveDatabase> database)
      : database_(std::move(database)) {}
  std::mutex mutex_;
  std::unique_ptr<store::ArchiveDatabase> database_;  // null: current_ is fixed
  std::shared_ptr<const TrustSnapshot> current_;
};

// Changes, for districtctl. Each is a leaf of the log; each list is all or nothing.
// Errors: admin_invalid (weak key, no digitalSignature, expired, unknown tenant or zone),
// admin_conflict (already enrolled for the tenant; tenant unchanged), not_found,
// archive_unavailable.
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
