#include "model/fault.h"

namespace district {
namespace {

constexpr std::string_view kWsse =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
constexpr std::string_view kWsu =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
constexpr std::string_view kUrb = "http://urb-grade.eu";

// Faults of SOAP itself. Their namespace is that of the version spoken, so it is not given here.
constexpr FaultKind soap_fault(std::string_view local, std::string_view text,
                               bool sender_at_fault) {
  return {{}, "soap", local, text, sender_at_fault};
}
constexpr FaultKind wsse_fault(std::string_view local, std::string_view text) {
  return {kWsse, "wsse", local, text, true};
}

constexpr FaultKind kRequestBad =
    soap_fault("Client", "The request is not an acceptable SOAP message.", true);
constexpr FaultKind kServerFailed =
    soap_fault("Server", "The request could not be processed.", false);
constexpr FaultKind kBusy =
    soap_fault("Server", "The service is not available now. Try again later.", false);
constexpr FaultKind kInvalidMessage{kUrb, "urb", "InvalidMessage",
                                    "A message of the request is not valid.", true};

}  // namespace

// The texts say what the code says and nothing more: whoever has not authenticated learns no cause.
// Where WSS 1.1 section 12 has a faultstring for its code, that is the text.
FaultKind fault_kind(ErrorCode code) {
  switch (code) {
    case ErrorCode::xml_malformed:
    case ErrorCode::xml_forbidden:
    case ErrorCode::limit_exceeded:
    case ErrorCode::not_soap:
    case ErrorCode::too_large:
    case ErrorCode::unsupported_media:
    case ErrorCode::request_cut:
      return kRequestBad;
    case ErrorCode::soap_version_mismatch:
      return soap_fault("VersionMismatch", "The envelope is neither SOAP 1.1 nor SOAP 1.2.", true);
    case ErrorCode::must_understand:
      return soap_fault("MustUnderstand", "A mandatory header is not understood.", true);
    case ErrorCode::overloaded:
    case ErrorCode::archive_unavailable:
    case ErrorCode::trust_changed:
      return kBusy;
    case ErrorCode::security_invalid:
      return wsse_fault("InvalidSecurity",
                        "An error was discovered processing the <wsse:Security> header.");
    case ErrorCode::algorithm_unsupported:
      return wsse_fault("UnsupportedAlgorithm",
                        "An unsupported signature or encryption algorithm was used.");
    case ErrorCode::token_unsupported:
      return wsse_fault("UnsupportedSecurityToken", "An unsupported token was provided.");
    case ErrorCode::token_unavailable:
      return wsse_fault("SecurityTokenUnavailable",
                        "Referenced security token could not be retrieved.");
    case ErrorCode::token_invalid:
      return wsse_fault("InvalidSecurityToken", "An invalid security token was provided.");
    case ErrorCode::authentication_failed:
      return wsse_fault("FailedAuthentication",
                        "The security token could not be authenticated or authorized.");
    case ErrorCode::signature_failed:
      return wsse_fault("FailedCheck", "The signature or decryption was invalid.");
    case ErrorCode::message_expired:
      return {kWsu, "wsu", "MessageExpired", "The message has expired.", true};
    case ErrorCode::message_replayed:
      return {kUrb, "urb", "MessageReplayed", "A message with this signature was accepted before.",
              true};
    case ErrorCode::schema_invalid:
    case ErrorCode::content_type_unknown:
    case ErrorCode::header_rule:
      return kInvalidMessage;
    default:
      return kServerFailed;
  }
}

unsigned http_status(ErrorCode code, SoapVersion version) {
  switch (code) {
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::unsupported_media:
      return 415;
    case ErrorCode::overloaded:
    case ErrorCode::archive_unavailable:
    case ErrorCode::trust_changed:
      return 503;
    case ErrorCode::must_understand:
    case ErrorCode::soap_version_mismatch:
      return 500;
    default:
      // SOAP 1.1 section 6.2; SOAP 1.2 Part 2 table 20.
      return version == SoapVersion::v12 && fault_kind(code).sender_at_fault ? 400 : 500;
  }
}

std::string fault_name(ErrorCode code, SoapVersion version) {
  const FaultKind kind = fault_kind(code);
  std::string_view local = kind.local;
  // SOAP 1.2 renamed Client and Server, and kept MustUnderstand and VersionMismatch.
  if (version == SoapVersion::v12 && local == "Client") local = "Sender";
  if (version == SoapVersion::v12 && local == "Server") local = "Receiver";
  return std::string(kind.prefix).append(":").append(local);
}

}  // namespace district
