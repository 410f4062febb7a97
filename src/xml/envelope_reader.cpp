#include "xml/envelope_reader.h"

#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "xml/bounds.h"
#include "xml/encoding.h"
#include "xml/guard.h"
#include "xml/handles.h"
#include "xml/parser_options.h"

namespace district::xml {
namespace {

Result<Ok> check_nodes(std::size_t nodes) {
  if (nodes <= limits::kHeaderNodesMax) return Ok{};
  return fail(ErrorCode::limit_exceeded, "too many elements and attributes before the Body");
}

class Reader {
 public:
  Reader(ByteSource& source, EnvelopeHandler& handler) : source_(source), handler_(handler) {}

  Result<Ok> run(std::string_view charset);

  // The parser's events.
  void start(xmlParserCtxt& parser, const StartTag::Parsed& parsed, int defaulted);
  void end(xmlParserCtxt& parser, const StartTag::Parsed& parsed);
  void characters(xmlParserCtxt& parser, const xmlChar* text, int length, bool cdata);
  void comment(xmlParserCtxt& parser, const xmlChar* text);
  int read(char* to, int size);
  void refuse(xmlParserCtxt& parser, Error error);

 private:
  enum class At : std::uint8_t { head, body, tail };

  Result<Ok> start_or_fail(xmlParserCtxt& parser, const StartTag& tag, int defaulted);
  Result<Ok> begin_body(xmlParserCtxt& parser);
  Result<Ok> count_nodes(std::size_t more);
  Result<std::string_view> next_text();
  void flush_text();

