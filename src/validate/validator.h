// Stage 3: service schema, content schema of each message's (type, version), header rules, and the
// signer against the tenantCode of the Body; then the messages as values.
// Source: docs/reference/contract.md sections 2, 3 and 4; XML Schema 1.0.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "trust/snapshot.h"
#include "verify/verifier.h"
#include "xml/element_handler.h"

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
  enum class Role { none, value, period_start, period_end, meter, estimated, attribute };
  // Of its type, where xsd/types.xsd has it: ZonedDateTime; Quantity, FiniteDouble; Name; any
  // other.
  enum class Form : std::uint8_t { instant, number, name, text };
  std::string element;
  Role role = Role::none;
  std::string quantity;  // with role value
  std::string unit;
  ValueKind kind = ValueKind::interval;
  Form form = Form::text;
};

// One (type, version) of content that the server knows.
struct ContentType {
  std::string type, version;  // "001", "0.0.1"
  std::string schema_file;    // "content/001-0.0.1.xsd"
  std::vector<ElementMeaning> elements;
  bool master_data = false;  // annotated as such: its elements become MasterFacts
};

// Takes the values of messages, some at a time, in their order; the tenant is not set. Its errors
// end the matter.
using BatchTaker = std::function<Result<Ok>(const Batch& part)>;

struct Schemas;

// Stage 3 on one request: reads along with the verifier, in memory that does not grow with the
// Body, and keeps to itself what it finds until the verifier has vouched for it.
class Reading final : public verify::BodyReader {
 public:
  ~Reading() override;
  Reading(Reading&&) noexcept;

  void begin(const verify::Sender& sender, const verify::TrustPtr& trust, Instant now) override;
  void start_element(const xml::StartTag& tag) override;
  void text(std::string_view text) override;
  void end_element() override;

  // Errors: schema_invalid, content_type_unknown, header_rule (with violations, at most 20),
  // authentication_failed (the signer is not enrolled for the tenantCode); the taker's.
  Result<Content> conclude(const verify::VerifiedEnvelope& verified);

 private:
  friend class Validator;
  struct Impl;
  explicit Reading(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Validator {
 public:
  // Compiles every schema; call before threads start. Errors: config_invalid.
  static Result<std::unique_ptr<Validator>> create(const OperationReader& operations);
  ~Validator();

  // For one request. The validator must outlive it. Threads: any; a Reading, one at a time.
  Reading read_along(BatchTaker take = {}) const;

  // Only the values, of an envelope that was accepted before: for the quantifier. `charset`: that
  // the transport named. Threads: any. Errors: schema_invalid; those of the source and the taker.
  Result<Content> extract(ByteSource& envelope, std::string_view charset, Instant received_at,
                          BatchTaker take) const;

  const std::vector<ContentType>& content_types() const;

 private:
  explicit Validator(std::unique_ptr<Schemas> schemas);
  std::unique_ptr<Schemas> schemas_;
};

}  // namespace district::validate
