// Compiled XML schemas of the contract, by libxml2.
// Threads: compile() before threads start (libxml2's parser of schemas is not thread-safe);
// validate() from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "xml/document.h"
#include "xml/element_handler.h"

namespace district::xml {

class Schema {
 public:
  // `name`: of a file of the contract (contract_file); its imports are found there too.
  // Errors: config_invalid, with libxml2's message and line.
  static Result<Schema> compile(const std::string& name);
  // A schema given as text, for `content check` and tests; imports as above.
  static Result<Schema> compile_text(std::string_view text, const std::string& name);

  // Validates one element and what is below it, as a root. Gives at most limits::kViolationsMax
  // violations with path (from the document's root), line and reason; message_index is 0.
  std::vector<Violation> validate(Element element) const;

 private:
  friend class SchemaStream;
  struct State;
  std::shared_ptr<const State> state_;
};

// Validates an element as it is told, in memory that does not grow with it.
class SchemaStream final : public ElementHandler {
 public:
  // `violated` gets the reason when one is found: at the start tag, text or end tag that is at
  // fault. Keeps a reference to the schema. Throws std::bad_alloc.
  SchemaStream(const Schema& schema, std::function<void(std::string reason)> violated);
  ~SchemaStream() override;

  void start_element(const StartTag& tag) override;
  void text(std::string_view text) override;
  void end_element() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The contract as published: files of wsdl/ and xsd/, embedded at build time, by their path below
// those folders, e.g. "aggregation.wsdl", "messages.xsd", "content/001-002.xsd".
// nullopt: no such file.
std::optional<std::string_view> contract_file(std::string_view name);
std::vector<std::string_view> contract_files();
// A schema besides those that are built in, e.g. of a site's own folder, from then on found as they
// are. Before threads start. Errors: config_invalid, when there is one of that name.
Result<Ok> add_contract_file(const std::string& name, std::string text);
// The file as it is served to clients: PUBLIC_URL and the places of imported schemas replaced by
// `public_url` and `public_url`?xsd=NAME. nullopt: no such file.
std::optional<std::string> published_contract_file(std::string_view name,
                                                   std::string_view public_url);

}  // namespace district::xml
