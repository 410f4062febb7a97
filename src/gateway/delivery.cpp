#include "gateway/delivery.h"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "acknowledge/acknowledger.h"
#include "base/bytes.h"
#include "base/ulid.h"
#include "crypto/digest.h"
#include "soap/response_reader.h"
#include "xml/document.h"
#include "xml/namespaces.h"

namespace district::gateway {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::string_view kAction11 = "\"http://urb-grade.eu/AggregateMessage\"";
constexpr std::string_view kType11 = "text/xml; charset=utf-8";
constexpr std::string_view kType12 =
    "application/soap+xml; charset=utf-8; action=\"http://urb-grade.eu/AggregateMessage\"";

// Waits double from the first to the last, so that many gateways do not all call a server at once
// that has just come back.
constexpr milliseconds kFirstWait = 500ms;
constexpr milliseconds kLongestWait = 15s;

constexpr const char* kSendAgain =
    "send the same files again later, before any correction of them: equal values count once, and "
    "what is sent last holds";

bool is_xml(std::string_view content_type) {
  return content_type.starts_with("text/xml") || content_type.starts_with("application/soap+xml");
}

std::string_view charset_of(std::string_view content_type) {
  constexpr std::string_view kParameter = "charset=";
  const std::size_t at = content_type.find(kParameter);
  if (at == std::string_view::npos) return {};
  std::string_view value = content_type.substr(at + kParameter.size());
  value = value.substr(0, value.find(';'));
  if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
  return value;
}

using Answer = std::variant<Receipt, soap::ServerFault>;

Result<Answer> read_body(xml::Element body) {
  const auto children = body.children();
  if (children.size() != 1) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "the answer's Body has not exactly one element");
  }
  const SoapVersion version =
      body.namespace_uri() == xml::ns::kSoap12 ? SoapVersion::v12 : SoapVersion::v11;
  // The code of a fault is a QName in a value. The Body binds soap and wsu; the other prefixes are
  // listed.
  auto prefixes = acknowledge::BodyWriter::inclusive_prefixes();
  prefixes.insert(prefixes.end(), {"soap", "wsu"});
  DISTRICT_TRY(auto text, xml::canonicalize(children.front(), prefixes));
  return soap::read_response(text, version);
}

// A fault without a good signature proves nothing, but it still says what the server thinks.
Result<Answer> read_unsigned(const HttpReply& reply) {
  DISTRICT_TRY(auto document,
               xml::Document::parse(as_bytes(reply.body), charset_of(reply.content_type)));
  const xml::Element root = document->root();
  const xml::Element body = root.child(root.namespace_uri(), "Body");
  if (!body) return fail(ErrorCode::gateway_receipt_invalid, "the answer has no Body");
  return read_body(body);
}

// "3 s", "7 min 3 s", "2 h 5 min", "1 day 3 h".
std::string spell(std::chrono::seconds span) {
  const auto total = span.count();
  const auto pair = [](long long large, const char* one, long long small, const char* other) {
    return std::to_string(large) + one +
           (small == 0 ? std::string() : " " + std::to_string(small) + other);
  };
  if (total < 60) return std::to_string(total) + " s";
  if (total < 3600) return pair(total / 60, " min", total % 60, " s");
  if (total < 86400) return pair(total / 3600, " h", total % 3600 / 60, " min");
  return pair(total / 86400, total < 2 * 86400 ? " day" : " days", total % 86400 / 3600, " h");
}

// A smaller difference of clocks causes no refusal, and is not mentioned.
constexpr auto kClocksAgree = 30s;

std::string likely_cause(const soap::ServerFault& fault, const std::string& clocks) {
  if (fault.code == "MessageExpired" && !clocks.empty()) return clocks + ": set it";
  if (fault.code == "MessageExpired")
    return "the clocks agree, as far as the answer tells: was the envelope held up on its way?";
  if (fault.code == "FailedAuthentication") {
    return "is the certificate enrolled for this --tenant? the server's operator enrols it";
  }
  if (fault.code == "InvalidSecurityToken") {
    return "the certificate may be expired, revoked or not for signatures; openssl x509 -text "
           "shows it";
  }
  return {};
}

