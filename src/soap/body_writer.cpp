#include "soap/body_writer.h"

#include <algorithm>
#include <functional>
#include <list>

#include "base/limits.h"
#include "base/utf8.h"
#include "model/fault.h"
#include "soap/engine.h"
#include "xml/namespaces.h"

namespace district::soap {
namespace {

constexpr std::size_t kPathBytesMax = 512;

// U+FFFE and U+FFFF are UTF-8, and not XML characters (XML 1.0 section 2.2).
bool is_xml_character(std::string_view octets) {
  return octets != "\xEF\xBF\xBE" && octets != "\xEF\xBF\xBF";
}

// Text from libraries and senders, bounded and made of XML characters only: a fault that is not
// well-formed would be worse than one with a question mark.
std::string clean(std::string_view text, std::size_t bytes_max) {
  std::string result;
  while (!text.empty()) {
    std::size_t length = character_length(text);
    if (!is_xml_character(text.substr(0, length))) length = 0;
    const std::size_t taken = std::max<std::size_t>(length, 1);
    if (result.size() + taken > bytes_max) break;
    const auto first = static_cast<unsigned char>(text.front());
    if (length == 0) {
      result += '?';
    } else if (length == 1 && (first < 0x20 || first == 0x7F)) {
      result += ' ';
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(taken);
  }
  return result;
}

// gSOAP's spelling of SOAP's prefix is fixed. In text `<` is escaped, so this meets tags only.
std::string with_soap_prefix(std::string text) {
  for (const std::string_view tag : {"<SOAP-ENV:", "</SOAP-ENV:"}) {
    const std::string to = tag[1] == '/' ? "</soap:" : "<soap:";
    for (std::size_t at = text.find(tag); at != std::string::npos;
         at = text.find(tag, at + to.size())) {
      text.replace(at, tag.size(), to);
    }
  }
  return text;
}

// Serialises an envelope whose Body `write` fills, and takes what is between the Body's tags.
Result<std::string> body_content(const Engine::Use& use, const std::function<int()>& write) {
  constexpr std::string_view kOpen = "<SOAP-ENV:Body>";
  constexpr std::string_view kClose = "</SOAP-ENV:Body>";
  ::soap* context = use.context();
  if (soap_begin_send(context) || soap_envelope_begin_out(context) ||
      soap_body_begin_out(context) || write() || soap_body_end_out(context) ||
      soap_envelope_end_out(context) || soap_end_send(context)) {
    return fail(ErrorCode::signing_failed, "gSOAP cannot write the answer: " + use.error_text());
  }
  const std::string& text = use.output();
  const auto open = text.find(kOpen);
  const auto close = text.rfind(kClose);
  if (open == std::string::npos || close == std::string::npos) {
    return fail(ErrorCode::signing_failed, "gSOAP wrote an answer without a plain Body");
  }
  const auto start = open + kOpen.size();
  return with_soap_prefix(text.substr(start, close - start));
}

// gSOAP's types take non-const octets, which it only reads.
xsd__base64Binary binary(const Sha256Digest& digest) {
  xsd__base64Binary value;
  value.__ptr = const_cast<unsigned char*>(as_uchar(digest));
  value.__size = static_cast<int>(digest.size());
  return value;
}

urb__PayloadDigest payload_digest(const Sha256Digest& digest) {
  urb__PayloadDigest value;
  value.__item = binary(digest);
  value.algorithm = xml::alg::kSha256;
  return value;
}

// The elements of a fault's detail, with the owners of what gSOAP only points to.
struct Detail {
  SOAP_ENV__Detail soap{};
  std::string rejection_id;
  _urb__InvalidMessage invalid;
  std::list<urb__Violation> violations;
  _urb__MessageReplayed replayed;
  urb__PayloadDigest first_digest;

  void add(const std::vector<Violation>& reasons) {
    for (const Violation& reason : reasons) {
      if (violations.size() == limits::kViolationsMax) break;
      urb__Violation& violation = violations.emplace_back();
      violation.messageIndex = reason.message_index;
      violation.path = clean(reason.path, kPathBytesMax);
      violation.line = static_cast<ULONG64>(std::max(reason.line, 0L));
      violation.reason = clean(reason.reason, limits::kViolationReasonBytesMax);
      invalid.violation.push_back(&violation);
    }
    soap.urb__InvalidMessage = &invalid;
  }

  void add(const FirstCopy& first) {
    replayed.receiptId = first.receipt_id;
    replayed.receivedAt = format_instant(first.received_at);
    first_digest = payload_digest(first.payload_digest);
    replayed.payloadDigest = &first_digest;
    soap.urb__MessageReplayed = &replayed;
  }
};

}  // namespace

Result<std::string> BodyWriter::receipt(const Receipt& receipt) const {
  const Engine::Use use(SoapVersion::v11);
  urb__PayloadDigest digest = payload_digest(receipt.payload_digest);
  _urb__AggregateMessageResponse response;
  response.receiptId = receipt.receipt_id;
  response.receivedAt = format_instant(receipt.received_at);
  response.messageCount = receipt.message_count;
  response.payloadDigest = &digest;
  response.leafIndex = receipt.leaf_index;
  response.treeSize = receipt.tree_size;
  response.rootHash = binary(receipt.root_hash);
  response.soap_serialize(use.context());
  return body_content(
      use, [&] { return response.soap_put(use.context(), "urb:AggregateMessageResponse", ""); });
}

Result<std::string> BodyWriter::fault(SoapVersion version, const Error& error,
                                      std::string_view rejection_id, bool with_detail) const {
  const Engine::Use use(version);
  const FaultKind kind = fault_kind(error.code);
  Detail detail;
  detail.rejection_id = rejection_id;
  if (!rejection_id.empty()) detail.soap.urb__rejectionId = &detail.rejection_id;
  if (with_detail && !error.violations.empty()) detail.add(error.violations);
  if (with_detail && error.first_copy) detail.add(*error.first_copy);
  const bool has_detail = !rejection_id.empty() || with_detail;

  std::string name = fault_name(error.code, version);
  std::string text(kind.text);
  std::string top = kind.sender_at_fault ? "soap:Sender" : "soap:Receiver";
  SOAP_ENV__Fault fault;
  SOAP_ENV__Code code, subcode;
  SOAP_ENV__Reason reason;
  if (version == SoapVersion::v11) {
    fault.faultcode = name.data();
    fault.faultstring = text.data();
    if (has_detail) fault.detail = &detail.soap;
  } else {
    const bool standard = kind.prefix == "soap";
    if (standard) top = name;
    code.SOAP_ENV__Value = top.data();
    subcode.SOAP_ENV__Value = name.data();
    if (!standard) code.SOAP_ENV__Subcode = &subcode;
    reason.SOAP_ENV__Text = text.data();
    fault.SOAP_ENV__Code = &code;
    fault.SOAP_ENV__Reason = &reason;
    if (has_detail) fault.SOAP_ENV__Detail = &detail.soap;
  }
  soap_serialize_SOAP_ENV__Fault(use.context(), &fault);
  DISTRICT_TRY(std::string content, body_content(use, [&] {
                 return soap_put_SOAP_ENV__Fault(use.context(), &fault, "SOAP-ENV:Fault", nullptr);
               }));
  // A signed Body binds wsu already, and canonical text does not say it twice.
  if (with_detail && kind.prefix == "wsu") {
    const std::string declaration = " xmlns:wsu=\"" + std::string(kind.namespace_uri) + "\"";
    content.erase(content.find(declaration), declaration.size());
  }
  return content;
}

}  // namespace district::soap
