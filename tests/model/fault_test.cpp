#include "model/fault.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <ostream>
#include <string>

namespace {

using district::ErrorCode;
using district::fault_kind;
using district::fault_name;
using district::http_status;
using district::SoapVersion;

struct Row {
  ErrorCode code;
  const char* name;  // prefix:local
  unsigned status11, status12;
};

// docs/reference/errors.md, "What a sender sees": one row for each code that can stop a request.
const Row kRows[] = {
    {ErrorCode::xml_malformed, "soap:Client", 500, 400},
    {ErrorCode::xml_forbidden, "soap:Client", 500, 400},
    {ErrorCode::limit_exceeded, "soap:Client", 500, 400},
    {ErrorCode::not_soap, "soap:Client", 500, 400},
    {ErrorCode::soap_version_mismatch, "soap:VersionMismatch", 500, 500},
    {ErrorCode::must_understand, "soap:MustUnderstand", 500, 500},
    {ErrorCode::too_large, "soap:Client", 413, 413},
    {ErrorCode::unsupported_media, "soap:Client", 415, 415},
    {ErrorCode::overloaded, "soap:Server", 503, 503},
    {ErrorCode::request_cut, "soap:Client", 500, 400},
    {ErrorCode::security_invalid, "wsse:InvalidSecurity", 500, 400},
    {ErrorCode::algorithm_unsupported, "wsse:UnsupportedAlgorithm", 500, 400},
    {ErrorCode::token_unsupported, "wsse:UnsupportedSecurityToken", 500, 400},
    {ErrorCode::token_unavailable, "wsse:SecurityTokenUnavailable", 500, 400},
    {ErrorCode::token_invalid, "wsse:InvalidSecurityToken", 500, 400},
    {ErrorCode::authentication_failed, "wsse:FailedAuthentication", 500, 400},
    {ErrorCode::signature_failed, "wsse:FailedCheck", 500, 400},
    {ErrorCode::message_expired, "wsu:MessageExpired", 500, 400},
    {ErrorCode::message_replayed, "urb:MessageReplayed", 500, 400},
    {ErrorCode::trust_changed, "soap:Server", 503, 503},
    {ErrorCode::schema_invalid, "urb:InvalidMessage", 500, 400},
    {ErrorCode::content_type_unknown, "urb:InvalidMessage", 500, 400},
    {ErrorCode::header_rule, "urb:InvalidMessage", 500, 400},
    {ErrorCode::archive_unavailable, "soap:Server", 503, 503},
    {ErrorCode::archive_corrupt, "soap:Server", 500, 500},
    {ErrorCode::archive_foreign, "soap:Server", 500, 500},
    {ErrorCode::not_found, "soap:Server", 500, 500},
    {ErrorCode::signing_failed, "soap:Server", 500, 500},
    {ErrorCode::internal, "soap:Server", 500, 500},
};

BOOST_AUTO_TEST_SUITE(fault)

BOOST_AUTO_TEST_CASE(soap_1_2_renamed_two_of_its_faults) {
  const auto name = [](ErrorCode code) { return fault_name(code, SoapVersion::v12); };
  BOOST_TEST(name(ErrorCode::xml_malformed) == "soap:Sender");
  BOOST_TEST(name(ErrorCode::internal) == "soap:Receiver");
  BOOST_TEST(name(ErrorCode::must_understand) == "soap:MustUnderstand");
  BOOST_TEST(name(ErrorCode::soap_version_mismatch) == "soap:VersionMismatch");
  BOOST_TEST(name(ErrorCode::signature_failed) == "wsse:FailedCheck");
}

BOOST_AUTO_TEST_CASE(every_code_has_the_fault_and_the_status_of_the_contract) {
  for (const Row& row : kRows) {
    const auto kind = fault_kind(row.code);
    BOOST_TEST_CONTEXT("code " << static_cast<int>(row.code)) {
      BOOST_TEST(std::string(kind.prefix) + ":" + std::string(kind.local) == row.name);
      BOOST_TEST(fault_name(row.code, SoapVersion::v11) == row.name);
      BOOST_TEST(http_status(row.code, SoapVersion::v11) == row.status11);
      BOOST_TEST(http_status(row.code, SoapVersion::v12) == row.status12);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_fault_has_one_fixed_text) {
  std::map<std::string, std::string> codes_by_text;
  for (const Row& row : kRows) {
    const auto kind = fault_kind(row.code);
    BOOST_TEST(!kind.text.empty());
    // Two codes of the contract never share a text, so no text tells more than its code.
    const auto [at, added] = codes_by_text.emplace(kind.text, row.name);
    if (!added) BOOST_TEST(at->second == row.name);
  }
}

BOOST_AUTO_TEST_CASE(only_faults_of_soap_itself_leave_the_namespace_to_the_version) {
  for (const Row& row : kRows) {
    const auto kind = fault_kind(row.code);
    BOOST_TEST(kind.namespace_uri.empty() == (kind.prefix == "soap"));
  }
}

BOOST_AUTO_TEST_CASE(server_faults_do_not_blame_the_sender) {
  for (const Row& row : kRows) {
    const auto kind = fault_kind(row.code);
    BOOST_TEST(kind.sender_at_fault == (std::string(row.name) != "soap:Server"));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
