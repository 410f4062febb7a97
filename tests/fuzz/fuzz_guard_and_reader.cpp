// The envelope reader with the same octets in different blocks, and against a walk over the tree.
// Input: a document.
#include "../support/xml_streams.h"
#include "base/limits.h"
#include "fuzz_target.h"
#include "xml/guard.h"

namespace district::fuzz {
namespace {

struct Outcome {
  bool accepted = false;
  ErrorCode code{};
  std::string text;  // head and events, or the error's
};

Outcome read(std::string_view text, test::Blocks::NextSize next_size) {
  test::Blocks source(as_bytes(text), std::move(next_size));
  test::EnvelopeText handler;
  const auto read = xml::read_envelope(source, {}, handler);
  if (!read) return {false, read.error().code, read.error().detail};
  return {true, {}, handler.head + "\n" + handler.body.events};
}

void check_cuts(std::string_view text, std::mt19937& numbers) {
  const auto whole = read(text, [&] { return text.size(); });
  const auto most = 1 + numbers() % 100;
  const auto in_pieces = read(text, [&] { return 1 + numbers() % most; });
  // Which of several errors is found first is another matter.
  require(whole.accepted == in_pieces.accepted && (!whole.accepted || whole.text == in_pieces.text),
          "whole: " + whole.text + "\nin pieces: " + in_pieces.text);

  const auto document = xml::Document::parse(as_bytes(text));
  if (!whole.accepted) {
    require(
        !document || whole.code == ErrorCode::not_soap || whole.code == ErrorCode::limit_exceeded,
        "only the reader refuses it: " + whole.text);
    return;
  }
  require(document.has_value(), "only the tree refuses it");
  test::EventText walked;
  xml::walk((*document)->root().children().back(), walked);
  require(whole.text.ends_with("\n" + walked.events),
          "stream: " + whole.text + "\ntree: " + walked.events);
}

void check_guard(std::string_view text, std::mt19937& numbers) {
  xml::Guard whole;
  auto expected = whole.check(text);
  if (expected) expected = whole.finish();
  xml::Guard in_pieces;
  Result<Ok> found;
  for (std::string_view rest = text; found && !rest.empty();) {
    const auto piece = rest.substr(0, 1 + numbers() % 9);
    rest.remove_prefix(piece.size());
    found = in_pieces.check(piece);
  }
  if (found) found = in_pieces.finish();
  require(expected.has_value() == found.has_value() &&
              (expected || expected.error().code == found.error().code),
          "the guard differs with the pieces");
}

}  // namespace

void fuzz(std::string_view input) {
  static const bool ready = (xml::initialize(), true);
  static_cast<void>(ready);
  auto numbers = numbers_of(input);
  check_guard(input, numbers);
  check_cuts(input, numbers);
  // Behind a first block of its own, so that cuts may be anywhere.
  if (input.starts_with('<') && !input.starts_with("<?")) {
    const std::string first(xml::Utf8Decoder::kDeclarationOctetsMax - 7, '.');
    check_cuts("<!--" + first + "-->" + std::string(input), numbers);
  }
}

}  // namespace district::fuzz
