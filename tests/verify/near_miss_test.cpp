// Key references that are nearly right, as clients write them.
#include "verify/near_miss.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "crypto/digest.h"

using namespace district;
using verify::KeyName;

namespace {

struct Fixture {
  static crypto::Certificate certificate(const std::string& name) {
    return *crypto::Certificate::from_pem_file(DISTRICT_SOURCE_DIR "/tests/vectors/certificates/" +
                                               name + ".pem");
  }
  const crypto::Certificate eibar = certificate("eibar");
  const std::vector<crypto::Certificate> enrolled{certificate("kalundborg"), eibar,
                                                  certificate("barcelona")};

  verify::NearMiss issuer_serial(const std::string& issuer, const std::string& serial) const {
    return verify::near_miss({KeyName::Kind::issuer_serial, issuer, serial}, enrolled);
  }
  verify::NearMiss thumbprint(const std::string& value) const {
    return verify::near_miss({KeyName::Kind::thumbprint, {}, value}, enrolled);
  }
  verify::NearMiss key_identifier(const std::string& value) const {
    return verify::near_miss({KeyName::Kind::key_identifier, {}, value}, enrolled);
  }
  static void has(const verify::NearMiss& found, const std::string& part) {
    const auto text = found.explanation + " | " + found.hint;
    BOOST_TEST(text.find(part) != std::string::npos, "'" + part + "' is not in: " + text);
  }
};

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string with_colons(const std::string& hex) {
  std::string text;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    text += (text.empty() ? "" : ":") + hex.substr(i, 2);
  return text;
}

// Of the numbers of the vectors, 00C0FFEE01 and following.
std::string hex_of(const std::string& decimal) {
  char text[32];
  std::snprintf(text, sizeof text, "%llx", std::stoull(decimal));
  return text;
}

constexpr const char* kIssuer = "CN=Test CA,O=Pilots\\, Test,C=ES";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(near_miss, Fixture)

BOOST_AUTO_TEST_CASE(the_subject_in_place_of_the_issuer) {
  const auto found = issuer_serial(eibar.subject(), eibar.serial_decimal());
  has(found, "the serial number is that of CN=Eibar gateway");
  has(found, "names its subject as the issuer; its issuer is CN=Test CA");
  has(found, "X509SerialNumber " + eibar.serial_decimal());
}

BOOST_AUTO_TEST_CASE(a_name_with_slashes_of_the_issuer_or_the_subject) {
  has(issuer_serial("/C=ES/O=Pilots, Test/CN=Test CA", eibar.serial_decimal()),
      "the issuer's name is written with slashes; its issuer is CN=Test CA");
  has(issuer_serial("/C=ES/O=Pilots, Test/CN=Eibar gateway", eibar.serial_decimal()),
      "names its subject as the issuer");
}

BOOST_AUTO_TEST_CASE(a_serial_number_in_hexadecimal_in_any_spelling) {
  const auto hex = hex_of(eibar.serial_decimal());
  for (const auto& text : {hex, upper(hex), "0x" + hex, "00" + hex, with_colons("00" + hex),
                           hex.substr(0, 4) + " " + hex.substr(4), hex + "h"}) {
    has(issuer_serial(kIssuer, text), "in hexadecimal: write " + eibar.serial_decimal());
  }
  // With the subject as well.
  const auto both = issuer_serial(eibar.subject(), hex);
  has(both, "in hexadecimal: write " + eibar.serial_decimal());
  has(both, "its subject as the issuer");
}

BOOST_AUTO_TEST_CASE(other_spellings_of_a_serial_number) {
  const auto octets = *from_hex(hex_of(eibar.serial_decimal()));
  const Bytes reversed(octets.rbegin(), octets.rend());
  has(issuer_serial(kIssuer, to_hex(reversed)), "in reverse order");
  has(issuer_serial(kIssuer, to_base64(octets)), "in base64");
  // .NET and Java read it with a sign where the leading zero is left out.
  const auto negative =
      std::to_string(static_cast<std::int32_t>(std::stoull(eibar.serial_decimal())));
  BOOST_REQUIRE(negative.starts_with('-'));
  has(issuer_serial(kIssuer, negative), "as a negative number");
  const auto decimal = eibar.serial_decimal();
  has(issuer_serial(kIssuer, decimal.substr(0, 1) + "," + decimal.substr(1)), "with signs between");
  has(issuer_serial(kIssuer, "3.237998E9"), "has lost digits");
}

BOOST_AUTO_TEST_CASE(a_serial_number_or_an_issuer_of_another) {
  const auto other = issuer_serial(kIssuer, "4711");
  has(other, "of this issuer there is CN=Kalundborg gateway");
  has(other, "none with the serial number that the message names");
  has(issuer_serial("CN=Old CA,O=Pilots\\, Test,C=ES", eibar.serial_decimal()),
      "the issuer named is another one; its issuer is CN=Test CA");
  has(issuer_serial("Test CA", eibar.serial_decimal()), "is no distinguished name");
  has(issuer_serial("", eibar.serial_decimal()), "is no distinguished name");
  has(issuer_serial("O=Pilots\\, Test,CN=Test CA,C=ES", eibar.serial_decimal()),
      "the parts of the issuer's name are in another order");
  BOOST_TEST(issuer_serial("CN=Nobody", "4711").explanation.empty());
  BOOST_TEST(issuer_serial("", "").explanation.empty());
}

BOOST_AUTO_TEST_CASE(thumbprints_in_another_spelling_or_of_something_else) {
  const auto right = to_base64(eibar.sha1());
  const auto hex = to_hex(eibar.sha1());
  for (const auto& text : {hex, upper(hex), with_colons(hex), upper(with_colons(hex))}) {
    has(thumbprint(text), "the SHA-1 thumbprint of CN=Eibar gateway");
    has(thumbprint(text), "in hexadecimal");
    has(thumbprint(text), right);
  }
  has(thumbprint(to_base64(as_bytes(hex))), "base64 of its hexadecimal digits");
  has(thumbprint(to_base64(eibar.sha256())), "the SHA-256 thumbprint");
  has(thumbprint(to_hex(eibar.sha256())), "the SHA-256 thumbprint");
  const auto& spki = eibar.public_key().spki_der();
  has(thumbprint(to_base64(crypto::sha1(spki))), "SubjectPublicKeyInfo");
  has(thumbprint(to_base64(crypto::sha256(spki))), "SubjectPublicKeyInfo");
  has(thumbprint(to_base64(*eibar.subject_key_identifier())), "the subject key identifier");
  has(thumbprint(right.substr(0, right.size() - 1)), "without its padding");
  BOOST_TEST(thumbprint("AAAA").explanation.empty());
  BOOST_TEST(thumbprint("").explanation.empty());
}

BOOST_AUTO_TEST_CASE(key_identifiers_in_another_spelling_or_of_something_else) {
  const Bytes right = *eibar.subject_key_identifier();
  has(key_identifier(to_hex(right)), "in hexadecimal");
  has(key_identifier(upper(with_colons(to_hex(right)))), "in hexadecimal");
  has(key_identifier(to_hex(right)), to_base64(right));
  Bytes wrapped{std::byte{4}, std::byte{20}};
  wrapped.insert(wrapped.end(), right.begin(), right.end());
  has(key_identifier(to_base64(wrapped)), "wrapped in DER");
  has(key_identifier(to_base64(eibar.sha1())), "the SHA-1 thumbprint");
  const auto bare = certificate("no-extensions");
  const auto found =
      verify::near_miss({KeyName::Kind::key_identifier, {}, to_base64(bare.key_sha1())}, {bare});
  has(found, "which has no subject key identifier");
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_a_reference_is_bounded) {
  const std::string long_text(100'000, 'x');
  BOOST_TEST(verify::shown({KeyName::Kind::issuer_serial, long_text, long_text}).size() < 500U);
  BOOST_TEST(issuer_serial(long_text, long_text).explanation.empty());
  BOOST_TEST(thumbprint(long_text).explanation.empty());
}

BOOST_AUTO_TEST_SUITE_END()
