// Reads the server's answers, for the gateway.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/envelope.h"
#include "model/receipt.h"

namespace district::soap {

// A SOAP fault as values. Whether it was signed is for the caller to know.
struct ServerFault {
  std::string code_namespace;  // of the faultcode (1.1), or of the innermost (sub)code (1.2)
  std::string code;            // local name: FailedCheck, InvalidMessage, Client, Server, ...
  std::string text;
  std::string rejection_id;  // empty: none given
  std::vector<Violation> violations;
  std::optional<FirstCopy> first_copy;
};

// `body_child`: the only element of a response's Body as self-contained XML. To keep the prefix of
// a fault's code, canonicalise it with acknowledge::BodyWriter::inclusive_prefixes().
// Errors: gateway_receipt_invalid: neither a receipt nor a fault of the contract.
// Threads: any.
Result<std::variant<Receipt, ServerFault>> read_response(std::string_view body_child,
                                                         SoapVersion version);

}  // namespace district::soap
