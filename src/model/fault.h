// From an error to what the peer is told: the one place where a SOAP fault is derived from a code.
// Source: docs/reference/contract.md section 9; SOAP 1.1 section 4.4; SOAP 1.2 Part 1 section 5.4.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "model/envelope.h"

namespace district {

struct FaultKind {
  std::string_view
      namespace_uri;        // of the faultcode (1.1) or Subcode (1.2); empty: the version's own
  std::string_view prefix;  // soap, wsse, wsu, urb
  std::string_view
      local;  // e.g. FailedCheck; for soap: Client, Server, MustUnderstand, VersionMismatch
  std::string_view text;  // fixed, one for each code of the contract
  bool sender_at_fault;   // SOAP 1.2: env:Sender, else env:Receiver
};

FaultKind fault_kind(ErrorCode code);
// What the peer sees, e.g. wsse:FailedCheck; soap:Client, which SOAP 1.2 calls soap:Sender.
std::string fault_name(ErrorCode code, SoapVersion version);
// 500 in SOAP 1.1; 400 in 1.2 but 500 for MustUnderstand and VersionMismatch; 413, 415, 503.
unsigned http_status(ErrorCode code, SoapVersion version);

}  // namespace district
