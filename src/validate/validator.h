// Stage 3: service schema, content schema of each message's (type, version), header rules, and the
// signer against the tenantCode of the Body; then the messages as values.
// Source: contract.md "Request body" and "Header rules"; XML Schema 1.0.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "trust/trust.h"
#include "verify/verifier.h"
#include "xml/document.h"

namespace district::validate {

// What the SOAP engine makes of the signed Body element once the bulk of `messages` is left out.
struct OperationHead {
  std::string operation;    // "AggregateMessage"
  std::string tenant_code;  // white space collapsed
};

// The SOAP engine's side of it; soap/ implements it with gSOAP.
class OperationReader {
 public:
  virtual ~OperationReader() = default;
  // `body_child`: the Body's only element as self-contained XML, its `messages` empty.
  // Errors: schema_invalid. Threads: any.
  virtual Result<OperationHead> read(std::string_view body_child) const = 0;
};

// What a content schema's xs:appinfo says of one element of gcontent.
struct ElementMeaning {
  // attribute: of master data, a statement about the record's meter.
  enum class Role { none, value, period_start, period_end, meter, attribute };
  std::string element;
  Role role = Role::none;
  std::string quantity;  // with role value
  std::string unit;
  ValueKind kind = ValueKind::interval;
};

// One (type, version) of content that the server knows.
struct ContentType {
  std::string type, version;  // "001", "0.0.1"
  std::string schema_file;    // "content/001-0.0.1.xsd"
  std::vector<ElementMeaning> elements;
  bool master_data = false;  // annotated as such: its elements become MasterFacts
};

class Validator {
 public:
  // Compiles every schema; call before threads start. Errors: config_invalid.
  static Result<std::unique_ptr<Validator>> create(const OperationReader& operations);
  ~Validator();

  // Errors: schema_invalid, content_type_unknown, header_rule (with violations, at most 20),
  // authentication_failed (the signer is not enrolled for the tenantCode).
  // Threads: any number at once.
  Result<Batch> validate(const verify::VerifiedEnvelope& envelope,
                         const trust::TrustSnapshot& trust) const;

  // Only the values, of an envelope that was accepted before: for the quantifier and for replays.
  // Errors: schema_invalid.
  Result<Batch> extract(const xml::Document& envelope, Instant received_at) const;

  const std::vector<ContentType>& content_types() const;

 private:
  struct Impl;
  explicit Validator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace district::validate
