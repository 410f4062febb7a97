#include "receipts.h"

#include "base/bytes.h"
#include "crypto/digest.h"
#include "gateway/receipt.h"
#include "xml/namespaces.h"

namespace district::bench {

std::string_view element_text(std::string_view answer, std::string_view name) {
  std::string tag = "<urb:" + std::string(name);
  for (std::size_t at = answer.find(tag); at != std::string_view::npos;
       at = answer.find(tag, at + 1)) {
    const char next = at + tag.size() < answer.size() ? answer[at + tag.size()] : '\0';
    if (next != '>' && next != ' ') continue;
    const std::size_t from = answer.find('>', at);
    const std::size_t to = answer.find('<', from);
    if (to == std::string_view::npos) return {};
    return answer.substr(from + 1, to - from - 1);
  }
  return {};
}

bool ReceiptSample::take(std::string_view answer, const SignedRequest& request) {
  if (element_text(answer, "receiptId").size() != 26) return false;
  if (seen_++ % every_ != 0) return true;
  kept_.push_back({std::string(answer), request.signature_value,
                   to_base64(crypto::sha256(as_bytes(request.envelope))), SystemClock().now()});
  return true;
}

Result<std::size_t> ReceiptSample::verify() const {
  DISTRICT_TRY(const auto verifier, gateway::AnswerVerifier::create({}, ca_file_, host_));
  for (const auto& kept : kept_) {
    DISTRICT_TRY(const auto answer,
                 verifier.verify(kept.answer, "utf-8", kept.signature_value, kept.taken_at));
    const auto response = answer.body.child(xml::ns::kUrb, "AggregateMessageResponse");
    const auto digest = response.child(xml::ns::kUrb, "payloadDigest").trimmed_text();
    if (digest != kept.envelope_digest) {
      return fail(ErrorCode::gateway_receipt_invalid,
                  "a receipt is for other octets than those sent");
    }
  }
  return kept_.size();
}

}  // namespace district::bench
