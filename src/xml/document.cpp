#include "xml/document.h"

#include <libxml/SAX2.h>
#include <libxml/c14n.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "xml/bounds.h"
#include "xml/canonicalizer.h"
#include "xml/encoding.h"
#include "xml/guard.h"
#include "xml/handles.h"
#include "xml/parser_options.h"

namespace district::xml {
namespace {

// Events of the tree builder that are counted, and those that end it.
struct Watch {
  Bounds bounds;
  std::optional<Error> error;
};

void stop(void* context, Error error) {
  auto* parser = static_cast<xmlParserCtxt*>(context);
  auto& watch = *static_cast<Watch*>(parser->_private);
  if (!watch.error) watch.error = std::move(error);
  ::xmlStopParser(parser);
}

// The guard has refused document types; should it ever miss one, the parser stops before any of
// its content is read (SOAP 1.1 section 3).
void stop_at_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
  stop(context, {ErrorCode::xml_forbidden, "document type", {}, {}, {}});
}

void stop_at_instruction(void* context, const xmlChar*, const xmlChar*) noexcept {
  stop(context, {ErrorCode::xml_forbidden, "processing instruction", {}, {}, {}});
}

void start_element(void* context, const xmlChar* local, const xmlChar* prefix, const xmlChar* uri,
                   int namespace_count, const xmlChar** namespaces, int attribute_count,
                   int defaulted, const xmlChar** attributes) noexcept {
  auto* parser = static_cast<xmlParserCtxt*>(context);
  const StartTag tag({local, prefix, uri, namespace_count, namespaces, attribute_count, attributes},
                     parser->input->line);
  auto counted = static_cast<Watch*>(parser->_private)->bounds.start_element(tag, parser->dict);
  if (!counted) return stop(context, std::move(counted).error());
  ::xmlSAX2StartElementNs(context, local, prefix, uri, namespace_count, namespaces, attribute_count,
                          defaulted, attributes);
}

void end_element(void* context, const xmlChar* local, const xmlChar* prefix,
                 const xmlChar* uri) noexcept {
  static_cast<Watch*>(static_cast<xmlParserCtxt*>(context)->_private)->bounds.end_element();
  ::xmlSAX2EndElementNs(context, local, prefix, uri);
}

bool is_element(const xmlNode* node) { return node->type == XML_ELEMENT_NODE; }

std::string node_text(xmlNode* node) {
  const XmlText text{::xmlNodeGetContent(node)};
  return std::string(view(text.get()));
}

}  // namespace

std::string parser_message(const xmlParserCtxt& parser, long lines_skipped) {
  const xmlError& error = parser.lastError;
  std::string text = error.message != nullptr ? error.message : "not well-formed";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return "line " + std::to_string(error.line + lines_skipped) + ": " + text;
}

Result<std::shared_ptr<const Document>> Document::parse(ByteView octets, std::string_view charset) {
  DISTRICT_TRY(auto decoder, Utf8Decoder::create(octets, charset));
  DISTRICT_TRY(const std::string_view text, decoder.decode(octets, true));
  if (text.size() > static_cast<std::size_t>(INT32_MAX)) {
    return fail(ErrorCode::limit_exceeded, "document above 2 GiB");
  }
  DISTRICT_CHECK(Guard().check(text));
  const XmlParser parser{::xmlNewParserCtxt()};
  if (!parser) return fail(ErrorCode::internal, "out of memory for a parser");
  Watch watch;
  parser->_private = &watch;
  parser->sax->internalSubset = stop_at_doctype;
  parser->sax->processingInstruction = stop_at_instruction;
  parser->sax->startElementNs = start_element;
  parser->sax->endElementNs = end_element;
  XmlDoc doc{::xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                 "UTF-8", kParserOptions)};
  if (watch.error) return fail(*std::move(watch.error));
  // Namespace errors leave the document "well-formed", but with undeclared prefixes.
  if (!doc || parser->wellFormed == 0 || parser->nsWellFormed == 0) {
    return fail(ErrorCode::xml_malformed, parser_message(*parser, decoder.lines_skipped()));
  }
  // release(): the Document owns it from here on.
  return std::shared_ptr<const Document>(new Document(doc.release()));
}

std::shared_ptr<const Document> Document::adopt(_xmlDoc* doc) {
  return std::shared_ptr<const Document>(new Document(doc));
}

Document::~Document() { ::xmlFreeDoc(doc_); }

Element Document::root() const { return Element{::xmlDocGetRootElement(doc_)}; }

std::string_view Element::name() const { return view(node_->name); }

std::string_view Element::namespace_uri() const {
  return node_->ns == nullptr ? std::string_view{} : view(node_->ns->href);
}

bool Element::is(std::string_view uri, std::string_view local) const {
  return node_ != nullptr && name() == local && namespace_uri() == uri;
}

long Element::line() const { return ::xmlGetLineNo(node_); }

Element Element::parent() const {
  xmlNode* parent = node_->parent;
  return parent != nullptr && is_element(parent) ? Element{parent} : Element{};
}

// Without recursion: the sender chooses the depth.
Element Element::next_below(Element top) const {
  const xmlNode* const end = top.node_;
  xmlNode* node = node_;
  do {
    if (is_element(node) && node->children != nullptr) {
      node = node->children;
      continue;
    }
    while (node != end && node->next == nullptr) node = node->parent;
    if (node == end) return {};
    node = node->next;
  } while (!is_element(node));
  return Element{node};
}

std::vector<Element> Element::children() const {
  std::vector<Element> result;
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (is_element(child)) result.emplace_back(child);
  }
  return result;
}

Element Element::child(std::string_view uri, std::string_view local) const {
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (is_element(child) && Element{child}.is(uri, local)) return Element{child};
  }
  return {};
}