// The operator asks for the id, whatever the fault is.
std::string hint_for(const soap::ServerFault& fault, const std::string& clocks) {
  auto hint = likely_cause(fault, clocks);
  if (fault.rejection_id.empty()) return hint;
  if (!hint.empty()) hint += "; ";
  return hint + "the server's operator finds the cause under " + fault.rejection_id;
}

Error refused(const soap::ServerFault& fault, bool is_signed, const std::string& clocks) {
  const bool servers_own = fault.code == "Server" || fault.code == "Receiver";
  Error error;
  error.code = servers_own ? ErrorCode::gateway_try_later : ErrorCode::gateway_refused;
  error.detail = "the server refused the envelope: " + fault.code + ": " + fault.text +
                 (is_signed ? "" : " (the fault is not signed)");
  error.hint = hint_for(fault, clocks);
  error.violations = fault.violations;
  return error;
}

bool worth_retrying(ErrorCode code) {
  return code == ErrorCode::gateway_unreachable || code == ErrorCode::gateway_try_later;
}

}  // namespace

Courier::Courier(HttpsClient client, AnswerVerifier verifier, const Clock& clock,
                 DeliveryOptions options)
    : client_(std::move(client)),
      verifier_(std::move(verifier)),
      clock_(clock),
      options_(std::move(options)) {}

Result<Delivered> Courier::deliver(const xml::SignedText& request, std::size_t message_count) {
  const auto give_up = std::chrono::steady_clock::now() + options_.retry_for;
  for (milliseconds wait = kFirstWait;; wait = std::min(wait * 2, kLongestWait)) {
    server_wait_ = 0ms;
    auto delivered = attempt(request, message_count);
    if (delivered) return delivered;
    const milliseconds pause = std::max(wait, server_wait_);
    if (!worth_retrying(delivered.error().code) || client_.certificate_refused() ||
        std::chrono::steady_clock::now() + pause > give_up) {
      return delivered;
    }
    if (options_.on_retry) options_.on_retry(delivered.error(), pause);
    std::this_thread::sleep_for(pause);
  }
}

Result<Delivered> Courier::attempt(const xml::SignedText& request, std::size_t message_count) {
  HttpPost post;
  post.body = request.envelope;
  post.content_type = options_.version == SoapVersion::v11 ? kType11 : kType12;
  if (options_.version == SoapVersion::v11) post.soap_action = kAction11;
  clock_ahead_.reset();
  DISTRICT_TRY(auto reply, client_.post(post));
  clock_ahead_ = reply.clock_ahead;
  auto judged = judge(reply, request, message_count);
  if (judged) return judged;
  auto error = std::move(judged).error();
  const bool is_ours = error.code == ErrorCode::gateway_refused ||
                       error.code == ErrorCode::gateway_try_later ||
                       error.code == ErrorCode::gateway_receipt_invalid;
  // It is XML that cannot be read, or nothing that the contract knows.
  if (!is_ours) {
    error.detail = "the answer is no proof: " + error.detail;
    error.code = ErrorCode::gateway_receipt_invalid;
  }
  const auto clocks = clocks_apart();
  if (error.code == ErrorCode::gateway_receipt_invalid && !clocks.empty())
    error.hint = clocks + (error.hint.empty() ? "" : "; " + error.hint);
  return fail(std::move(error));
}

std::string Courier::clocks_apart() const {
  if (!clock_ahead_ || (*clock_ahead_<kClocksAgree&& * clock_ahead_> - kClocksAgree)) return {};
  const auto server = clock_.now() + *clock_ahead_;
  return "the clock of this machine is " +
         spell(*clock_ahead_ < 0s ? -*clock_ahead_ : *clock_ahead_) +
         (*clock_ahead_ > 0s ? " behind" : " ahead of") + " the server's, which says " +
         format_instant(server, 0);
}

