#include "validate/validator.h"

#include <utility>

#include "validate/content_schema.h"
#include "validate/reading.h"
#include "validate/schemas.h"
#include "xml/envelope_reader.h"

namespace district::validate {
namespace {

// Reads an envelope that was accepted before, so its header is not judged again.
class Extraction final : public xml::EnvelopeHandler {
 public:
  explicit Extraction(Reading& reading) : reading_(reading) {}

  Result<Ok> body_follows(std::shared_ptr<const xml::Document> head) override {
    const auto parts = head->root().children();
    if (!parts.empty() && parts.back().name() == "Body") return Ok{};
    return fail(ErrorCode::schema_invalid, "the envelope has no Body");
  }
  void start_element(const xml::StartTag& tag) override { reading_.start_element(tag); }
  void text(std::string_view text) override { reading_.text(text); }
  void end_element() override { reading_.end_element(); }

 private:
  Reading& reading_;
};

}  // namespace

Validator::Validator(std::unique_ptr<Schemas> schemas) : schemas_(std::move(schemas)) {}
Validator::~Validator() = default;

Result<std::unique_ptr<Validator>> Validator::create(const OperationReader& operations) {
  auto schemas = std::make_unique<Schemas>(operations);
  DISTRICT_TRY(schemas->service, xml::Schema::compile("aggregation.xsd"));
  for (const std::string_view name : xml::contract_files()) {
    if (!name.starts_with("content/")) continue;
    DISTRICT_CHECK(schemas->load(std::string(name), xml::contract_file(name).value_or("")));
  }
  return std::unique_ptr<Validator>(new Validator(std::move(schemas)));
}

Result<Ok> Schemas::load(const std::string& file, std::string_view text) {
  DISTRICT_TRY(auto type, read_content_schema(file, text));
  // Alone it must be a schema; it is used for all gcontent of its kind in an envelope, one behind
  // the other, so that libxml2 makes ready for it once.
  DISTRICT_CHECK(xml::Schema::compile(file));
  DISTRICT_TRY(auto schema,
               xml::Schema::compile_text(
                   "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">"
                   "<xs:include schemaLocation=\"" +
                       file +
                       "\"/>"
                       "<xs:element name=\"" +
                       std::string(kContents) +
                       "\">"
                       "<xs:complexType><xs:sequence>"
                       "<xs:element ref=\"gcontent\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>"
                       "</xs:sequence></xs:complexType></xs:element></xs:schema>",
                   "contents.xsd"));
  types.push_back(std::move(type));
  contents.push_back(std::move(schema));
  return Ok{};
}

std::optional<std::size_t> Schemas::find(std::string_view type, std::string_view version) const {
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i].type == type && types[i].version == version) return i;
  }
  return std::nullopt;
}

Reading Validator::read_along(BatchTaker take) const {
  return Reading(std::make_unique<Reading::Impl>(*schemas_, std::move(take)));
}

Result<Content> Validator::extract(ByteSource& envelope, std::string_view charset,
                                   Instant received_at, BatchTaker take) const {
  Reading reading(std::make_unique<Reading::Impl>(*schemas_, std::move(take), received_at));
  Extraction extraction(reading);
  DISTRICT_CHECK(xml::read_envelope(envelope, charset, extraction));
  return reading.impl_->conclude_extraction();
}

const std::vector<ContentType>& Validator::content_types() const { return schemas_->types; }

}  // namespace district::validate
