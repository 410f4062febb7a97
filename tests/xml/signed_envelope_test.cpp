// What we sign is what others verify: the xmlsec1 program, with keys by the openssl program.
#include "xml/signed_envelope.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <fstream>
#include <string>

#include "../support/temporary_folder.h"
#include "xml/document.h"
#include "xml/dsig.h"
#include "xml/namespaces.h"

namespace {

using namespace district;

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

struct Signer {
  explicit Signer(const std::string& algorithm) {
    const std::string key_file = folder.file("key.pem"), pem_file = folder.file("certificate.pem");
    BOOST_REQUIRE(run("openssl req -x509 -newkey " + algorithm +
                      " -nodes -subj /CN=test -days 2 -keyout " + key_file + " -out " + pem_file));
    certificate = *crypto::Certificate::from_pem_file(pem_file);
    key = *crypto::PrivateKey::from_pem_file(key_file);
  }
  bool xmlsec1_verifies(const std::string& envelope) const {
    std::ofstream(folder.file("envelope.xml"), std::ios::binary) << envelope;
    std::string ids;
    for (const auto& [uri, name] :
         {std::pair{xml::ns::kSoap11, "Body"}, std::pair{xml::ns::kSoap12, "Body"},
          std::pair{xml::ns::kWsu, "Timestamp"},
          std::pair{xml::ns::kWsse11, "SignatureConfirmation"}}) {
      ids += " --id-attr:Id " + std::string(uri) + ":" + name;
    }
    return run("xmlsec1 --verify --pubkey-cert-pem " + folder.file("certificate.pem") + ids + " " +
               folder.file("envelope.xml"));
  }

  test::TemporaryFolder folder;
  crypto::Certificate certificate;
  crypto::PrivateKey key;
};

xml::EnvelopeToSign fault(SoapVersion version) {
  xml::EnvelopeToSign envelope;
  envelope.version = version;
  envelope.body_content =
      "<soap:Fault><faultcode "
      "xmlns:urb=\"http://urb-grade.eu\">urb:InvalidMessage</faultcode><faultstring>\xC3\xA6 "
      "&lt;&amp;</faultstring></soap:Fault>";
  envelope.inclusive_prefixes = {"soap", "urb"};
  envelope.created = *parse_date_time("2026-01-15T12:00:00Z");
  envelope.confirmations = {"AAAA", "BBBB"};
  return envelope;
}

void check(const Signer& signer, SoapVersion version) {
  const auto signed_text =
      xml::write_signed_envelope(fault(version), signer.certificate, signer.key);
  BOOST_REQUIRE(signed_text);
  const std::string& text = signed_text->envelope;
  BOOST_TEST(signer.xmlsec1_verifies(text));
  std::string changed = text;
  changed.replace(changed.find("InvalidMessage"), 1, "J");
  BOOST_TEST(!signer.xmlsec1_verifies(changed));

  const auto document = *xml::Document::parse(as_bytes(text));
  const auto ids = *xml::collect_ids(document->root());
  const auto security = document->root().children()[0].children()[0];
  const auto signature = xml::read_signature(security.children().back(), ids);
  BOOST_REQUIRE(signature);
  BOOST_TEST(signature->references.size() == 4);
  for (const auto& reference : signature->references) {
    BOOST_TEST(xml::verify_digest(reference).has_value());
    BOOST_TEST(
        text.find(*xml::canonicalize(reference.element, reference.prefixes)) != std::string::npos,
        reference.id + " is not canonical as sent");
  }
  BOOST_TEST(text.find(*xml::canonical_signed_info(*signature)) != std::string::npos);
  BOOST_TEST(xml::verify_by_xmlsec(*signature, signer.certificate.public_key()).has_value());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signed_envelope)

BOOST_AUTO_TEST_CASE(xmlsec1_verifies_what_we_sign_with_rsa) {
  xml::initialize();
  const Signer signer("rsa:2048");
  check(signer, SoapVersion::v11);
  check(signer, SoapVersion::v12);
}

BOOST_AUTO_TEST_CASE(xmlsec1_verifies_what_we_sign_with_ecdsa) {
  xml::initialize();
  const Signer signer("ec -pkeyopt ec_paramgen_curve:P-256");
  check(signer, SoapVersion::v11);
  check(signer, SoapVersion::v12);
}

BOOST_AUTO_TEST_CASE(the_same_content_twice_has_two_signatures) {
  const Signer signer("ec -pkeyopt ec_paramgen_curve:P-256");
  const auto first =
      xml::write_signed_envelope(fault(SoapVersion::v11), signer.certificate, signer.key);
  const auto second =
      xml::write_signed_envelope(fault(SoapVersion::v11), signer.certificate, signer.key);
  BOOST_TEST(first->signature_value != second->signature_value);
  BOOST_TEST(first->envelope.substr(0, 400) != second->envelope.substr(0, 400));
}

BOOST_AUTO_TEST_CASE(an_envelope_without_security_is_an_envelope) {
  const auto document =
      xml::Document::parse(as_bytes(xml::write_plain_envelope(SoapVersion::v12, "<a></a>")));
  BOOST_REQUIRE(document);
  BOOST_TEST((*document)->root().is(xml::ns::kSoap12, "Envelope"));
  BOOST_TEST((*document)->root().children().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
