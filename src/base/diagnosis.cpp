#include "base/diagnosis.h"

#include <utility>

namespace district {
namespace {

// Where a failing check names no rule of its own.
const char* rule_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::xml_malformed:
      return "XML 1.0 sections 2.1 and 4.3.3, Namespaces in XML 1.0 section 7";
    case ErrorCode::xml_forbidden:
      return "SOAP 1.1 section 3, SOAP 1.2 Part 1 section 5";
    case ErrorCode::limit_exceeded:
      return "a limit of District, docs/reference/contract.md section 1";
    case ErrorCode::not_soap:
      return "SOAP 1.1 section 4, SOAP 1.2 Part 1 section 5";
    case ErrorCode::soap_version_mismatch:
      return "SOAP 1.1 section 4.1.2, SOAP 1.2 Part 1 section 5.4.7";
    case ErrorCode::must_understand:
      return "SOAP 1.1 section 4.2.3, SOAP 1.2 Part 1 section 5.2.3";
    case ErrorCode::too_large:
      return "RFC 9110 section 15.5.14, setting limits.body_bytes";
    case ErrorCode::unsupported_media:
      return "RFC 9110 section 15.5.16, docs/reference/contract.md section 1";
    case ErrorCode::overloaded:
      return "RFC 9110 section 15.6.4";
    case ErrorCode::request_cut:
      return "RFC 9112 section 8";
    case ErrorCode::security_invalid:
      return "WSS 1.1 section 5";
    case ErrorCode::algorithm_unsupported:
      return "docs/reference/contract.md section 5, algorithms";
    case ErrorCode::token_unsupported:
      return "X.509 Token Profile 1.1 section 3";
    case ErrorCode::token_unavailable:
      return "WSS 1.1 section 7.1";
    case ErrorCode::token_invalid:
      return "RFC 5280 section 4.1, X.509 Token Profile 1.1 section 3.1";
    case ErrorCode::authentication_failed:
      return "docs/reference/contract.md section 5, certificate";
    case ErrorCode::signature_failed:
      return "XMLDSig 1.1 section 3.2";
    case ErrorCode::message_expired:
      return "WSS 1.1 section 10, settings window.*";
    case ErrorCode::message_replayed:
      return "WSS 1.1 section 13.2, docs/reference/contract.md section 5, replay";
    case ErrorCode::trust_changed:
      return "docs/explanation/evidence.md";
    case ErrorCode::schema_invalid:
      return "XML Schema 1.0, docs/reference/contract.md section 2";
    case ErrorCode::content_type_unknown:
    case ErrorCode::header_rule:
      return "docs/reference/contract.md section 4";
    default:
      return "";
  }
}

}  // namespace

tl::unexpected<Error> fail_by(std::string rule, ErrorCode code, std::string detail,
                              std::string hint) {
  Error error{code, std::move(detail), std::move(hint), {}, {}};
  Diagnosis diagnosis;
  diagnosis.rule = std::move(rule);
  error.diagnosis = std::make_shared<const Diagnosis>(std::move(diagnosis));
  return tl::unexpected<Error>(std::move(error));
}

std::string rule_of(const Error& error) {
  if (error.diagnosis != nullptr && !error.diagnosis->rule.empty()) return error.diagnosis->rule;
  return rule_of(error.code);
}

Diagnosis diagnosis_of(const Error& error) {
  return error.diagnosis == nullptr ? Diagnosis{} : *error.diagnosis;
}

}  // namespace district
