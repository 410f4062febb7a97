#include <algorithm>

#include "trust/trust.h"

namespace district::trust {
namespace {

std::string key_of(ByteView octets) { return std::string(as_text(octets)); }

// Serial numbers are compared as numbers: leading zeros do not count.
std::string_view without_leading_zeros(std::string_view digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? digits.substr(0, digits.empty() ? 0 : 1)
                                         : digits.substr(first);
}

}  // namespace

TrustSnapshot::TrustSnapshot(store::TrustRecords records) : records_(std::move(records)) {
  for (const auto& enrolment : records_.enrolments) {
    const auto key = key_of(enrolment.certificate_sha256);
    if (const auto known = by_sha256_.find(key); known != by_sha256_.end()) {
      certificates_[known->second].enrolments.push_back(enrolment);
      continue;
    }
    auto certificate = crypto::Certificate::from_der(enrolment.certificate_der);
    if (!certificate || certificate->sha256() != enrolment.certificate_sha256) continue;
    const auto place = certificates_.size();
    by_sha256_.emplace(key, place);
    by_sha1_.emplace(key_of(certificate->sha1()), place);
    if (const auto& identifier = certificate->subject_key_identifier()) {
      by_subject_key_identifier_.emplace(key_of(*identifier), place);
    }
    by_serial_.emplace(std::string(without_leading_zeros(certificate->serial_decimal())), place);
    certificates_.push_back({*std::move(certificate), {enrolment}});
  }
}

const EnrolledCertificate* TrustSnapshot::find_by_sha256(const Sha256Digest& sha256) const {
  const auto found = by_sha256_.find(key_of(sha256));
  return found == by_sha256_.end() ? nullptr : &certificates_[found->second];
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_all(const Index& index,
                                                                std::string_view key) const {
  std::vector<const EnrolledCertificate*> found;
  const auto [first, last] = index.equal_range(std::string(key));
  for (auto it = first; it != last; ++it) found.push_back(&certificates_[it->second]);
  return found;
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_sha1(ByteView thumbprint) const {
  return find_all(by_sha1_, as_text(thumbprint));
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_subject_key_identifier(
    ByteView identifier) const {
  return find_all(by_subject_key_identifier_, as_text(identifier));
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_issuer_serial(
    std::string_view issuer_name, std::string_view serial) const {
  auto found = find_all(by_serial_, without_leading_zeros(serial));
  std::erase_if(found, [&](const EnrolledCertificate* enrolled) {
    return !enrolled->certificate.issuer_matches(issuer_name);
  });
  return found;
}

std::vector<crypto::Certificate> TrustSnapshot::newest(std::size_t count_max) const {
  std::vector<crypto::Certificate> newest;
  for (auto at = certificates_.rbegin(); at != certificates_.rend() && newest.size() < count_max;
       ++at)
    newest.push_back(at->certificate);
  return newest;
}

std::vector<const Enrolment*> TrustSnapshot::active(const EnrolledCertificate& certificate,
                                                    Instant at) const {
  std::vector<const Enrolment*> active;
  // RFC 5280 section 4.1.2.5: notBefore and notAfter belong to the period.
  if (at < certificate.certificate.not_before() || at > certificate.certificate.not_after()) {
    return active;
  }
  for (const auto& enrolment : certificate.enrolments) {
    const bool started = at >= enrolment.valid_from;
    const bool ended = enrolment.valid_to && at >= *enrolment.valid_to;
    const bool revoked = enrolment.revoked_at && at >= *enrolment.revoked_at;
    if (started && !ended && !revoked) active.push_back(&enrolment);
  }
  return active;
}

const Tenant* TrustSnapshot::tenant(std::string_view code, Instant at) const {
  // In the order of valid_from: the last one that has begun counts.
  const auto& tenants = records_.tenants;
  const auto found = std::find_if(tenants.rbegin(), tenants.rend(), [&](const Tenant& tenant) {
    return tenant.code == code && tenant.valid_from <= at;
  });
  return found == tenants.rend() ? nullptr : &*found;
}

Result<std::unique_ptr<Trust>> Trust::open(const store::Location& location, store::OpenMode mode) {
  DISTRICT_TRY(auto database, store::ArchiveDatabase::open(location, mode));
  return std::unique_ptr<Trust>(new Trust(std::move(database)));
}

std::unique_ptr<Trust> Trust::fixed(std::shared_ptr<const TrustSnapshot> snapshot) {
  std::unique_ptr<Trust> trust(new Trust(nullptr));
  trust->current_ = std::move(snapshot);
  return trust;
}

Result<std::shared_ptr<const TrustSnapshot>> Trust::snapshot() {
  const std::lock_guard lock(mutex_);
  if (database_ == nullptr) return current_;
  store::TrustStore store(*database_);
  DISTRICT_TRY(const auto epoch, store.epoch());
  if (!current_ || current_->epoch() != epoch) {
    DISTRICT_TRY(auto records, store.load());
    current_ = std::make_shared<const TrustSnapshot>(std::move(records));
  }
  return current_;
}

}  // namespace district::trust
