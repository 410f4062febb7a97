#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/key_pair.h"

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
    make("blanks", "ec", "-pkeyopt ec_paramgen_curve:P-256 -subj '/O=X/OU= both /CN=ACME '");
    std::ofstream(folder / "oid.cnf")
        << "oid_section = oids\n[oids]\nours = 1.3.6.1.4.1.99999.7\n"
           "[req]\ndistinguished_name = none\nx509_extensions = none\n"
           "[none]\n";
    make("signs", "ec",
         "-pkeyopt ec_paramgen_curve:P-256 -utf8 -config " + (folder / "oid.cnf").string() +
             " -subj '/C=DK/ours=of ours"
             "/O=#1 A\\+B, \\\"C\\\"; <D>\\\\E=F/CN=Sæby\\\\'");
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

// Of "text" with SHA-256, on P-256; r and s both begin with a zero octet, which are left out: one
// pair in 65,536 does.
const char* const kShort =
    "e8e62ac950ecea3424566435ff582283477f518119df1fb0d5d43b149c5652"
    "310b77157c3e8aebab1e299f2a9103f17791ae1d0ef4d1cef411fdb2087246";
const char* const kShortPem =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBdjCCAR2gAwIBAgIUSP0ZA6vuUhkALg+tNwWCNL3RbpYwCgYIKoZIzj0EAwIw\n"
    "EDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTMwMDYwMzM5WhgPMjEyNjExMDYwNjAz\n"
    "MzlaMBAxDjAMBgNVBAMMBXNob3J0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "PKAbJR7HAaJyX6QkKUQ4bbBj5jVikkiZxD4NHcQuSOD3bkSgmkYmmBHtFlrdeHeI\n"
    "Kw6jiNmvmkuQLJDD1qRHw6NTMFEwHQYDVR0OBBYEFNes5CgB8QzGjXQfe2Fc0HLi\n"
    "IynlMB8GA1UdIwQYMBaAFNes5CgB8QzGjXQfe2Fc0HLiIynlMA8GA1UdEwEB/wQF\n"
    "MAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgc2EfkbPtuzt3fZq/qllhOq3GSHnJH4Xq\n"
    "o7noTs/AmlsCIC3zIYftFev+tl86+fWb+sLo4elTVA33WZx5Z/Lcn/zT\n"
    "-----END CERTIFICATE-----\n";

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