std::size_t Element::count(std::string_view uri, std::string_view local) const {
  std::size_t found = 0;
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (is_element(child) && Element{child}.is(uri, local)) ++found;
  }
  return found;
}

std::string Element::text() const { return node_text(node_); }

std::string Element::trimmed_text() const { return collapse_xml_space(text()); }

bool Element::has_child_elements() const {
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (is_element(child)) return true;
  }
  return false;
}

std::optional<std::string> Element::only_text() const {
  // A comment inside a digest or a signature value has split such texts in other stacks
  // (CVE-2025-29775); none has a place there.
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE) return std::nullopt;
  }
  return text();
}

bool Element::has_text_beside_elements() const {
  for (xmlNode* child = node_->children; child != nullptr; child = child->next) {
    if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE) continue;
    const auto content = view(child->content);
    if (!std::all_of(content.begin(), content.end(), is_xml_space)) return true;
  }
  return false;
}

std::vector<Element::Attribute> Element::attributes() const {
  std::vector<Attribute> result;
  for (const xmlAttr* attribute = node_->properties; attribute != nullptr;
       attribute = attribute->next) {
    const XmlText value{::xmlNodeListGetString(node_->doc, attribute->children, 1)};
    result.push_back({attribute->ns == nullptr ? "" : std::string(view(attribute->ns->href)),
                      std::string(view(attribute->name)), std::string(view(value.get()))});
  }
  return result;
}

std::optional<std::string> Element::attribute(std::string_view uri, std::string_view local) const {
  for (const xmlAttr* attribute = node_->properties; attribute != nullptr;
       attribute = attribute->next) {
    const auto attribute_uri =
        attribute->ns == nullptr ? std::string_view{} : view(attribute->ns->href);
    if (attribute_uri != uri || view(attribute->name) != local) continue;
    const XmlText value{::xmlNodeListGetString(node_->doc, attribute->children, 1)};
    return std::string(view(value.get()));
  }
  return std::nullopt;
}

std::vector<Element::Namespace> Element::declared_namespaces() const {
  std::vector<Namespace> result;
  for (const xmlNs* ns = node_->nsDef; ns != nullptr; ns = ns->next)
    result.push_back({view(ns->prefix), view(ns->href)});
  return result;
}

std::optional<std::string> Element::resolve_prefix(const std::string& prefix) const {
  const xmlNs* ns =
      ::xmlSearchNs(node_->doc, node_, prefix.empty() ? nullptr : xml_chars(prefix.c_str()));
  if (ns == nullptr) return std::nullopt;
  return std::string(view(ns->href));
}

std::string Element::path_from(Element ancestor) const {
  std::string path;
  for (Element at = *this; at && at != ancestor; at = at.parent()) {
    std::size_t position = 1;
    bool several = false;
    for (const xmlNode* other = at.node_->prev; other != nullptr; other = other->prev) {
      if (is_element(other) && view(other->name) == at.name()) ++position;
    }
    for (const xmlNode* other = at.node_->next; other != nullptr && !several; other = other->next) {
      several = is_element(other) && view(other->name) == at.name();
    }
    std::string step = "/" + std::string(at.name());
    if (several || position > 1) step += "[" + std::to_string(position) + "]";
    path.insert(0, step);
  }
  return path;
}

std::string escape_text(std::string_view text) {
  std::string result;
  append_escaped_text(result, text);
  return result;
}

std::string escape_attribute(std::string_view text) {
  std::string result;
  append_escaped_attribute(result, text);
  return result;
}

namespace {

int append_octets(void* context, const char* octets, int length) noexcept {
  static_cast<std::string*>(context)->append(octets, static_cast<std::size_t>(length));
  return length;
}

}  // namespace

Result<std::string> canonicalize(Element element,
                                 const std::vector<std::string>& inclusive_prefixes) {
  return canonicalize_as(CanonicalForm::exclusive, element, inclusive_prefixes);
}

Result<std::string> canonicalize_as(CanonicalForm form, Element element,
                                    const std::vector<std::string>& inclusive_prefixes) {
  const bool exclusive =
      form == CanonicalForm::exclusive || form == CanonicalForm::exclusive_with_comments;
  const bool comments = form == CanonicalForm::exclusive_with_comments ||
                        form == CanonicalForm::inclusive_with_comments;
  std::string text;
  std::vector<xmlChar*> prefixes;
  for (const auto& prefix : inclusive_prefixes) {
    // libxml2's interface lacks a const; it does not write.
    prefixes.push_back(const_cast<xmlChar*>(xml_chars(prefix.c_str())));
  }
  prefixes.push_back(nullptr);
  // libxml2 walks the whole document and asks for each node whether it belongs. A copy of the apex
  // without neighbours, alone in a document, makes it walk what is below only, and still look up
  // prefixes through the true ancestors.
  xmlNode apex = *element.node();
  apex.prev = nullptr;
  apex.next = nullptr;
  xmlDoc alone = *element.node()->doc;
  alone.children = &apex;
  alone.last = &apex;
  xmlOutputBuffer* out = ::xmlOutputBufferCreateIO(append_octets, nullptr, &text, nullptr);
  if (out == nullptr) return fail(ErrorCode::internal, "out of memory for canonicalisation");
  const int done = ::xmlC14NExecute(
      &alone, nullptr, nullptr, exclusive ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0,
      inclusive_prefixes.empty() ? nullptr : prefixes.data(), comments ? 1 : 0, out);
  const int closed = ::xmlOutputBufferClose(out);
  if (done < 0 || closed < 0) return fail(ErrorCode::xml_malformed, "cannot be canonicalised");
  return text;
}

}  // namespace district::xml
