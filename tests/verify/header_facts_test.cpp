// What the diagnosis of a rejection says of the header, on the vectors.
#include "verify/header_facts.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "../vectors/vector_trust.h"
#include "verify/stream_verifier.h"

using namespace district;

namespace {

struct Initialized {
  Initialized() { xml::initialize(); }
};

struct Fixture : Initialized {
  test::VectorTrust trust;

  Result<verify::VerifiedEnvelope> verify(const std::string& name) {
    std::ifstream in(DISTRICT_SOURCE_DIR "/tests/vectors/" + name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    BOOST_REQUIRE_MESSAGE(in, name);
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text.str()));
    verify::NoReader nobody;
    return verify::StreamVerifier(trust.trust(), {}).verify(raw, test::kVectorTime, nobody);
  }
  Diagnosis facts(const std::string& name) {
    const auto verified = verify(name);
    BOOST_REQUIRE_MESSAGE(!verified, name);
    return diagnosis_of(verified.error());
  }
  std::string key_reference(const std::string& name) {
    const auto verified = verify(name);
    BOOST_REQUIRE_MESSAGE(verified, name);
    return verified->sender().key_reference;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(header_facts, Fixture)

BOOST_AUTO_TEST_CASE(a_changed_body_comes_with_digests_times_key_and_tenant) {
  const auto known = facts("rejected/2007-body-changed.xml");
  BOOST_TEST(known.rule == "XMLDSig 1.1 section 3.2.1");
  BOOST_TEST(known.reference == "Body");
  BOOST_TEST(known.expected_digest.size() == 44U);
  BOOST_TEST(known.computed_digest.size() == 44U);
  BOOST_TEST(known.expected_digest != known.computed_digest);
  BOOST_TEST((known.created == parse_date_time("2026-01-15T12:00:00Z")));
  BOOST_TEST((known.expires == parse_date_time("2026-01-15T12:05:00Z")));
  BOOST_TEST((known.judged_at == test::kVectorTime));
  BOOST_TEST(known.key_reference == "BinarySecurityToken X509v3");
  BOOST_TEST(known.certificate_sha256.size() == 64U);
  BOOST_TEST(known.tenant == "10");
  BOOST_TEST(known.signature_method.ends_with("rsa-sha256"));
}

BOOST_AUTO_TEST_CASE(a_header_of_the_wrong_form_still_tells_what_it_has) {
  const auto known = facts("rejected/2001-two-timestamps.xml");
  BOOST_TEST(known.rule == "BSP 1.1 R3227");
  BOOST_TEST(known.created.has_value());
  BOOST_TEST(!known.certificate_sha256.empty());
  BOOST_TEST(facts("rejected/2001-no-signature.xml").key_reference.empty());
}

BOOST_AUTO_TEST_CASE(a_certificate_that_is_not_enrolled_has_a_fingerprint_and_no_tenant) {
  const auto known = facts("rejected/2006-certificate-stranger.xml");
  BOOST_TEST(known.certificate_sha256.size() == 64U);
  BOOST_TEST(known.tenant.empty());
}

BOOST_AUTO_TEST_CASE(a_reference_that_names_nobody_says_what_came_and_who_may_be_meant) {
  const auto refused = [&](const std::string& name, const std::string& from,
                           const std::string& to) {
    std::ifstream in(DISTRICT_SOURCE_DIR "/tests/vectors/" + name, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto at = text.find(from);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
    text.replace(at, from.size(), to);
    RawEnvelope raw;
    raw.octets = to_bytes(as_bytes(text));
    verify::NoReader nobody;
    const auto verified =
        verify::StreamVerifier(trust.trust(), {}).verify(raw, test::kVectorTime, nobody);
    BOOST_REQUIRE(!verified);
    BOOST_TEST((verified.error().code == ErrorCode::token_unavailable));
    return verified.error();
  };
  const auto subject =
      refused("accepted/issuer-serial-rfc2253.xml", "CN=Test CA", "CN=Kalundborg gateway");
  BOOST_TEST(subject.detail.find("issuer 'CN=Kalundborg gateway,O=Pilots\\, Test,C=ES'") !=
                 std::string::npos,
             subject.detail);
  BOOST_TEST(subject.detail.find("names its subject as the issuer") != std::string::npos,
             subject.detail);
  BOOST_TEST(subject.hint.find("X509IssuerName CN=Test CA") != std::string::npos, subject.hint);
  const auto serial = refused("accepted/issuer-serial-rfc2253.xml", "<ds:X509SerialNumber>",
                              "<ds:X509SerialNumber>9");
  BOOST_TEST(serial.detail.find("none with the serial number") != std::string::npos, serial.detail);
}

BOOST_AUTO_TEST_CASE(each_kind_of_key_reference_has_a_name) {
  BOOST_TEST(key_reference("accepted/barcelona.xml") == "BinarySecurityToken X509v3");
  BOOST_TEST(key_reference("accepted/pki-path.xml") == "BinarySecurityToken X509PKIPathv1");
  BOOST_TEST(key_reference("accepted/thumbprint-eibar.xml")
                 .starts_with("KeyIdentifier ThumbprintSHA1: thumbprint '"));
  BOOST_TEST(
      key_reference("accepted/issuer-serial-rfc2253.xml")
          .starts_with("X509Data X509IssuerSerial: issuer 'CN=Test CA,O=Pilots\\, Test,C=ES', "
                       "serial number '"));
}

BOOST_AUTO_TEST_SUITE_END()
