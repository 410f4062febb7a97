// Stage 3 on what comes between <messages> and </messages>: read from a tree and from a stream it
// comes to the same; and what is accepted is accepted once more behind itself, where libxml2 is
// spared it as a precedent, with the same values.
#include <algorithm>

#include "../validate/requests.h"
#include "fuzz_target.h"
#include "xml/namespaces.h"

namespace district::fuzz {
namespace {

// The SOAP engine's own reader is tested in tests/soap.
class PlainReader final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view body_child) const override {
    DISTRICT_TRY(const auto document, xml::Document::parse(as_bytes(body_child)));
    return validate::OperationHead{
        "AggregateMessage",
        document->root().child("http://urb-grade.eu", "tenantCode").trimmed_text()};
  }
};

struct Verdict {
  bool readable = true;
  ErrorCode code{};
  std::string reasons;
  Batch batch;
};

const validate::Validator& validator() {
  static PlainReader reader;
  static const auto made = [] {
    xml::initialize();
    return *validate::Validator::create(reader);
  }();
  return *made;
}

Verdict judge(const std::string& messages, const std::string& tenant,
              test::TrustingVerifier::By by) {
  RawEnvelope raw;
  raw.octets = to_bytes(as_bytes(test::envelope(
      "<urb:AggregateMessageRequest xmlns:urb=\"http://urb-grade.eu\"><messages>" + messages +
      "</messages><urb:tenantCode>" + tenant + "</urb:tenantCode></urb:AggregateMessageRequest>")));
  static const Instant now = test::at(test::kNow);
  Verdict verdict;
  auto reading = validator().read_along(test::gather(verdict.batch));
  test::TrustingVerifier verifier;
  verifier.by = by;
  const auto verified = verifier.verify(raw, now, reading);
  verdict.readable = verified.has_value();
  if (!verified) return verdict;
  const auto content = reading.conclude(*verified);
  if (content) return verdict;
  verdict.code = content.error().code;
  for (const auto& violation : content.error().violations) {
    verdict.reasons += std::to_string(violation.message_index) + " " + violation.path + " " +
                       violation.reason + "\n";
  }
  return verdict;
}

std::string text_of(const Verdict& verdict) {
  return std::to_string(static_cast<int>(verdict.code)) + "\n" + verdict.reasons +
         (verdict.code == ErrorCode{} ? test::written(verdict.batch) : "");
}

// Of the messages from `begin` on, as if they were the first.
std::string values_from(const Batch& batch, std::size_t begin) {
  Batch part;
  part.messages.assign(batch.messages.begin() + static_cast<std::ptrdiff_t>(begin),
                       batch.messages.end());
  const auto moved = [&](auto values) {
    std::erase_if(values, [&](const auto& value) { return value.message_index <= begin; });
    for (auto& value : values)
      value.message_index -= static_cast<decltype(value.message_index)>(begin);
    return values;
  };
  part.observations = moved(batch.observations);
  part.master_facts = moved(batch.master_facts);
  return test::written(part);
}

}  // namespace

namespace {

void check(const std::string& messages, const std::string& tenant) {
  using By = test::TrustingVerifier::By;
  const auto streamed = judge(messages, tenant, By::stream);
  const auto walked = judge(messages, tenant, By::tree);
  // Not well-formed, or no Envelope any more: where that is seen differs.
  if (!streamed.readable || !walked.readable) return;
  require(text_of(streamed) == text_of(walked),
          "stream: " + text_of(streamed) + "\ntree: " + text_of(walked));
  if (streamed.code != ErrorCode{}) return;
  const auto twice = judge(messages + messages, tenant, By::stream);
  require(twice.readable && twice.code == ErrorCode{}, "refused behind itself: " + text_of(twice));
  const auto count = streamed.batch.messages.size();
  require(twice.batch.messages.size() == 2 * count, "other messages behind itself");
  require(values_from(twice.batch, count) == values_from(streamed.batch, 0),
          "other values behind itself: " + test::written(twice.batch));
}

}  // namespace

void fuzz(std::string_view input) {
  for (const char* tenant : {"10", "20", "30"}) check(std::string(input), tenant);
}

}  // namespace district::fuzz
