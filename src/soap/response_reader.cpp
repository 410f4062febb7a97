#include "soap/response_reader.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"
#include "base/ulid.h"
#include "soap/engine.h"

namespace district::soap {
namespace {

tl::unexpected<Error> not_an_answer(std::string detail) {
  return fail(ErrorCode::gateway_receipt_invalid, std::move(detail));
}

std::optional<Sha256Digest> digest(const xsd__base64Binary& value) {
  if (value.__ptr == nullptr || value.__size < 0) return std::nullopt;
  return to_digest(
      {reinterpret_cast<const std::byte*>(value.__ptr), static_cast<std::size_t>(value.__size)});
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

Result<Receipt> receipt_of(const _urb__AggregateMessageResponse& response) {
  const auto received_at = parse_date_time(response.receivedAt);
  const auto payload =
      response.payloadDigest == nullptr ? std::nullopt : digest(response.payloadDigest->__item);
  const auto root = digest(response.rootHash);
  if (!is_ulid(response.receiptId)) return not_an_answer("the receipt's id is not a ULID");
  if (!received_at) return not_an_answer("the receipt's receivedAt is not an instant");
  if (!payload || !root) return not_an_answer("a digest in the receipt is not 32 octets long");
  return Receipt{
      response.receiptId, *received_at, response.messageCount, *payload, response.leafIndex,
      response.treeSize,  *root};
}

// gSOAP gives a QName with the prefix of our table, or with the namespace in quotes.
void set_code(ServerFault& fault, std::string_view name, SoapVersion version) {
  const auto colon = name.rfind(':');
  fault.code = name.substr(colon == std::string_view::npos ? 0 : colon + 1);
  if (colon == std::string_view::npos) return;
  const std::string_view prefix = name.substr(0, colon);
  if (prefix.size() > 2 && prefix.front() == '"') {
    fault.code_namespace = prefix.substr(1, prefix.size() - 2);
    return;
  }
  for (const Namespace* entry = namespace_table(version); entry->id != nullptr; ++entry) {
    if (prefix == entry->id) fault.code_namespace = entry->ns;
  }
}

void add_detail(ServerFault& fault, const SOAP_ENV__Detail& detail) {
  if (detail.urb__rejectionId != nullptr) fault.rejection_id = *detail.urb__rejectionId;
  if (detail.urb__InvalidMessage != nullptr) {
    for (const urb__Violation* violation : detail.urb__InvalidMessage->violation) {
      if (violation == nullptr || fault.violations.size() == limits::kViolationsMax) continue;
      fault.violations.push_back({violation->messageIndex, violation->path,
                                  static_cast<long>(violation->line), violation->reason});
    }
  }
  if (detail.urb__MessageReplayed != nullptr &&
      detail.urb__MessageReplayed->payloadDigest != nullptr) {
    const _urb__MessageReplayed& replayed = *detail.urb__MessageReplayed;
    const auto received_at = parse_date_time(replayed.receivedAt);
    const auto payload = digest(replayed.payloadDigest->__item);
    if (received_at && payload)
      fault.first_copy = FirstCopy{replayed.receiptId, *received_at, *payload};
  }
}

ServerFault fault_of(const SOAP_ENV__Fault& soap, SoapVersion version) {
  ServerFault fault;
  std::string name = text_of(soap.faultcode);
  fault.text = text_of(soap.faultstring);
  if (const SOAP_ENV__Code* code = soap.SOAP_ENV__Code; code != nullptr) {
    while (code->SOAP_ENV__Subcode != nullptr) code = code->SOAP_ENV__Subcode;
    name = text_of(code->SOAP_ENV__Value);
  }
  if (soap.SOAP_ENV__Reason != nullptr) fault.text = text_of(soap.SOAP_ENV__Reason->SOAP_ENV__Text);
  set_code(fault, name, version);
  const SOAP_ENV__Detail* detail = soap.detail != nullptr ? soap.detail : soap.SOAP_ENV__Detail;
  if (detail != nullptr) add_detail(fault, *detail);
  return fault;
}

}  // namespace

Result<std::variant<Receipt, ServerFault>> read_response(std::string_view body_child,
                                                         SoapVersion version) {
  const std::string envelope = enveloped(version, body_child);
  const Engine::Use use(version, envelope);
  ::soap* context = use.context();
  if (soap_begin_recv(context) || soap_envelope_begin_in(context) || soap_recv_header(context) ||
      soap_body_begin_in(context)) {
    return not_an_answer("gSOAP cannot read the answer: " + use.error_text());
  }
  _urb__AggregateMessageResponse response;
  response.soap_default(context);
  if (response.soap_get(context, "urb:AggregateMessageResponse", "") != nullptr) {
    DISTRICT_TRY(auto receipt, receipt_of(response));
    return receipt;
  }
  if (context->error != SOAP_TAG_MISMATCH && context->error != SOAP_NO_TAG) {
    return not_an_answer("gSOAP cannot read the receipt: " + use.error_text());
  }
  context->error = SOAP_OK;
  if (soap_getfault(context) || context->fault == nullptr) {
    return not_an_answer("the answer is neither a receipt nor a fault: " + use.error_text());
  }
  return fault_of(*context->fault, version);
}

}  // namespace district::soap
