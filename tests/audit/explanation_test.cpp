// What districtctl check says of the vectors: the right verdict, and the right reason by name.
#include "audit/explanation.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../support/signed_archive.h"
#include "../vectors/vector_trust.h"
#include "base/diagnosis.h"

using namespace district;
using audit::Finding;

namespace {

struct Initialized {
  Initialized() { xml::initialize(); }
};

struct Fixture : Initialized {
  static std::string vector(const std::string& name) {
    std::ifstream in(DISTRICT_SOURCE_DIR "/tests/vectors/" + name, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    BOOST_REQUIRE_MESSAGE(in, name);
    return text.str();
  }
  static audit::RequestToExplain question(const std::string& text) {
    audit::RequestToExplain question;
    question.octets = to_bytes(as_bytes(text));
    question.at = test::kVectorTime;
    return question;
  }
  audit::Explanation explain(const audit::RequestToExplain& asked) const {
    return audit::explain(asked, *validator);
  }
  audit::Explanation explain(const std::string& name) const {
    return explain(question(vector(name)));
  }

  test::PlainOperationReader operations;
  std::unique_ptr<validate::Validator> validator = validate::Validator::create(operations).value();
};

const audit::Step& step(const audit::Explanation& explanation, const std::string& name) {
  for (const auto& each : explanation.steps)
    if (each.name == name && each.finding != Finding::good) return each;
  for (const auto& each : explanation.steps)
    if (each.name == name) return each;
  BOOST_FAIL("no step " << name);
  return explanation.steps.front();
}

std::string all_text(const audit::Step& step) {
  std::string text = step.text;
  for (const auto& line : step.more) text += "\n" + line;
  for (const auto& hint : step.hints) text += "\n" + hint;
  return text;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(explanation, Fixture)

BOOST_AUTO_TEST_CASE(every_vector_gets_its_verdict_and_both_verifiers_agree) {
  test::VectorTrust of_vectors;
  const auto trust = of_vectors.trust().snapshot();
  std::size_t examined = 0;
  for (const std::string folder : {"accepted", "rejected"}) {
    for (const auto& file :
         std::filesystem::directory_iterator(DISTRICT_SOURCE_DIR "/tests/vectors/" + folder)) {
      const auto name = folder + "/" + file.path().filename().string();
      if (file.path().extension() != ".xml") continue;
      auto asked = question(vector(name));
      asked.trust = trust;
      if (file.path().stem().extension() == ".soap12")
        asked.content_type = "application/soap+xml";
      else
        asked.content_type = "text/xml";
      const auto explanation = explain(asked);
      BOOST_TEST(explanation.agree(), name);
      BOOST_TEST((!explanation.server.error ||
                  explanation.server.error->code == explanation.auditor.error->code),
                 name);
      const bool verified =
          !explanation.server.error || static_cast<int>(explanation.server.error->code) >= 3000 ||
          contains(explanation.server.error->detail, "is not enrolled for tenant");
      BOOST_TEST(verified == (folder == "accepted"), name);
      if (folder == "rejected") {
        BOOST_TEST(!explanation.accepted(), name);
        BOOST_TEST(!rule_of(*explanation.server.error).empty(), name);
      }
      ++examined;
    }
  }
  BOOST_TEST(examined > 200U);
}

BOOST_AUTO_TEST_CASE(what_stands_behind_the_body_is_one_fault_to_both_whatever_its_ids) {
  const std::string good = vector("accepted/barcelona.xml");
  const auto from = good.find("<soap:Body");
  const auto body = good.substr(from, good.rfind("</soap:Envelope>") - from);
  const auto explanation =
      explain(question(replaced(good, "</soap:Envelope>", body + "</soap:Envelope>")));
  BOOST_REQUIRE(explanation.server.error);
  BOOST_REQUIRE(explanation.auditor.error);
  BOOST_TEST((explanation.server.error->code == ErrorCode::not_soap));
  BOOST_TEST((explanation.auditor.error->code == ErrorCode::not_soap));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_with_the_header_is_what_the_server_names_of_a_broken_body) {
  const auto broken = [](const std::string& text) {
    return replaced(text, "</messages>", "</message>");
  };
  const auto code_of = [&](const audit::RequestToExplain& asked) {
    const auto explanation = explain(asked);
    BOOST_REQUIRE(explanation.server.error);
    BOOST_REQUIRE(explanation.auditor.error);
    BOOST_TEST((explanation.auditor.error->code == ErrorCode::xml_malformed));
    BOOST_TEST(explanation.agree());
    return explanation.server.error->code;
  };
  auto good = question(broken(vector("accepted/barcelona.xml")));
  BOOST_TEST((code_of(good) == ErrorCode::xml_malformed));
  good.trust = test::VectorTrust().trust().snapshot();
  BOOST_TEST((code_of(good) == ErrorCode::xml_malformed));
  good.at += std::chrono::hours(1);
  BOOST_TEST((code_of(good) == ErrorCode::message_expired));
  const auto unsigned_body = broken(vector("rejected/2001-body-not-signed.xml"));
  BOOST_TEST((code_of(question(unsigned_body)) == ErrorCode::security_invalid));
}

BOOST_AUTO_TEST_CASE(without_a_trust_store_a_good_message_is_good_and_trust_not_checked) {
  const auto explanation = explain("accepted/barcelona.xml");
  BOOST_TEST(explanation.accepted());
  BOOST_TEST((step(explanation, "enrolment").finding == Finding::not_checked));
  BOOST_TEST((step(explanation, "content").finding == Finding::good));
  BOOST_TEST((step(explanation, "replay").finding == Finding::not_checked));
}

BOOST_AUTO_TEST_CASE(the_version_of_soap_is_assumed_by_the_envelope_not_by_what_else_is_named) {
  const auto with_other = replaced(vector("accepted/barcelona.xml"), "<soap:Header>",
                                   "<soap:Header><a:b xmlns:a='urn:a' "
                                   "xmlns:s12='http://www.w3.org/2003/05/soap-envelope'/>");
  const auto explanation = explain(question(with_other));
  BOOST_TEST(explanation.accepted());
  BOOST_TEST(contains(all_text(step(explanation, "transport")), "SOAP 1.1"));
}

BOOST_AUTO_TEST_CASE(after_a_failed_window_the_other_steps_are_examined) {
  auto asked = question(vector("accepted/barcelona.xml"));
  asked.at += std::chrono::hours(1);
  const auto explanation = explain(asked);
  BOOST_TEST(!explanation.accepted());
  BOOST_TEST((step(explanation, "window").finding == Finding::bad));
  BOOST_TEST((step(explanation, "signature").finding == Finding::good));
  BOOST_TEST((step(explanation, "reference").finding == Finding::good));
  BOOST_TEST((step(explanation, "content").finding == Finding::good));
}

BOOST_AUTO_TEST_CASE(a_body_that_was_indented_after_signing_is_told_so) {
  const auto text =
      all_text(step(explain("rejected/2007-body-white-space-added.xml"), "reference"));
  BOOST_TEST(contains(text, "indented"), text);
  BOOST_TEST(contains(text, "in the signature  "), text);
}

BOOST_AUTO_TEST_CASE(der_of_gsoap_is_told_so) {
  const auto text = all_text(step(explain("rejected/2007-ecdsa-der.xml"), "signature"));
  BOOST_TEST(contains(text, "gSOAP sends DER"), text);
}

BOOST_AUTO_TEST_CASE(a_zero_octet_of_sign_before_r_and_s_is_told_so) {
  const auto text = all_text(step(explain("rejected/2007-ecdsa-leading-zeros.xml"), "signature"));
  BOOST_TEST(contains(text, "zero octet of sign"), text);
}

// As --certificate gives it, where the message only refers to it.
BOOST_AUTO_TEST_CASE(a_reference_is_held_against_the_certificate_that_is_given) {
  const auto given = [&](const std::string& text) {
    auto asked = question(text);
    asked.certificate = crypto::Certificate::from_pem_file(
                            DISTRICT_SOURCE_DIR "/tests/vectors/certificates/kalundborg.pem")
                            .value();
    return explain(asked);
  };
  const auto good = vector("accepted/issuer-serial-rfc2253.xml");
  const auto named = given(good);
  BOOST_TEST(named.accepted());
  BOOST_TEST(contains(step(named, "key").text, "It names --certificate"), step(named, "key").text);
  struct Case {
    const char *from, *to, *says;
  };
  for (const auto& [from, to, says] :
       {Case{"CN=Test CA", "CN=Kalundborg gateway", "names its subject as the issuer"},
        Case{"CN=Test CA,O=Pilots\\, Test,C=ES", "/C=ES/O=Pilots, Test/CN=Test CA",
             "is written with slashes"},
        Case{"<ds:X509SerialNumber>", "<ds:X509SerialNumber>7",
             "none with the serial number that the message names"}}) {
    const auto explanation = given(replaced(good, from, to));
    BOOST_TEST(!explanation.accepted());
    BOOST_TEST(explanation.agree());
    const auto& key = step(explanation, "key");
    BOOST_TEST((key.finding == Finding::bad));
    BOOST_TEST(contains(key.text, "It does not name --certificate: "), key.text);
    BOOST_TEST(contains(all_text(key), says), all_text(key));
    BOOST_TEST(contains(all_text(key), "X509IssuerName CN=Test CA"), all_text(key));
  }
  const auto thumbprint = vector("accepted/thumbprint-kalundborg.xml");
  const auto begin = thumbprint.find(">", thumbprint.find("<wsse:KeyIdentifier")) + 1;
  const auto value = thumbprint.substr(begin, thumbprint.find('<', begin) - begin);
  const auto in_hex = given(replaced(thumbprint, value, to_hex(*from_base64(value))));
  const auto& key = step(in_hex, "key");
  BOOST_TEST(contains(key.text, "in hexadecimal"), key.text);
}

BOOST_AUTO_TEST_CASE(a_key_of_another_certificate_is_named_where_it_is_known) {
  auto asked = question(vector("rejected/2007-certificate-stranger-signed-by-another.xml"));
  test::VectorTrust of_vectors;
  asked.trust = of_vectors.trust().snapshot();
  const auto text = all_text(step(explain(asked), "signature"));
  BOOST_TEST(contains(text, "with the key of another certificate"), text);
}

BOOST_AUTO_TEST_CASE(a_digest_that_does_not_fit_for_no_usual_reason_is_not_explained_away) {
  const auto text = all_text(step(explain("rejected/2007-body-changed.xml"), "reference"));
  BOOST_TEST(contains(text, "changed after signing"), text);
}

BOOST_AUTO_TEST_CASE(findings_of_the_schemas_have_line_and_path_whatever_the_signature) {
  const auto changed =
      replaced(vector("accepted/barcelona.xml"), "</energy_measure>", "x</energy_measure>");
  const auto explanation = explain(question(changed));
  const auto text = all_text(step(explanation, "content"));
  BOOST_TEST(contains(text, "line "), text);
  BOOST_TEST(contains(text, "energy_measure"), text);
  BOOST_TEST((step(explanation, "reference").finding == Finding::bad));
}

BOOST_AUTO_TEST_CASE(another_tenant_than_meant_is_bad) {
  auto asked = question(vector("accepted/barcelona.xml"));
  asked.tenant = "30";
  const auto explanation = explain(asked);
  BOOST_TEST(!explanation.accepted());
  BOOST_TEST((step(explanation, "tenant").finding == Finding::bad));
}

BOOST_AUTO_TEST_CASE(what_is_no_xml_no_soap_or_nothing_at_all_is_said_to_be) {
  for (const std::string text : {"", "hello", "<a/>", "<a>", "\x1F\x8Bxx", "\xff\xff"}) {
    const auto explanation = explain(question(text));
    BOOST_TEST(!explanation.accepted(), text);
    BOOST_TEST(explanation.server.error.has_value(), text);
  }
}

BOOST_AUTO_TEST_SUITE_END()
