// What a stream of XML is made of, once white space in tags, comments and CDATA marks are gone.
#pragma once

#include <cstddef>
#include <string_view>

namespace district::xml {

// A start tag as the parser gives it. Prefix and namespace are empty where there is none. Values of
// attributes are there during the call that gets the tag; names, prefixes and namespaces end with a
// zero and are there until the end of the document.
class StartTag {
 public:
  struct Namespace {
    std::string_view prefix, uri;  // no prefix: the default namespace; no uri: it is undeclared
  };
  struct Attribute {
    std::string_view local, prefix, uri, value;
  };
  // The arrays of libxml2's startElementNs: pairs of prefix and URI for the namespaces that the tag
  // declares; local name, prefix, URI, start and end of the value for each attribute.
  struct Parsed {
    const unsigned char *local = nullptr, *prefix = nullptr, *uri = nullptr;
    int namespace_count = 0;
    const unsigned char** namespaces = nullptr;
    int attribute_count = 0;
    const unsigned char** attributes = nullptr;
  };

  StartTag(const Parsed& parsed, long line)
      : parsed_(parsed),
        local_(view(parsed.local)),
        prefix_(view(parsed.prefix)),
        uri_(view(parsed.uri)),
        line_(line) {}

  std::string_view local() const { return local_; }
  std::string_view prefix() const { return prefix_; }
  std::string_view uri() const { return uri_; }
  long line() const { return line_; }  // of the document, from 1
  bool is(std::string_view uri_wanted, std::string_view local_wanted) const {
    return local() == local_wanted && uri() == uri_wanted;
  }

  std::size_t namespace_count() const { return static_cast<std::size_t>(parsed_.namespace_count); }
  Namespace declared(std::size_t i) const {
    return {view(parsed_.namespaces[2 * i]), view(parsed_.namespaces[2 * i + 1])};
  }
  std::size_t attribute_count() const { return static_cast<std::size_t>(parsed_.attribute_count); }
  Attribute attribute(std::size_t i) const {
    const unsigned char** at = parsed_.attributes + 5 * i;
    return {view(at[0]),
            view(at[1]),
            view(at[2]),
            {reinterpret_cast<const char*>(at[3]), static_cast<std::size_t>(at[4] - at[3])}};
  }

  const Parsed& parsed() const { return parsed_; }

 private:
  static std::string_view view(const unsigned char* text) {
    return text == nullptr ? std::string_view{} : reinterpret_cast<const char*>(text);
  }

  Parsed parsed_;
  std::string_view local_, prefix_, uri_;
  long line_;
};

class ElementHandler {
 public:
  virtual ~ElementHandler() = default;
  virtual void start_element(const StartTag& tag) = 0;
  // All text between two tags at once, comments and CDATA marks notwithstanding; never empty.
  virtual void text(std::string_view text) = 0;
  virtual void end_element() = 0;
};

}  // namespace district::xml
