#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "crypto/certificate.h"
#include "crypto/digest.h"

using namespace district;
using namespace district::crypto;

namespace {

// Keys made by the openssl command line, once for the whole program.
struct Keys {
  std::filesystem::path folder;
  Keys() {
    std::string name = (std::filesystem::temp_directory_path() / "district-crypto-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    folder = name;
    make("rsa", "rsa:2048", "");
    make("weak", "rsa:1024", "");
    make("p256", "ec", "-pkeyopt ec_paramgen_curve:P-256");
    make("p384", "ec", "-pkeyopt ec_paramgen_curve:P-384");
    make("k1", "ec", "-pkeyopt ec_paramgen_curve:secp256k1");
    make(
        "names", "ec",
        "-pkeyopt ec_paramgen_curve:P-256 -utf8 -multivalue-rdn -subj '/C=ES/serialNumber=Q2826004J"
        "/O=FNMT \"RCM\", S.A./OU=Àrea+UID=7/CN=CA #1/emailAddress=ca@example.es'");
    make("nosign", "ec", "-pkeyopt ec_paramgen_curve:P-256 -addext keyUsage=keyEncipherment");
  }
  ~Keys() { std::filesystem::remove_all(folder); }
  void make(const std::string& name, const std::string& type, const std::string& more) const {
    const std::string command = "openssl req -x509 -newkey " + type + " -nodes -days 30 -keyout " +
                                key(name) + " -out " + pem(name) +
                                " -subj '/C=ES/O=Ajuntament, Barcelona/CN=" + name + "' " + more +
                                " 2>/dev/null";
    BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
  }
  // A certificate for the modulus of "rsa" with another exponent.
  void make_exponent(const std::string& exponent) const {
    const std::string at = (folder / ("e" + exponent)).string();
    const std::string command =
        "printf 'asn1=SEQUENCE:k\\n[k]\\nn=INTEGER:0x%s\\ne=INTEGER:" + exponent +
        "\\n' $(openssl x509 -in " + pem("rsa") + " -noout -modulus | cut -d= -f2) > " + at +
        ".cnf && openssl asn1parse -genconf " + at + ".cnf -noout -out " + at +
        ".der && openssl rsa -RSAPublicKey_in -inform DER -in " + at + ".der -pubout -out " + at +
        ".pub 2>/dev/null && openssl req -new -key " + key("rsa") + " -subj /CN=e -out " + at +
        ".csr && openssl x509 -req -in " + at + ".csr -force_pubkey " + at + ".pub -signkey " +
        key("rsa") + " -out " + at + ".pem 2>/dev/null";
    BOOST_REQUIRE_EQUAL(std::system(command.c_str()), 0);
  }
  std::string pem(const std::string& name) const { return (folder / (name + ".pem")).string(); }
  std::string key(const std::string& name) const { return (folder / (name + ".key")).string(); }
};

const Keys& keys() {
  static const Keys made;
  return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(certificate)

BOOST_AUTO_TEST_CASE(signatures_of_both_families_verify_and_any_change_breaks_them) {
  for (const char* name : {"rsa", "p256", "p384"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto certificate = Certificate::from_pem_file(keys().pem(name));
      const auto key = PrivateKey::from_pem_file(keys().key(name));
      BOOST_REQUIRE(certificate);
      BOOST_REQUIRE(key);
      BOOST_TEST(key->matches(*certificate));
      auto signature = key->sign(HashAlgorithm::sha256, as_bytes("text"));
      BOOST_REQUIRE(signature);
      const auto& verifier = certificate->public_key();
      BOOST_TEST(verifier.verify(HashAlgorithm::sha256, as_bytes("text"), *signature));
      BOOST_TEST(!verifier.verify(HashAlgorithm::sha256, as_bytes("Text"), *signature));
      BOOST_TEST(!verifier.verify(HashAlgorithm::sha512, as_bytes("text"), *signature));
      Bytes longer = *signature;
      longer.insert(longer.begin(), std::byte{0});
      BOOST_TEST(!verifier.verify(HashAlgorithm::sha256, as_bytes("text"), longer));
      for (std::size_t i = 0; i < signature->size(); i += 7) {
        (*signature)[i] ^= std::byte{1};
        BOOST_TEST(!verifier.verify(HashAlgorithm::sha256, as_bytes("text"), *signature));
        (*signature)[i] ^= std::byte{1};
      }
      const Bytes zeros(signature->size());
      BOOST_TEST(!verifier.verify(HashAlgorithm::sha256, as_bytes("text"), zeros));
    }
  }
}

BOOST_AUTO_TEST_CASE(weak_keys_and_other_curves_are_refused) {
  BOOST_TEST(
      check_strength(Certificate::from_pem_file(keys().pem("rsa"))->public_key()).has_value());
  BOOST_TEST(
      check_strength(Certificate::from_pem_file(keys().pem("p384"))->public_key()).has_value());
  BOOST_TEST(!check_strength(Certificate::from_pem_file(keys().pem("weak"))->public_key()));
  const auto other_curve = Certificate::from_pem_file(keys().pem("k1"));
  BOOST_TEST((!other_curve && other_curve.error().code == ErrorCode::token_invalid));
}

BOOST_AUTO_TEST_CASE(exponents_by_which_anybody_or_nobody_can_sign_are_refused) {
  for (const auto& [exponent, good] : {std::pair{"3", true},
                                       {"4294967295", true},
                                       {"1", false},
                                       {"65536", false},
                                       {"4294967297", false}}) {
    BOOST_TEST_CONTEXT(exponent) {
      keys().make_exponent(exponent);
      const auto certificate = Certificate::from_pem_file(keys().pem(std::string("e") + exponent));
      BOOST_REQUIRE(certificate);
      const auto checked = check_strength(certificate->public_key());
      BOOST_TEST(checked.has_value() == good);
      if (!good) BOOST_TEST((checked.error().code == ErrorCode::token_invalid));
    }
  }
}

BOOST_AUTO_TEST_CASE(key_usage_decides_who_may_sign) {
  BOOST_TEST(Certificate::from_pem_file(keys().pem("rsa"))->may_sign());
  BOOST_TEST(!Certificate::from_pem_file(keys().pem("nosign"))->may_sign());
}

BOOST_AUTO_TEST_CASE(der_is_one_strict_value) {
  const auto der = Certificate::from_pem_file(keys().pem("rsa"))->der();
  BOOST_TEST(Certificate::from_der(der).has_value());
  Bytes more = der;
  more.push_back(std::byte{0});
  BOOST_TEST(!Certificate::from_der(more));
  BOOST_TEST(!Certificate::from_der(ByteView(der).first(der.size() - 1)));
  BOOST_TEST(!Certificate::from_der({}));
}

BOOST_AUTO_TEST_CASE(issuer_names_are_matched_in_the_spellings_of_clients) {
  const auto certificate = *Certificate::from_pem_file(keys().pem("rsa"));
  for (const char* name :
       {"CN=rsa,O=Ajuntament\\, Barcelona,C=ES", "CN=rsa, O=\"Ajuntament, Barcelona\", C=ES",
        "C=ES,O=Ajuntament\\2C Barcelona,CN=rsa", "2.5.4.3=rsa,o=ajuntament\\,  barcelona,c=es"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(certificate.issuer_matches(name)); }
  }
  for (const char* name : {"", "CN=rsa", "CN=rsa,O=Ajuntament,C=ES", "rsa",
                           "CN=rsb,O=Ajuntament\\, Barcelona,C=ES", "CN=rsa\\"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(!certificate.issuer_matches(name)); }
  }
}

// Of one certificate, as its issuer's name is written by Java (X500Principal.getName(), RFC 1779,
// toString()), .NET, OpenSSL, and python3-cryptography.
BOOST_AUTO_TEST_CASE(issuer_names_of_rarer_types_are_matched_in_the_spellings_of_clients) {
  const auto certificate = *Certificate::from_pem_file(keys().pem("names"));
  const std::string java =
      "1.2.840.113549.1.9.1=#160d6361406578616d706c652e6573,CN=CA \\#1,OU=Àrea+UID=7,"
      "O=FNMT \\\"RCM\\\"\\, S.A.,2.5.4.5=#130951323832363030344a,C=ES";
  for (const std::string& name :
       {java,
        std::string("OID.1.2.840.113549.1.9.1=ca@example.es, CN=\"CA #1\", OU=Àrea + "
                    "OID.0.9.2342.19200300.100.1.1=7, O=\"FNMT \\\"RCM\\\", S.A.\", "
                    "OID.2.5.4.5=Q2826004J, C=ES"),
        std::string("EMAILADDRESS=ca@example.es, CN=\"CA #1\", OU=Àrea + UID=7, "
                    "O=\"FNMT \\\"RCM\\\", S.A.\", SERIALNUMBER=Q2826004J, C=ES"),
        std::string("E=ca@example.es, CN=CA #1, OU=Àrea + OID.0.9.2342.19200300.100.1.1=7, "
                    "O=\"FNMT \"\"RCM\"\", S.A.\", SERIALNUMBER=Q2826004J, C=ES"),
        std::string("emailAddress=ca@example.es,CN=CA #1,UID=7+OU=\\C3\\80rea,"
                    "O=FNMT \\\"RCM\\\"\\, S.A.,serialNumber=Q2826004J,C=ES"),
        std::string("C = ES, serialNumber = Q2826004J, O = \"FNMT \\\"RCM\\\", S.A.\", OU = "
                    "\\C3\\80rea + UID = 7, CN = CA #1, emailAddress = ca@example.es")}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(certificate.issuer_matches(name)); }
  }
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string name = java;
    return name.replace(name.find(from), from.size(), to);
  };
  for (const std::string& name :
       {changed("6573,CN", "6574,CN"), changed("#160d", "#160c"), changed("#160d", "#160e"),
        changed("#160d", "#"), changed("#160d", "#300d"), changed("#1309", "#13g9"),
        changed("6573,CN", "657300,CN"), changed("CN=CA \\#1", "CN=#CA"),
        changed("Àrea+UID", "Àrea,UID"), changed("=7", "=8")}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(!certificate.issuer_matches(name)); }
  }
}

BOOST_AUTO_TEST_CASE(files_that_are_not_what_they_should_be_say_so) {
  const auto missing = Certificate::from_pem_file("/nowhere/x.pem");
  BOOST_REQUIRE(!missing);
  BOOST_TEST((missing.error().code == ErrorCode::file_unreadable));
  BOOST_TEST(missing.error().detail.find("/nowhere/x.pem") != std::string::npos);
  const auto key = PrivateKey::from_pem_file(keys().pem("rsa"));
  BOOST_REQUIRE(!key);
  BOOST_TEST((key.error().code == ErrorCode::config_invalid));
}

BOOST_AUTO_TEST_CASE(sha256_of_parts_is_that_of_the_whole) {
  BOOST_TEST(to_hex(sha256(as_bytes("abc"))) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST((sha256({as_bytes("a"), as_bytes("bc")}) == sha256(as_bytes("abc"))));
  BOOST_TEST(to_hex(sha1(as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

BOOST_AUTO_TEST_SUITE_END()