  ByteSource& source_;
  EnvelopeHandler& handler_;
  std::optional<Utf8Decoder> decoder_;
  ByteView first_;  // of the source, when the decoder was made from it
  bool at_end_ = false;
  std::string_view ready_;  // checked text that the parser has not taken yet
  Guard guard_;
  Bounds bounds_;
  At at_ = At::head;
  std::size_t depth_ = 0;
  std::size_t nodes_ = 0;  // of the tree
  std::string root_uri_;
  std::string text_;  // of the Body, since the last tag
  std::shared_ptr<const Document> head_;
  std::optional<Error> error_;  // the first
};

Reader& reader_of(void* context) {
  return *static_cast<Reader*>(static_cast<xmlParserCtxt*>(context)->_private);
}

// Runs an event; an exception must not pass through libxml2.
template <typename Event>
void tell(void* context, Event event) noexcept {
  auto& parser = *static_cast<xmlParserCtxt*>(context);
  auto& reader = reader_of(context);
  try {
    event(reader, parser);
  } catch (const std::exception& problem) {
    reader.refuse(parser, {ErrorCode::internal, problem.what(), {}, {}, {}});
  }
}

void on_start(void* context, const xmlChar* local, const xmlChar* prefix, const xmlChar* uri,
              int namespace_count, const xmlChar** namespaces, int attribute_count, int defaulted,
              const xmlChar** attributes) noexcept {
  tell(context, [&](Reader& reader, xmlParserCtxt& parser) {
    reader.start(parser,
                 {local, prefix, uri, namespace_count, namespaces, attribute_count, attributes},
                 defaulted);
  });
}

void on_end(void* context, const xmlChar* local, const xmlChar* prefix,
            const xmlChar* uri) noexcept {
  tell(context, [&](Reader& reader, xmlParserCtxt& parser) {
    reader.end(parser, {local, prefix, uri, 0, nullptr, 0, nullptr});
  });
}

void on_characters(void* context, const xmlChar* text, int length) noexcept {
  tell(context, [&](Reader& reader, xmlParserCtxt& parser) {
    reader.characters(parser, text, length, false);
  });
}

void on_cdata(void* context, const xmlChar* text, int length) noexcept {
  tell(context, [&](Reader& reader, xmlParserCtxt& parser) {
    reader.characters(parser, text, length, true);
  });
}

void on_comment(void* context, const xmlChar* text) noexcept {
  tell(context, [&](Reader& reader, xmlParserCtxt& parser) { reader.comment(parser, text); });
}

void on_forbidden(void* context) noexcept {
  tell(context, [](Reader& reader, xmlParserCtxt& parser) {
    reader.refuse(
        parser,
        {ErrorCode::xml_forbidden, "document type, processing instruction or entity", {}, {}, {}});
  });
}

// The guard has refused these; should it ever miss one, the parser stops before anything comes of
// it (SOAP 1.1 section 3).
void on_doctype(void* context, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
  on_forbidden(context);
}
void on_instruction(void* context, const xmlChar*, const xmlChar*) noexcept {
  on_forbidden(context);
}
void on_reference(void* context, const xmlChar*) noexcept { on_forbidden(context); }

int on_read(void* context, char* to, int size) noexcept {
  auto& reader = *static_cast<Reader*>(context);
  try {
    return reader.read(to, size);
  } catch (const std::exception&) {
    return -1;
  }
}

xmlSAXHandler events() {
  xmlSAXHandler sax{};
  sax.initialized = XML_SAX2_MAGIC;
  sax.startDocument = ::xmlSAX2StartDocument;
  sax.startElementNs = on_start;
  sax.endElementNs = on_end;
  sax.characters = on_characters;
  sax.ignorableWhitespace = on_characters;
  sax.cdataBlock = on_cdata;
  sax.comment = on_comment;
  sax.internalSubset = on_doctype;
  sax.processingInstruction = on_instruction;
  sax.reference = on_reference;
  return sax;
}

Result<Ok> Reader::run(std::string_view charset) {
  DISTRICT_TRY(first_, source_.next());
  DISTRICT_TRY(decoder_, Utf8Decoder::create(first_, charset));
  const XmlParser parser{::xmlNewParserCtxt()};
  xmlParserInputBuffer* buffer =
      ::xmlParserInputBufferCreateIO(on_read, nullptr, this, XML_CHAR_ENCODING_NONE);
  if (!parser || buffer == nullptr) return fail(ErrorCode::internal, "out of memory for a parser");
  // With entities replaced, or '&' would come as "&#38;"; there are none but XML's own five.
  ::xmlCtxtUseOptions(parser.get(), kParserOptions | XML_PARSE_NOENT);
  *parser->sax = events();
  parser->_private = this;
  // The text has no declaration any more, and no other encoding may be guessed from it.
  parser->encoding = ::xmlStrdup(xml_chars("UTF-8"));
  xmlParserInput* input = ::xmlNewIOInputStream(parser.get(), buffer, XML_CHAR_ENCODING_NONE);
  if (input == nullptr) return fail(ErrorCode::internal, "out of memory for a parser");
  ::inputPush(parser.get(), input);
  ::xmlParseDocument(parser.get());
  // The tree is the Document's, or nobody's.
  if (head_) parser->myDoc = nullptr;
  const XmlDoc whole{std::exchange(parser->myDoc, nullptr)};
  if (error_) return fail(*std::move(error_));
  // Namespace errors leave the document "well-formed", but with undeclared prefixes.
  if (parser->wellFormed == 0 || parser->nsWellFormed == 0)
    return fail(ErrorCode::xml_malformed, parser_message(*parser, decoder_->lines_skipped()));
  return handler_.state();
}

// Gives the parser text that has been checked: as much as it asks for, since it looks ahead for
// the ends of things without asking for more.
int Reader::read(char* to, int size) {
  std::size_t count = 0;
  while (count < static_cast<std::size_t>(size)) {
    if (ready_.empty()) {
      if (at_end_) break;
      auto text = next_text();
      if (!text) {
        if (!error_) error_ = std::move(text).error();
        return -1;
      }
      ready_ = *text;
    }
    const auto taken = ready_.copy(to + count, static_cast<std::size_t>(size) - count);
    ready_.remove_prefix(taken);
    count += taken;
  }
  return static_cast<int>(count);
}

Result<std::string_view> Reader::next_text() {
  ByteView octets = std::exchange(first_, {});
  if (octets.empty()) {
    DISTRICT_TRY(octets, source_.next());
  }
  at_end_ = octets.empty() || source_.at_end();
  DISTRICT_TRY(const auto text, decoder_->decode(octets, at_end_));
  DISTRICT_CHECK(guard_.check(text));
  if (at_end_) DISTRICT_CHECK(guard_.finish());
  return text;
}

void Reader::start(xmlParserCtxt& parser, const StartTag::Parsed& parsed, int defaulted) {
  const StartTag tag(parsed, parser.input->line + decoder_->lines_skipped());
  auto done = start_or_fail(parser, tag, defaulted);
  if (!done) refuse(parser, std::move(done).error());
}

Result<Ok> Reader::start_or_fail(xmlParserCtxt& parser, const StartTag& tag, int defaulted) {
  DISTRICT_CHECK(bounds_.start_element(tag, parser.dict));
  const std::size_t level = depth_++;
  if (at_ == At::tail) return fail(ErrorCode::not_soap, "an element follows the Body");
  if (at_ == At::body) {
    flush_text();
    handler_.start_element(tag);
    return handler_.state();
  }
  const auto& input = *parser.input;
  if (input.consumed + static_cast<std::size_t>(input.cur - input.base) > limits::kHeaderOctetsMax)
    return fail(ErrorCode::limit_exceeded, "too many octets before the Body");
  DISTRICT_CHECK(count_nodes(1 + tag.attribute_count() + tag.namespace_count()));
  const auto& parsed = tag.parsed();
  ::xmlSAX2StartElementNs(&parser, parsed.local, parsed.prefix, parsed.uri, parsed.namespace_count,
                          parsed.namespaces, parsed.attribute_count, defaulted, parsed.attributes);
  if (level == 0) root_uri_ = tag.uri();
  if (level != 1 || !tag.is(root_uri_, "Body")) return Ok{};
  DISTRICT_CHECK(begin_body(parser));
  handler_.start_element(tag);
  return handler_.state();
}

Result<Ok> Reader::begin_body(xmlParserCtxt& parser) {
  at_ = At::body;
  if (parser.myDoc == nullptr || parser.wellFormed == 0 || parser.nsWellFormed == 0)
    return fail(ErrorCode::xml_malformed, parser_message(parser, decoder_->lines_skipped()));
  head_ = Document::adopt(parser.myDoc);
  return handler_.body_follows(head_);
}

void Reader::end(xmlParserCtxt& parser, const StartTag::Parsed& parsed) {
  bounds_.end_element();
  --depth_;
  if (at_ == At::body) {
    flush_text();
    handler_.end_element();
    if (depth_ > 1) return;
    at_ = At::tail;
  }
  ::xmlSAX2EndElementNs(&parser, parsed.local, parsed.prefix, parsed.uri);
  if (depth_ > 0 || head_) return;
  // The root ends without a Body.
  head_ = Document::adopt(parser.myDoc);
  auto refused = handler_.body_follows(head_);
  refuse(parser, refused ? Error{ErrorCode::not_soap, "the document has no Body", {}, {}, {}}
                         : std::move(refused).error());
}

void Reader::characters(xmlParserCtxt& parser, const xmlChar* text, int length, bool cdata) {
  const std::string_view piece(reinterpret_cast<const char*>(text),
                               static_cast<std::size_t>(length));
  if (at_ == At::body) {
    text_ += piece;
    return;
  }
  if (at_ == At::head) {
    (cdata ? ::xmlSAX2CDataBlock : ::xmlSAX2Characters)(&parser, text, length);
    return;
  }
  if (!std::ranges::all_of(piece, is_xml_space))
    refuse(parser, {ErrorCode::not_soap, "text follows the Body", {}, {}, {}});
}

// In the head comments are kept: they have no place in some elements there.
void Reader::comment(xmlParserCtxt& parser, const xmlChar* text) {
  if (at_ != At::head) return;
  ::xmlSAX2Comment(&parser, text);
  if (auto counted = count_nodes(1); !counted) refuse(parser, std::move(counted).error());
}

Result<Ok> Reader::count_nodes(std::size_t more) { return check_nodes(nodes_ += more); }

void Reader::flush_text() {
  if (text_.empty()) return;
  handler_.text(text_);
  text_.clear();
}

void Reader::refuse(xmlParserCtxt& parser, Error error) {
  if (!error_) error_ = std::move(error);
  ::xmlStopParser(&parser);
}

}  // namespace

Result<Ok> read_envelope(ByteSource& source, std::string_view charset, EnvelopeHandler& handler) {
  return Reader(source, handler).run(charset);
}

Result<Ok> check_head(const Document& document) {
  std::size_t nodes = 0;
  const auto count = [&](const xmlNode* node) {
    if (node->type == XML_COMMENT_NODE) ++nodes;
    if (node->type != XML_ELEMENT_NODE) return;
    ++nodes;
    for (const auto* attribute = node->properties; attribute != nullptr;
         attribute = attribute->next)
      ++nodes;
    for (const auto* ns = node->nsDef; ns != nullptr; ns = ns->next) ++nodes;
  };
  xmlNode* const root = document.root().node();
  for (xmlNode* node = document.native()->children; node != root; node = node->next) count(node);
  // Without recursion: the sender chooses the depth.
  for (xmlNode* node = root; node != nullptr;) {
    count(node);
    if (node->parent == root && node->type == XML_ELEMENT_NODE &&
        Element{node}.is(document.root().namespace_uri(), "Body"))
      break;
    if (node->type == XML_ELEMENT_NODE && node->children != nullptr) {
      node = node->children;
      continue;
    }
    while (node != root && node->next == nullptr) node = node->parent;
    node = node == root ? nullptr : node->next;
  }
  return check_nodes(nodes);
}

namespace {

// A tree's node as the parser would have told it.
class TagOfNode {
 public:
  explicit TagOfNode(xmlNode* node) : node_(node) {
    for (const xmlNs* ns = node->nsDef; ns != nullptr; ns = ns->next) {
      namespaces_.push_back(ns->prefix);
      namespaces_.push_back(ns->href);
    }
    for (const xmlAttr* attribute = node->properties; attribute != nullptr;
         attribute = attribute->next) {
      values_.emplace_back(::xmlNodeListGetString(node->doc, attribute->children, 1));
      const xmlChar* value = values_.back() ? values_.back().get() : xml_chars("");
      attributes_.insert(
          attributes_.end(),
          {attribute->name, attribute->ns == nullptr ? nullptr : attribute->ns->prefix,
           attribute->ns == nullptr ? nullptr : attribute->ns->href, value,
           value + ::xmlStrlen(value)});
    }
  }

