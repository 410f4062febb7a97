#include "xml/schema.h"

#include <libxml/xmlschemas.h>

#include <algorithm>
#include <new>

#include "base/limits.h"
#include "base/utf8.h"
#include "xml/handles.h"

namespace district::xml {

struct Schema::State {
  XmlSchema schema;
};

namespace {

std::string trimmed_message(const xmlError& error) {
  std::string text = error.message != nullptr ? error.message : "not valid";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

void first_error(void* context, xmlError* error) noexcept {
  auto* text = static_cast<std::string*>(context);
  if (!text->empty()) return;
  *text = (error->file != nullptr ? std::string(error->file) + ": " : "") + "line " +
          std::to_string(error->line) + ": " + trimmed_message(*error);
}

struct Violations {
  std::vector<Violation> list;
};

// libxml2 writes "Element '{uri}name': reason"; the reason may quote the sender's value at length.
std::string bounded(std::string text) {
  if (text.size() <= limits::kViolationReasonBytesMax) return text;
  return std::string(cut(text, limits::kViolationReasonBytesMax)) + "…";
}

void note_violation(void* context, xmlError* error) noexcept {
  auto& list = static_cast<Violations*>(context)->list;
  if (list.size() >= limits::kViolationsMax) return;
  Violation violation;
  auto* node = static_cast<xmlNode*>(error->node);
  if (node != nullptr && node->type == XML_ATTRIBUTE_NODE) node = node->parent;
  if (node != nullptr && node->type == XML_ELEMENT_NODE) {
    violation.path = Element{node}.path_from({});
    violation.line = ::xmlGetLineNo(node);
  }
  violation.reason = bounded(trimmed_message(*error));
  list.push_back(std::move(violation));
}

Result<Schema> compiled(xmlSchemaParserCtxt* created, const std::string& name, auto set_state) {
  const XmlSchemaParser parser{created};
  if (!parser) return fail(ErrorCode::config_invalid, name + ": schema cannot be read");
  std::string reason;
  ::xmlSchemaSetParserStructuredErrors(parser.get(), first_error, &reason);
  XmlSchema schema{::xmlSchemaParse(parser.get())};
  if (!schema || !reason.empty()) {
    return fail(ErrorCode::config_invalid,
                name + ": " + (reason.empty() ? "not a schema" : reason));
  }
  return set_state(std::move(schema));
}

}  // namespace

Result<Schema> Schema::compile(const std::string& name) {
  const auto text = contract_file(name);
  if (!text) return fail(ErrorCode::config_invalid, name + ": no such file in the contract");
  return compile_text(*text, name);
}

Result<Schema> Schema::compile_text(std::string_view text, const std::string& name) {
  const XmlDoc doc{::xmlReadMemory(text.data(), static_cast<int>(text.size()), name.c_str(),
                                   nullptr,
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)};
  if (!doc) return fail(ErrorCode::config_invalid, name + ": not well-formed");
  return compiled(::xmlSchemaNewDocParserCtxt(doc.get()), name, [](XmlSchema schema) {
    auto state = std::make_shared<State>();
    state->schema = std::move(schema);
    Schema result;
    result.state_ = std::move(state);
    return result;
  });
}

std::vector<Violation> Schema::validate(Element element) const {
  Violations violations;
  const XmlSchemaValidator context{::xmlSchemaNewValidCtxt(state_->schema.get())};
  if (!context) return {{0, "", 0, "out of memory for validation"}};
  ::xmlSchemaSetValidStructuredErrors(context.get(), note_violation, &violations);
  const int outcome = ::xmlSchemaValidateOneElement(context.get(), element.node());
  if (outcome != 0 && violations.list.empty()) {
    violations.list.push_back({0, element.path_from({}), element.line(), "cannot be validated"});
  }
  return std::move(violations.list);
}

struct SchemaStream::State {
  std::shared_ptr<const Schema::State> schema;  // which the context refers to
  std::function<void(std::string reason)> violated;
  XmlSchemaValidator context;
  // Set by libxml2: its own event handlers, and what they want as context.
  xmlSAXHandler* events = nullptr;
  void* user = nullptr;
  xmlSchemaSAXPlugStruct* plug = nullptr;
  // Of the open elements, as the end tags need them.
  struct Name {
    const unsigned char *local, *prefix, *uri;
  };
  std::vector<Name> open;
};

SchemaStream::SchemaStream(const Schema& schema, std::function<void(std::string reason)> violated)
    : state_(std::make_unique<State>()) {
  state_->schema = schema.state_;
  state_->violated = std::move(violated);
  state_->context.reset(::xmlSchemaNewValidCtxt(schema.state_->schema.get()));
  if (!state_->context) throw std::bad_alloc();
  ::xmlSchemaSetValidStructuredErrors(
      state_->context.get(),
      [](void* context, xmlError* error) {
        static_cast<State*>(context)->violated(bounded(trimmed_message(*error)));
      },
      state_.get());
  state_->plug = ::xmlSchemaSAXPlug(state_->context.get(), &state_->events, &state_->user);
  if (state_->plug == nullptr) throw std::bad_alloc();
}

SchemaStream::~SchemaStream() { ::xmlSchemaSAXUnplug(state_->plug); }

void SchemaStream::start_element(const StartTag& tag) {
  const auto& parsed = tag.parsed();
  state_->open.push_back({parsed.local, parsed.prefix, parsed.uri});
  state_->events->startElementNs(state_->user, parsed.local, parsed.prefix, parsed.uri,
                                 parsed.namespace_count, parsed.namespaces, parsed.attribute_count,
                                 0, parsed.attributes);
}

void SchemaStream::text(std::string_view text) {
  state_->events->characters(state_->user, reinterpret_cast<const xmlChar*>(text.data()),
                             static_cast<int>(text.size()));
}

void SchemaStream::end_element() {
  const auto name = state_->open.back();
  state_->open.pop_back();
  state_->events->endElementNs(state_->user, name.local, name.prefix, name.uri);
}

}  // namespace district::xml
