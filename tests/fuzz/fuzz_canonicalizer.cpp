// The canonicalizer against libxml2's, on every element of a document and on the Body that the
// reader tells. Input: a document, or "grammar:" and choices of a generator of documents.
#include "../support/canonical_forms.h"
#include "../support/random_xml.h"
#include "../support/xml_streams.h"
#include "fuzz_target.h"

namespace district::fuzz {
namespace {

std::string document_of(std::string_view input) {
  constexpr std::string_view kGrammar = "grammar:";
  if (!input.starts_with(kGrammar)) return std::string(input);
  return test::RandomXml(choices_of(input.substr(kGrammar.size()))).document();
}

bool has_body(const xml::Document& document) {
  const auto parts = document.root().children();
  return !parts.empty() && parts.back().is(document.root().namespace_uri(), "Body") &&
         document.root().count(document.root().namespace_uri(), "Body") == 1 &&
         !document.root().has_text_beside_elements();
}

}  // namespace

void fuzz(std::string_view input) {
  static const bool ready = (xml::initialize(), true);
  static_cast<void>(ready);
  const std::string text = document_of(input);
  const auto document = xml::Document::parse(as_bytes(text));
  if (!document) return;
  auto numbers = numbers_of(input);
  for (int i = 0; i < 2; ++i) {
    const auto prefixes = some_prefixes(numbers);
    const auto difference = test::canonical_difference(**document, prefixes);
    require(difference.empty(), difference);
    if (!has_body(**document)) continue;
    test::Blocks source(as_bytes(text), [&] { return 1 + numbers() % 300; });
    const auto of_body = test::body_difference(**document, source, prefixes);
    require(of_body.empty(), of_body);
  }
}

}  // namespace district::fuzz