Result<Delivered> Courier::judge(const HttpReply& reply, const xml::SignedText& request,
                                 std::size_t message_count) {
  const std::string status = "HTTP " + std::to_string(reply.status);
  if (reply.status == 200) return read_receipt(reply, request, message_count);
  if (reply.status == 503) {
    server_wait_ = reply.retry_after.value_or(0s);
    return fail(ErrorCode::gateway_try_later, "the server is busy or cannot store (" + status + ")",
                kSendAgain);
  }
  if (reply.status == 413) {
    return fail(ErrorCode::gateway_refused, "the envelope is too large (" + status + ")",
                "--messages-per-envelope with a smaller number");
  }
  if ((reply.status == 500 || reply.status == 400) && is_xml(reply.content_type)) {
    return read_fault(reply, request, message_count);
  }
  if (reply.status == 502 || reply.status == 504) {
    return fail(ErrorCode::gateway_try_later, "a proxy does not reach the server (" + status + ")",
                kSendAgain);
  }
  return fail(ErrorCode::gateway_refused, "the server answered " + status,
              "is --url right, with its path?");
}

Result<Delivered> Courier::read_receipt(const HttpReply& reply, const xml::SignedText& request,
                                        std::size_t message_count) {
  DISTRICT_TRY(auto answer, verifier_.verify(reply.body, charset_of(reply.content_type),
                                             request.signature_value, clock_.now()));
  DISTRICT_TRY(auto content, read_body(answer.body));
  const auto* receipt = std::get_if<Receipt>(&content);
  if (receipt == nullptr) {
    return fail(ErrorCode::gateway_receipt_invalid, "the answer is a fault, but with HTTP 200");
  }
  if (receipt->payload_digest != crypto::sha256(as_bytes(request.envelope))) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "receipt " + receipt->receipt_id + " is for other octets than those sent");
  }
  if (receipt->message_count != message_count || receipt->leaf_index >= receipt->tree_size) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "receipt " + receipt->receipt_id + " contradicts what was sent, or itself");
  }
  Delivered delivered;
  delivered.envelope = {
      {},
      receipt->receipt_id,
      receipt->received_at,
      message_count,
      receipt->payload_digest,
      DeliveredEnvelope::LogState{receipt->leaf_index, receipt->tree_size, receipt->root_hash}};
  delivered.response = reply.body;
  return delivered;
}

Result<Delivered> Courier::read_fault(const HttpReply& reply, const xml::SignedText& request,
                                      std::size_t message_count) {
  const auto answer = verifier_.verify(reply.body, charset_of(reply.content_type),
                                       request.signature_value, clock_.now());
  DISTRICT_TRY(auto content, answer ? read_body(answer->body) : read_unsigned(reply));
  const auto* fault = std::get_if<soap::ServerFault>(&content);
  if (fault == nullptr) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "the answer is a receipt, but with HTTP " + std::to_string(reply.status));
  }
  const bool is_replay = answer.has_value() && fault->code_namespace == xml::ns::kUrb &&
                         fault->code == "MessageReplayed" && fault->first_copy.has_value();
  if (!is_replay ||
      fault->first_copy->payload_digest != crypto::sha256(as_bytes(request.envelope))) {
    return fail(refused(*fault, answer.has_value(), clocks_apart()));
  }
  if (!is_ulid(fault->first_copy->receipt_id)) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "the answer says that the envelope is in, but its receiptId is no ULID: " +
                    fault->first_copy->receipt_id.substr(0, 100));
  }
  Delivered delivered;
  delivered.envelope = {{},
                        fault->first_copy->receipt_id,
                        fault->first_copy->received_at,
                        message_count,
                        fault->first_copy->payload_digest,
                        std::nullopt};
  delivered.response = reply.body;
  return delivered;
}

}  // namespace district::gateway
