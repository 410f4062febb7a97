// Who may send what, as of one moment: tenants, enrolled certificates, and their changes so far.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "crypto/certificate.h"
#include "model/trust.h"
#include "store/trust_store.h"

namespace district::trust {

struct EnrolledCertificate {
  crypto::Certificate certificate;
  std::vector<Enrolment> enrolments;  // all of it, one or more; those known: enrolments_of()
};

// Immutable; any thread may read it. A change counts from its leaf of the log on: a revocation, a
// tenant's new settings and an enrolment without a stated begin hold as soon as they are known,
// whatever any clock says. Stated periods (of an enrolment, of the certificate) are judged by an
// instant. A replay therefore judges by the trust as of the envelope's leaf, at its time of
// receipt.
// Source: docs/adr/0024-trust-by-the-order-of-the-log.md.
class TrustSnapshot {
 public:
  // A stored certificate that cannot be read, or is not the one enrolled, is left out: it cannot
  // sign. districtctl log verify names it.
  explicit TrustSnapshot(store::TrustRecords records);

  // What was known when the leaf with this index was appended. Shares what this one holds.
  TrustSnapshot as_of_leaf(std::uint64_t leaf_index) const;
  // What was known at an instant, by the times that were given to the changes: for a question that
  // names no leaf.
  TrustSnapshot as_of(Instant at) const;

  std::uint64_t epoch() const { return contents_->records.epoch; }

  // Certificates ever enrolled, revoked and expired ones too, also after the leaf of as_of_leaf():
  // what they may do is asked below.
  const EnrolledCertificate* find_by_sha256(const Sha256Digest& sha256) const;
  // The following may match several (renewed with the same key, same serial by mistake). The one
  // that was enrolled last comes first.
  std::vector<const EnrolledCertificate*> find_by_sha1(ByteView thumbprint) const;
  std::vector<const EnrolledCertificate*> find_by_subject_key_identifier(ByteView identifier) const;
  std::vector<const EnrolledCertificate*> find_by_issuer_serial(std::string_view issuer_name,
                                                                std::string_view serial) const;

  // Those enrolled last, at most so many.
  std::vector<crypto::Certificate> newest(std::size_t count_max) const;

  // What is known of its enrolments; without a revocation that is not known yet.
  std::vector<Enrolment> enrolments_of(const EnrolledCertificate& certificate) const;
  // The tenants for which the certificate is enrolled at the instant: started, not ended, not
  // revoked, and within the certificate's own validity.
  std::vector<const Enrolment*> active(const EnrolledCertificate& certificate, Instant at) const;
  // The tenant's latest settings that are known.
  const Tenant* tenant(std::string_view code) const;

  // All, also what is not known as of as_of_leaf().
  const store::TrustRecords& records() const { return contents_->records; }

 private:
  // Keys are octets or text; a certificate is given by its place in `certificates`.
  using Index = std::unordered_multimap<std::string, std::size_t>;
  struct Contents {
    store::TrustRecords records;
    std::vector<EnrolledCertificate> certificates;
    std::unordered_map<std::string, std::size_t> by_sha256;
    Index by_sha1, by_subject_key_identifier, by_serial;
  };
  static std::shared_ptr<const Contents> read(store::TrustRecords records);
  std::vector<const EnrolledCertificate*> find_all(const Index& index, std::string_view key) const;
  bool knows_enrolment(const Enrolment& enrolment) const { return enrolment.leaf_index < leaves_; }
  bool knows_revocation(const Enrolment& enrolment) const;

  std::shared_ptr<const Contents> contents_;
  std::uint64_t leaves_ = std::numeric_limits<std::uint64_t>::max();  // those before it are known
};

}  // namespace district::trust
