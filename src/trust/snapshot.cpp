#include "trust/snapshot.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace district::trust {
namespace {

std::string key_of(ByteView octets) { return std::string(as_text(octets)); }

// Serial numbers are compared as numbers: leading zeros do not count.
std::string_view without_leading_zeros(std::string_view digits) {
  const auto first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? digits.substr(0, digits.empty() ? 0 : 1)
                                         : digits.substr(first);
}

void undo_revocation(Enrolment& enrolment) {
  enrolment.revoked_at.reset();
  enrolment.revocation_reason.clear();
  enrolment.revocation_leaf_index.reset();
}

}  // namespace

TrustSnapshot::TrustSnapshot(store::TrustRecords records) : contents_(read(std::move(records))) {}

std::shared_ptr<const TrustSnapshot::Contents> TrustSnapshot::read(store::TrustRecords records) {
  Contents contents;
  for (const auto& enrolment : records.enrolments) {
    const auto key = key_of(enrolment.certificate_sha256);
    if (const auto known = contents.by_sha256.find(key); known != contents.by_sha256.end()) {
      contents.certificates[known->second].enrolments.push_back(enrolment);
      continue;
    }
    auto certificate = crypto::Certificate::from_der(enrolment.certificate_der);
    if (!certificate || certificate->sha256() != enrolment.certificate_sha256) continue;
    const auto place = contents.certificates.size();
    contents.by_sha256.emplace(key, place);
    contents.by_sha1.emplace(key_of(certificate->sha1()), place);
    if (const auto& identifier = certificate->subject_key_identifier()) {
      contents.by_subject_key_identifier.emplace(key_of(*identifier), place);
    }
    contents.by_serial.emplace(std::string(without_leading_zeros(certificate->serial_decimal())),
                               place);
    contents.certificates.push_back({*std::move(certificate), {enrolment}});
  }
  contents.records = std::move(records);
  return std::make_shared<const Contents>(std::move(contents));
}

TrustSnapshot TrustSnapshot::as_of_leaf(std::uint64_t leaf_index) const {
  auto then = *this;
  then.leaves_ = std::min(leaves_, leaf_index);
  return then;
}

TrustSnapshot TrustSnapshot::as_of(Instant at) const {
  auto known = records();
  std::erase_if(known.tenants, [&](const Tenant& tenant) { return tenant.valid_from > at; });
  std::erase_if(known.enrolments,
                [&](const Enrolment& enrolment) { return enrolment.enrolled_at > at; });
  for (auto& enrolment : known.enrolments) {
    if (enrolment.revoked_at && *enrolment.revoked_at > at) undo_revocation(enrolment);
  }
  return TrustSnapshot(std::move(known));
}

const EnrolledCertificate* TrustSnapshot::find_by_sha256(const Sha256Digest& sha256) const {
  const auto found = contents_->by_sha256.find(key_of(sha256));
  return found == contents_->by_sha256.end() ? nullptr : &contents_->certificates[found->second];
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_all(const Index& index,
                                                                std::string_view key) const {
  std::vector<const EnrolledCertificate*> found;
  const auto [first, last] = index.equal_range(std::string(key));
  for (auto it = first; it != last; ++it) found.push_back(&contents_->certificates[it->second]);
  // The container has no order of its own. All of them lie in one vector, by first enrolment.
  std::ranges::sort(found, std::greater<>());
  return found;
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_sha1(ByteView thumbprint) const {
  return find_all(contents_->by_sha1, as_text(thumbprint));
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_subject_key_identifier(
    ByteView identifier) const {
  return find_all(contents_->by_subject_key_identifier, as_text(identifier));
}

std::vector<const EnrolledCertificate*> TrustSnapshot::find_by_issuer_serial(
    std::string_view issuer_name, std::string_view serial) const {
  auto found = find_all(contents_->by_serial, without_leading_zeros(serial));
  std::erase_if(found, [&](const EnrolledCertificate* enrolled) {
    return !enrolled->certificate.issuer_matches(issuer_name);
  });
  return found;
}

std::vector<crypto::Certificate> TrustSnapshot::newest(std::size_t count_max) const {
  std::vector<crypto::Certificate> newest;
  const auto& certificates = contents_->certificates;
  for (auto at = certificates.rbegin(); at != certificates.rend() && newest.size() < count_max;
       ++at)
    newest.push_back(at->certificate);
  return newest;
}

// One without a leaf counts: it can only have been written by somebody else.
bool TrustSnapshot::knows_revocation(const Enrolment& enrolment) const {
  return enrolment.revoked_at && enrolment.revocation_leaf_index.value_or(0) < leaves_;
}

std::vector<Enrolment> TrustSnapshot::enrolments_of(const EnrolledCertificate& certificate) const {
  std::vector<Enrolment> known;
  for (const auto& enrolment : certificate.enrolments) {
    if (!knows_enrolment(enrolment)) continue;
    known.push_back(enrolment);
    if (!knows_revocation(enrolment)) undo_revocation(known.back());
  }
  return known;
}

std::vector<const Enrolment*> TrustSnapshot::active(const EnrolledCertificate& certificate,
                                                    Instant at) const {
  std::vector<const Enrolment*> active;
  // RFC 5280 section 4.1.2.5: notBefore and notAfter belong to the period.
  if (at < certificate.certificate.not_before() || at > certificate.certificate.not_after()) {
    return active;
  }
  for (const auto& enrolment : certificate.enrolments) {
    const bool started = knows_enrolment(enrolment) && enrolment.has_begun(at);
    if (started && !enrolment.has_ended(at) && !knows_revocation(enrolment)) {
      active.push_back(&enrolment);
    }
  }
  return active;
}

const Tenant* TrustSnapshot::tenant(std::string_view code) const {
  // In the order of their leaves.
  const auto& tenants = contents_->records.tenants;
  const auto found = std::find_if(tenants.rbegin(), tenants.rend(), [&](const Tenant& tenant) {
    return tenant.code == code && tenant.leaf_index < leaves_;
  });
  return found == tenants.rend() ? nullptr : &*found;
}

}  // namespace district::trust