BOOST_AUTO_TEST_CASE(ecdsa_values_may_lack_the_zeros_that_both_halves_begin_with) {
  const auto certificate = Certificate::from_pem(kShortPem);
  BOOST_REQUIRE(certificate);
  const Bytes cut = *from_hex(kShort);
  const auto verifies = [&](const Bytes& value) {
    return certificate->public_key().verify(HashAlgorithm::sha256, as_bytes("text"), value);
  };
  const auto halves = [&](std::size_t zeros, std::size_t keep = 31) {
    Bytes value(zeros);
    value.insert(value.end(), cut.end() - 62, cut.end() - 31 - (31 - static_cast<long>(keep)));
    value.insert(value.end(), zeros, std::byte{0});
    value.insert(value.end(), cut.end() - 31, cut.end() - (31 - static_cast<long>(keep)));
    return value;
  };
  BOOST_TEST(verifies(cut));
  BOOST_TEST(verifies(halves(1)));   // of the width of the order
  BOOST_TEST(!verifies(halves(2)));  // longer than that
  BOOST_TEST(!verifies(halves(0, 30)));
  BOOST_TEST(!verifies(halves(1, 30)));
  for (std::size_t size = 0; size < 62; ++size)
    BOOST_TEST(!verifies(Bytes(cut.begin(), cut.begin() + static_cast<long>(size))));
  for (std::size_t size = 0; size <= 66; ++size) BOOST_TEST(!verifies(Bytes(size)));
  Bytes odd = cut;
  odd.insert(odd.begin(), std::byte{0});
  BOOST_TEST(!verifies(odd));
  Bytes zero_s = cut;
  std::fill(zero_s.begin() + 31, zero_s.end(), std::byte{0});
  BOOST_TEST(!verifies(zero_s));
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

// RFC 4514 section 2.4 escapes a blank at either end; its sections 3 and 4 read other spellings.
BOOST_AUTO_TEST_CASE(blanks_at_the_ends_of_values_are_read_however_they_are_escaped) {
  const auto certificate = *Certificate::from_pem_file(keys().pem("blanks"));
  for (const char* name :
       {"CN=ACME\\ ,OU=\\ both\\ ,O=X", "CN=ACME\\20,OU=\\20both\\20,O=X",
        "CN=\"ACME \",OU=\" both \",O=X", "CN=ACME,OU=both,O=X", "O=X,OU=\\ both\\ ,CN=ACME\\ ",
        " O = X , OU = \\ both\\   , CN = ACME\\  ", "CN=#0c0541434d4520,OU=both,O=X",
        "CN=#130541434D4520;OU=\\20both;O=X"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(certificate.issuer_matches(name)); }
  }
  BOOST_TEST(certificate.issuer_matches(certificate.issuer()), certificate.issuer());
  for (const char* name : {"CN=ACME\\,OU=both,O=X", "CN=ACME\\\\ ,OU=both,O=X", "CN=ACME\\",
                           "CN=AC ME,OU=both,O=X", "CN=ACME\\ ,OU=both\\ O=X"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(!certificate.issuer_matches(name)); }
  }
}

BOOST_AUTO_TEST_CASE(signs_that_need_escapes_and_types_that_nobody_knows_are_read) {
  const auto certificate = *Certificate::from_pem_file(keys().pem("signs"));
  for (const char* name : {"CN=S\\C3\\A6by\\\\,O=\\#1 A\\+B\\, \\\"C\\\"\\; \\<D\\>\\\\E\\=F,"
                           "1.3.6.1.4.1.99999.7=of ours,C=DK",
                           "CN=Sæby\\5C,O=\\231 A\\2bB\\2C \\22C\\22\\3B \\3CD\\3E\\5CE\\3DF,"
                           "1.3.6.1.4.1.99999.7=#0c076f66206f757273,C=DK",
                           "CN=\"Sæby\\\\\", O=\"#1 A+B, \\\"C\\\"; <D>\\\\E=F\", "
                           "OID.1.3.6.1.4.1.99999.7=OF OURS, C=DK"}) {
    BOOST_TEST_CONTEXT(name) { BOOST_TEST(certificate.issuer_matches(name)); }
  }
  BOOST_TEST(certificate.issuer_matches(certificate.issuer()), certificate.issuer());
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

// Each as a program makes it; of a certificate and of a key the error names the kind, and the hint
// has the command for it.
BOOST_AUTO_TEST_CASE(files_are_recognised_for_what_they_are) {
  const auto& folder = keys().folder;
  const auto sh = [&](const std::string& command) {
    const auto whole = "cd " + folder.string() + " && { " + command + "; } >/dev/null 2>&1";
    BOOST_REQUIRE_MESSAGE(std::system(whole.c_str()) == 0, command);
  };
  sh("openssl pkcs12 -export -in rsa.pem -inkey rsa.key -passout pass:x -out f.p12");
  sh("openssl crl2pkcs7 -nocrl -certfile rsa.pem -out f.p7b");
  sh("openssl crl2pkcs7 -nocrl -certfile rsa.pem -outform DER -out f.p7c");
  sh("openssl x509 -in rsa.pem -outform DER -out f.cer");
  sh("openssl req -new -key rsa.key -subj /CN=x -out f.csr");
  sh("openssl req -new -key rsa.key -subj /CN=x -outform DER -out f.csr.der");
  sh("openssl pkey -in rsa.key -outform DER -out f.key.der");
  sh("openssl pkey -in p256.key -pubout -out f.pub");
  sh("openssl pkey -in p256.key -pubout -outform DER -out f.pub.der");
  sh("openssl pkcs8 -topk8 -in rsa.key -passout pass:x -out f.encrypted");
  sh("openssl pkcs8 -topk8 -in rsa.key -passout pass:x -outform DER -out f.encrypted.der");
  sh("openssl rsa -in rsa.key -aes128 -passout pass:x -traditional -out f.encrypted.old");
  sh("openssl genpkey -algorithm ED25519 -out f.ed25519");
  sh("iconv -f UTF-8 -t UTF-16 rsa.pem >f.utf16");
  sh("iconv -f UTF-8 -t UTF-16LE rsa.pem >f.utf16le");
  sh("grep -v -e '----' rsa.pem >f.base64");
  sh("tr '\\n' ' ' <rsa.pem >f.one-line");
  sh("head -c 700 rsa.pem >f.cut");
  sh("printf '\\376\\355\\376\\355\\0\\0\\0\\2' >f.jks");
  sh("printf 'ssh-rsa AAAAB3NzaC1yc2E user@host\\n' >f.ssh");
  sh("printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXktdjE=\\n-----END OPENSSH "
     "PRIVATE KEY-----\\n' >f.openssh");
  sh("printf '<html></html>' >f.html");
  sh("printf 'see attachment' >f.txt");
  sh(": >f.empty");
  struct Case {
    const char *file, *kind, *certificate_hint, *key_hint;
  };
  for (const Case& each : std::vector<Case>{
           {"f.p12", "PKCS#12", "-nokeys -clcerts", "-nocerts -nodes"},
           {"f.p7b", "PKCS#7 (.p7b, .p7c) in PEM", "openssl pkcs7 -print_certs", "private key"},
           {"f.p7c", "PKCS#7 (.p7b, .p7c) in DER", "-inform DER -print_certs", "private key"},
           {"f.cer", "a certificate in DER", "openssl x509 -inform DER", "private key"},
           {"f.csr", "a certificate request", "the authority", "private key"},
           {"f.csr.der", "a certificate request", "the authority", "private key"},
           {"f.key.der", "a private key in DER", "BEGIN CERTIFICATE", "openssl pkey -inform DER"},
           {"f.pub", "a public key", "BEGIN CERTIFICATE", "private key"},
           {"f.pub.der", "a public key", "BEGIN CERTIFICATE", "private key"},
           {"f.encrypted", "under a pass phrase", "BEGIN CERTIFICATE", "openssl pkey -in"},
           {"f.encrypted.der", "under a pass phrase", "BEGIN CERTIFICATE", "-inform DER"},
           {"f.encrypted.old", "under a pass phrase", "BEGIN CERTIFICATE", "openssl pkey -in"},
           {"f.utf16", "UTF-16", "iconv -f UTF-16", "iconv -f UTF-16"},
           {"f.utf16le", "UTF-16", "iconv -f UTF-16", "iconv -f UTF-16"},
           {"f.base64", "base64 without its BEGIN and END", "base64 -d", "base64 -d"},
           {"f.one-line", "damaged PEM", "line", "line"},
           {"f.cut", "damaged PEM", "line", "line"},
           {"f.jks", "key store of Java", "keytool", "keytool"},
           {"f.ssh", "a public key of SSH", "BEGIN CERTIFICATE", "private key"},
           {"f.openssh", "a private key of OpenSSH", "BEGIN CERTIFICATE", "ssh-keygen -p -m PEM"},
           {"f.html", "a web page", "BEGIN CERTIFICATE", "private key"},
           {"f.txt", "neither PEM", "BEGIN CERTIFICATE", "private key"},
           {"f.empty", "empty", "BEGIN CERTIFICATE", "private key"}}) {
    const auto path = (folder / each.file).string();
    const auto says = [&](const Error& error, const char* hint) {
      BOOST_TEST(error.detail.find(path + ": no ") == 0U, error.detail);
      BOOST_TEST(error.detail.find(each.kind) != std::string::npos, error.detail);
      BOOST_TEST(error.hint.find(hint) != std::string::npos, each.file << ": " << error.hint);
    };
    const auto certificate = Certificate::from_pem_file(path);
    BOOST_REQUIRE_MESSAGE(!certificate, each.file);
    BOOST_TEST((certificate.error().code == ErrorCode::token_invalid));
    says(certificate.error(), each.certificate_hint);
    const auto key = PrivateKey::from_pem_file(path);
    BOOST_REQUIRE_MESSAGE(!key, each.file);
    BOOST_TEST((key.error().code == ErrorCode::config_invalid));
    says(key.error(), each.key_hint);
  }
  const auto no_certificate = Certificate::from_pem_file(keys().key("rsa"));
  BOOST_REQUIRE(!no_certificate);
  BOOST_TEST(no_certificate.error().detail.find("the file is a private key") != std::string::npos);
  const auto no_key = PrivateKey::from_pem_file(keys().pem("rsa"));
  BOOST_REQUIRE(!no_key);
  BOOST_TEST(no_key.error().detail.find("the file is a certificate") != std::string::npos);
  BOOST_TEST(!PrivateKey::from_pem_file((folder / "f.ed25519").string()));
}

BOOST_AUTO_TEST_CASE(of_a_chain_the_signers_certificate_is_taken_wherever_it_stands) {
  const auto& folder = keys().folder;
  const auto sh = [&](const std::string& command) {
    const auto whole = "cd " + folder.string() + " && { " + command + "; } >/dev/null 2>&1";
    BOOST_REQUIRE_MESSAGE(std::system(whole.c_str()) == 0, command);
  };
  const auto pem = [&](const std::string& name) { return (folder / name).string(); };
  for (const char* name : {"leaf", "other"}) {
    const std::string n = name;
    sh("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout " + n +
       ".key -subj /CN=" + n + " -out " + n + ".csr");
    sh("openssl x509 -req -days 30 -in " + n +
       ".csr -CA rsa.pem -CAkey rsa.key -CAcreateserial "
       "-out " +
       n + ".pem");
  }
  sh("cat leaf.pem rsa.pem >leaf-first.pem; cat rsa.pem leaf.pem >root-first.pem");
  sh("cat rsa.pem p256.pem leaf.pem p384.pem >middle.pem; cat leaf.pem leaf.pem >twice.pem");
  sh("{ printf '\\357\\273\\277'; cat leaf.pem rsa.pem; } >mark.pem");
  sh("{ echo Bag Attributes; cat rsa.pem leaf.key; echo subject=x; cat leaf.pem; } >bag.pem");
  sh("sed 's/$/\\r/' root-first.pem >crlf.pem");
  for (const char* name : {"leaf.pem", "leaf-first.pem", "root-first.pem", "middle.pem",
                           "twice.pem", "mark.pem", "bag.pem", "crlf.pem"}) {
    BOOST_TEST_CONTEXT(name) {
      const auto certificate = Certificate::from_pem_file(pem(name));
      BOOST_REQUIRE_MESSAGE(certificate, (certificate ? "" : certificate.error().detail));
      BOOST_TEST(certificate->subject() == "CN=leaf");
      BOOST_TEST(!certificate->is_authority());
      const auto pair = read_key_pair(pem(name), pem("leaf.key"));
      BOOST_REQUIRE(pair);
      BOOST_TEST(pair->certificate.subject() == "CN=leaf");
    }
  }
  BOOST_TEST(Certificate::from_pem_file(keys().pem("rsa"))->is_authority());
  sh("cat leaf.pem rsa.pem other.pem >two-leaves.pem; cat rsa.pem p256.pem >no-leaf.pem");
  for (const char* name : {"two-leaves.pem", "no-leaf.pem"}) {
    const auto certificate = Certificate::from_pem_file(pem(name));
    BOOST_REQUIRE(!certificate);
    BOOST_TEST(certificate.error().detail.find("certificates is meant? ") != std::string::npos,
               certificate.error().detail);
    BOOST_TEST(certificate.error().detail.find("CN=rsa") != std::string::npos);
    BOOST_TEST(certificate.error().detail.find("(an authority's, CA:TRUE)") != std::string::npos);
  }
  // With the key it is clear which one is meant.
  const auto pair = read_key_pair(pem("two-leaves.pem"), pem("other.key"));
  BOOST_REQUIRE(pair);
  BOOST_TEST(pair->certificate.subject() == "CN=other");
  const auto none = read_key_pair(pem("root-first.pem"), keys().key("p384"));
  BOOST_REQUIRE(!none);
  BOOST_TEST(none.error().detail.find("does not belong to the certificate in") !=
             std::string::npos);
  BOOST_TEST(none.error().detail.find("CN=leaf") != std::string::npos, none.error().detail);
  // Those of authorities may be of kinds that are not read.
  sh("openssl req -x509 -newkey ed25519 -nodes -days 30 -keyout ed.key -out ed.pem -subj /CN=ed; "
     "cat ed.pem leaf.pem k1.pem >mixed.pem; cat k1.pem rsa.pem ed.pem >no-signer.pem");
  const auto mixed = Certificate::from_pem_file(pem("mixed.pem"));
  BOOST_REQUIRE_MESSAGE(mixed, (mixed ? "" : mixed.error().detail));
  BOOST_TEST(mixed->subject() == "CN=leaf");
  BOOST_TEST(read_key_pair(pem("mixed.pem"), pem("leaf.key")).has_value());
  const auto of_another = read_key_pair(pem("mixed.pem"), pem("other.key"));
  const auto no_signer = Certificate::from_pem_file(pem("no-signer.pem"));
  BOOST_REQUIRE(!of_another);
  BOOST_REQUIRE(!no_signer);
  for (const auto& [detail, named] :
       {std::pair(of_another.error().detail, "its certificate 1 of 3 was not understood: key is "),
        {of_another.error().detail, "its certificate 3 of 3 was not understood: EC key on another"},
        {no_signer.error().detail, "which of its 3 certificates is meant? "},
        {no_signer.error().detail, "(an authority's, CA:TRUE); its certificate 1"},
        {no_signer.error().detail, "its certificate 3 of 3 was not understood: key is neither"}})
    BOOST_TEST(detail.find(named) != std::string::npos, detail);
  sh("{ cat leaf.pem; head -c 300 rsa.pem; } >torn.pem");
  BOOST_TEST(!Certificate::from_pem_file(pem("torn.pem")));
}

BOOST_AUTO_TEST_CASE(an_authority_is_whom_others_take_for_one) {
  const auto& folder = keys().folder;
  std::ofstream(folder / "plain.cnf") << "[req]\ndistinguished_name = none\n[none]\n";
  const auto made = [&](const std::string& command) {
    const auto whole = "cd " + folder.string() + " && { " + command + "; } >/dev/null 2>&1";
    BOOST_REQUIRE_MESSAGE(std::system(whole.c_str()) == 0, command);
    return Certificate::from_pem_file((folder / "made.pem").string()).value();
  };
  const std::string by_itself =
      "openssl req -x509 -config plain.cnf -key p256.key -subj /CN=x -days 30 -out made.pem ";
  const std::string by_rsa =
      "openssl req -new -config plain.cnf -key p256.key -subj /CN=x | openssl x509 -req -days 30 "
      "-CA rsa.pem -CAkey rsa.key -CAcreateserial -out made.pem ";
  const std::string sign = "-addext keyUsage=digitalSignature ";
  BOOST_TEST(made(by_itself + "-addext basicConstraints=CA:TRUE").authority_mark() == "CA:TRUE");
  BOOST_TEST(made(by_itself + "-addext keyUsage=keyCertSign").authority_mark() ==
             "keyCertSign without basic constraints");
  BOOST_TEST(made("openssl req -new -config plain.cnf -key p256.key -subj /CN=x | openssl x509 "
                  "-req -days 30 -signkey p256.key -out made.pem")
                 .authority_mark() == "signed by itself, and of X.509 version 1");
  // Signers as there are in the field: none has basic constraints.
  BOOST_TEST(!made(by_rsa).is_authority());  // X.509 version 1
  BOOST_TEST(!made(by_itself + sign).is_authority());
  BOOST_TEST(!made(by_itself + "-addext subjectKeyIdentifier=hash").is_authority());
  BOOST_TEST(!made(by_itself + "-addext basicConstraints=CA:FALSE").is_authority());
}

BOOST_AUTO_TEST_CASE(sha256_of_parts_is_that_of_the_whole) {
  BOOST_TEST(to_hex(sha256(as_bytes("abc"))) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  BOOST_TEST((sha256({as_bytes("a"), as_bytes("bc")}) == sha256(as_bytes("abc"))));
  BOOST_TEST(to_hex(sha1(as_bytes("abc"))) == "a9993e364706816aba3e25717850c26c9cd0d89d");
}

BOOST_AUTO_TEST_SUITE_END()
