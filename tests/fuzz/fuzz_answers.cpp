// What a gateway reads that others wrote: answers of a server, and receipts that were kept.
// Input: "line:" and a line of receipts; "field:" and a header field's value; else what stands in
// the Body of an answer.
#include "base/characters.h"
#include "base/ulid.h"
#include "base/utf8.h"
#include "fuzz_target.h"
#include "gateway/http_fields.h"
#include "log/held_receipt.h"
#include "soap/response_reader.h"
#include "xml/document.h"

namespace district::fuzz {
namespace {

void check_line(std::string_view line) {
  const auto receipt = log::read_held_receipt(line);
  if (receipt) require(is_ulid(receipt->receipt_id), "a receipt without a ULID");
  auto numbers = numbers_of(line);
  const auto torn = std::string(line.substr(0, line.empty() ? 0 : numbers() % line.size()));
  const auto found = log::read_torn_line(torn + std::string(line));
  require(found.receipt_id.empty() || is_ulid(found.receipt_id), "a torn line without a ULID");
  // A whole receipt is found behind whatever was torn before it.
  const bool ends_whole =
      receipt && line.starts_with("{\"file\":") && line.rfind("{\"file\":") == 0 && !torn.empty();
  if (ends_whole) {
    require(found.behind && found.behind->receipt_id == receipt->receipt_id,
            "the receipt behind a torn line is lost");
  }
}

void check_field(std::string_view value) {
  const Instant now{std::chrono::seconds{1'800'000'000}};
  const auto wait = gateway::parse_retry_after(value, now);
  require(!wait || (wait->count() >= 0 && *wait <= gateway::kRetryAfterMax), "a wait of years");
  const auto shown = visible(value);
  for (std::string_view rest = shown; !rest.empty();) {
    const auto c = take_character(rest);
    require(c && !is_control(*c) && !is_format(*c), "what is shown can drive a terminal");
  }
}

void check_answer(std::string_view body) {
  const auto document = xml::Document::parse(as_bytes(body));
  if (!document) return;
  const auto text = xml::canonicalize((*document)->root(), {});
  if (!text) return;
  for (const auto version : {SoapVersion::v11, SoapVersion::v12}) {
    const auto answer = soap::read_response(*text, version);
    if (!answer) {
      require(answer.error().code == ErrorCode::gateway_receipt_invalid, answer.error().detail);
      continue;
    }
    if (const auto* receipt = std::get_if<Receipt>(&*answer))
      require(is_ulid(receipt->receipt_id), "a receipt without a ULID");
  }
}

}  // namespace

void fuzz(std::string_view input) {
  static const bool initialized = (xml::initialize(), true);
  static_cast<void>(initialized);
  if (input.starts_with("line:")) return check_line(input.substr(5));
  if (input.starts_with("field:")) return check_field(input.substr(6));
  check_answer(input);
}

}  // namespace district::fuzz
