// XML documents on libxml2's tree, locked down: no document type, no processing instruction, no
// network, no files, and every limit of base/limits.h enforced before the tree is built.
// Source: XML 1.0, Namespaces in XML 1.0.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

struct _xmlNode;
struct _xmlDoc;

namespace district::xml {

// A light, copyable view of an element; valid as long as its Document. A default one is null.
class Element {
 public:
  Element() = default;
  explicit Element(_xmlNode* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const Element&) const = default;  // the same node

  std::string_view name() const;           // local
  std::string_view namespace_uri() const;  // empty: none
  bool is(std::string_view uri, std::string_view local) const;
  long line() const;
  Element parent() const;
  // The element that follows in document order, of those below `top`; null behind the last.
  Element next_below(Element top) const;
  std::vector<Element> children() const;                                  // elements only
  Element child(std::string_view uri, std::string_view local) const;      // the first, or null
  std::size_t count(std::string_view uri, std::string_view local) const;  // of such children
  // All text of the element, comments and CDATA marks notwithstanding, as sent.
  std::string text() const;
  std::string trimmed_text() const;  // white space collapsed as in xs:token
  bool has_child_elements() const;
  // Text, but nothing if there is any child element: for DigestValue and the like.
  std::optional<std::string> only_text() const;
  bool has_text_beside_elements() const;  // other than white space
  std::optional<std::string> attribute(std::string_view uri, std::string_view local) const;
  struct Attribute {
    std::string uri, local, value;
  };
  std::vector<Attribute> attributes() const;
  // What its tag declares, as views of the document.
  struct Namespace {
    std::string_view prefix, uri;  // no prefix: the default namespace
  };
  std::vector<Namespace> declared_namespaces() const;
  // Namespace that a prefix means here; nullopt when unbound.
  std::optional<std::string> resolve_prefix(const std::string& prefix) const;
  // /soap:Envelope/... by local names with [n] among siblings of the same name, from `ancestor`.
  std::string path_from(Element ancestor) const;
  _xmlNode* node() const { return node_; }

 private:
  _xmlNode* node_ = nullptr;
};

class Document {
 public:
  // charset: what the transport says, lower case, or empty. UTF-8, UTF-16, ISO-8859-1 and US-ASCII
  // are accepted; transport, byte order mark and declaration must not contradict each other.
  // Errors: xml_malformed, xml_forbidden, limit_exceeded.
  static Result<std::shared_ptr<const Document>> parse(ByteView octets,
                                                       std::string_view charset = {});

  // Owns the tree from here on.
  static std::shared_ptr<const Document> adopt(_xmlDoc* doc);

  Element root() const;
  _xmlDoc* native() const { return doc_; }
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

 private:
  explicit Document(_xmlDoc* doc) : doc_(doc) {}
  _xmlDoc* doc_;
};

// Text and attribute values as canonical XML spells them (Canonical XML 1.0 section 2.3).
std::string escape_text(std::string_view text);
std::string escape_attribute(std::string_view text);

// Exclusive canonicalisation without comments of an element, with an optional PrefixList.
Result<std::string> canonicalize(Element element,
                                 const std::vector<std::string>& inclusive_prefixes = {});

// Forms of canonical XML that we do not accept, to explain a digest that was made by one of them.
enum class CanonicalForm { exclusive, exclusive_with_comments, inclusive, inclusive_with_comments };
Result<std::string> canonicalize_as(CanonicalForm form, Element element,
                                    const std::vector<std::string>& inclusive_prefixes = {});

// Initialises libxml2 and xmlsec1; call once before threads start. Installs the entity loader that
// serves nothing but the contract's embedded schemas.
void initialize();

}  // namespace district::xml
