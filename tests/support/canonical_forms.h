// The canonical form of an element by our stream, for comparison with libxml2's.
#pragma once

#include <string>
#include <vector>

#include "xml/canonicalizer.h"
#include "xml/document.h"
#include "xml/envelope_reader.h"

namespace district::test {

// Lets the canonicalizer know what the element's ancestors declare.
inline void enter_ancestors(xml::Canonicalizer& canonicalizer, xml::Element element) {
  std::vector<xml::Element> ancestors;
  for (auto at = element.parent(); at; at = at.parent()) ancestors.insert(ancestors.begin(), at);
  for (const auto ancestor : ancestors) {
    for (const auto& [prefix, uri] : ancestor.declared_namespaces())
      canonicalizer.enter_scope(prefix, uri);
  }
}

inline std::string canonical_stream(xml::Element element,
                                    const std::vector<std::string>& prefixes) {
  std::string text;
  xml::Canonicalizer canonicalizer(prefixes, [&](std::string_view octets) { text += octets; });
  enter_ancestors(canonicalizer, element);
  xml::walk(element, canonicalizer);
  return text;
}

// The Body's, from the events of the reader.
class CanonicalBody final : public xml::EnvelopeHandler {
 public:
  explicit CanonicalBody(const std::vector<std::string>& prefixes)
      : canonicalizer_(prefixes, [this](std::string_view octets) { body += octets; }) {}

  Result<Ok> body_follows(std::shared_ptr<const xml::Document> document) override {
    head_ = std::move(document);
    for (const auto& [prefix, uri] : head_->root().declared_namespaces())
      canonicalizer_.enter_scope(prefix, uri);
    return Ok{};
  }
  void start_element(const xml::StartTag& tag) override { canonicalizer_.start_element(tag); }
  void text(std::string_view text) override { canonicalizer_.text(text); }
  void end_element() override { canonicalizer_.end_element(); }

  std::string body;

 private:
  std::shared_ptr<const xml::Document> head_;  // which has the texts of the scope
  xml::Canonicalizer canonicalizer_;
};

// Where the two differ, over all elements of a document: empty when they agree.
inline std::string canonical_difference(const xml::Document& document,
                                        const std::vector<std::string>& prefixes) {
  std::vector<xml::Element> open{document.root()};
  for (int looked_at = 0; !open.empty() && looked_at < 40; ++looked_at) {
    const auto element = open.back();
    open.pop_back();
    for (const auto child : element.children()) open.push_back(child);
    const auto expected = xml::canonicalize(element, prefixes);
    if (!expected) return "libxml2 cannot: " + expected.error().detail;
    const auto streamed = canonical_stream(element, prefixes);
    if (streamed != *expected)
      return element.path_from({}) + "\nlibxml2: " + *expected + "\nstream:  " + streamed;
  }
  return {};
}

// The same of the Body as the reader tells it; also where it does not take what the tree takes.
inline std::string body_difference(const xml::Document& document, ByteSource& source,
                                   const std::vector<std::string>& prefixes) {
  CanonicalBody handler(prefixes);
  const auto read = xml::read_envelope(source, {}, handler);
  if (!read) return "the reader refuses it: " + read.error().detail;
  const auto expected = xml::canonicalize(document.root().children().back(), prefixes);
  if (!expected) return "libxml2 cannot: " + expected.error().detail;
  if (handler.body == *expected) return {};
  return "libxml2: " + *expected + "\nreader:  " + handler.body;
}

}  // namespace district::test
