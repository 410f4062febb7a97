// Exclusive XML Canonicalization 1.0 without comments, of one element, as a stream: libxml2 does it
// on a tree only. Compared with libxml2's by the tests and by a fuzz target.
// Source: W3C Exclusive XML Canonicalization 1.0 sections 3 and 4; Canonical XML 1.0 section 2.3.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "xml/element_handler.h"

namespace district::xml {

class Canonicalizer final : public ElementHandler {
 public:
  // Takes the canonical octets, in pieces.
  using Sink = std::function<void(std::string_view octets)>;

  // `inclusive_prefixes`: the PrefixList; "#default" is the default namespace.
  Canonicalizer(const std::vector<std::string>& inclusive_prefixes, Sink sink);

  // Before the element: each namespace that its ancestors declare, from the root on. Both texts
  // must be there until the end.
  void enter_scope(std::string_view prefix, std::string_view uri);
  // The element and what is in it. No processing instructions: the parser refuses them.
  void start_element(const StartTag& tag) override;
  void text(std::string_view text) override;
  void end_element() override;

 private:
  // Of a prefix, in the document's scope or in the output's.
  struct Binding {
    std::string_view prefix, uri;
  };
  // What the lists were before an element began.
  struct Level {
    std::size_t declared, rendered, name_at;
  };

  void declare(const StartTag& tag);
  void use(std::string_view prefix, std::string_view uri);
  void render_namespaces(const StartTag& tag);
  void render_attributes(const StartTag& tag);
  void flush();

  std::vector<std::string> inclusive_;  // empty: the default namespace
  const Sink sink_;
  std::vector<Binding> declared_, rendered_;
  std::vector<Level> levels_;
  std::string open_names_;                       // qualified, one behind the other
  std::vector<Binding> to_render_;               // of the element in work
  std::vector<StartTag::Attribute> attributes_;  // of the element in work
  std::string buffer_;
};

// Text and attribute values as canonical XML spells them (Canonical XML 1.0 section 2.3).
void append_escaped_text(std::string& out, std::string_view text);
void append_escaped_attribute(std::string& out, std::string_view value);

}  // namespace district::xml