  StartTag tag() {
    const xmlNs* ns = node_->ns;
    return {{node_->name, ns == nullptr ? nullptr : ns->prefix, ns == nullptr ? nullptr : ns->href,
             static_cast<int>(namespaces_.size() / 2), namespaces_.data(),
             static_cast<int>(values_.size()), attributes_.data()},
            ::xmlGetLineNo(node_)};
  }

 private:
  xmlNode* node_;
  std::vector<const xmlChar*> namespaces_, attributes_;
  std::vector<XmlText> values_;
};

}  // namespace

void walk(Element element, ElementHandler& handler) {
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) handler.text(text);
    text.clear();
  };
  handler.start_element(TagOfNode(element.node()).tag());
  // Without recursion: the sender chooses the depth.
  xmlNode* parent = element.node();
  for (xmlNode* node = parent->children; true;) {
    if (node == nullptr) {
      flush();
      handler.end_element();
      if (parent == element.node()) return;
      node = parent->next;
      parent = parent->parent;
      continue;
    }
    if (node->type == XML_ELEMENT_NODE) {
      flush();
      handler.start_element(TagOfNode(node).tag());
      parent = node;
      node = node->children;
      continue;
    }
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE)
      text += view(node->content);
    node = node->next;
  }
}

}  // namespace district::xml
