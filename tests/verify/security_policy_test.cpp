// What the server says of a signer that it does not trust.
#include "verify/security_policy.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>

#include "../support/demo_certificates.h"
#include "store/trust_store.h"
#include "trust/snapshot.h"

BOOST_AUTO_TEST_SUITE(security_policy)

// Both changes were made by a node whose clock was an hour ahead. They hold all the same.
BOOST_AUTO_TEST_CASE(a_revocation_is_the_reason_also_when_the_enrolment_is_dated_ahead) {
  using namespace district;
  const test::DemoCertificates certificates;
  const auto certificate = certificates.make("gateway");
  const Instant now =
      std::chrono::floor<Duration>(std::chrono::system_clock::now()) + std::chrono::hours(1);
  Enrolment enrolment;
  enrolment.tenant = "20";
  enrolment.certificate_sha256 = certificate.sha256();
  enrolment.certificate_der = certificate.der();
  enrolment.enrolled_at = enrolment.valid_from = now + std::chrono::hours(1);
  const auto judge = [&] {
    store::TrustRecords records;
    records.enrolments = {enrolment};
    return verify::check_trust(trust::TrustSnapshot(std::move(records)), certificate, false, now);
  };
  BOOST_TEST(judge().has_value());
  enrolment.revoked_at = now + std::chrono::hours(2);
  enrolment.revocation_reason = "lost";
  const auto refused = judge();
  BOOST_REQUIRE(!refused);
  BOOST_TEST(
      refused.error().detail.find("its enrolment for tenant 20 is revoked") != std::string::npos,
      refused.error().detail);
}

BOOST_AUTO_TEST_SUITE_END()
