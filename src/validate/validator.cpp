#include "validate/validator.h"

#include <algorithm>
#include <unordered_map>

#include "base/limits.h"
#include "validate/content_schema.h"
#include "validate/extraction.h"
#include "validate/findings.h"
#include "xml/namespaces.h"
#include "xml/schema.h"

namespace district::validate {
namespace {

constexpr std::string_view kServiceSchema = "aggregation.xsd";
constexpr std::string_view kRequest = "AggregateMessageRequest";

// The Body's only element. Its own reasons are told of the Body, since there is no request yet.
Result<xml::Element> request_of(xml::Element body) {
  const auto children = body.children();
  Findings findings(body.parent());
  if (children.size() != 1 || body.has_text_beside_elements()) {
    findings.add(ErrorCode::schema_invalid, 0, body,
                 "must hold exactly one element and nothing else");
  } else if (!children.front().is(xml::ns::kUrb, kRequest)) {
    findings.add(ErrorCode::schema_invalid, 0, children.front(),
                 "is not an operation of this service");
  }
  if (!findings.empty()) return fail(findings.error());
  return children.front();
}

// Exclusive C14N leaves the binding of a prefix inside xsi:type unsigned, and xsi:nil would make a
// schema say less than it does: neither has a place in the Body.
void find_schema_overrides(xml::Element body, Findings& findings) {
  std::vector<xml::Element> open{body};
  while (!open.empty() && !findings.full()) {
    const xml::Element element = open.back();
    open.pop_back();
    for (const std::string_view name : {"type", "nil"}) {
      if (!element.attribute(xml::ns::kXsi, name)) continue;
      findings.add(ErrorCode::schema_invalid, 0, element,
                   "xsi:" + std::string(name) + " is not accepted");
    }
    const auto children = element.children();
    open.insert(open.end(), children.rbegin(), children.rend());
  }
}

// The request as self-contained XML without the bulk of `messages`. The service schema has found it
// valid, so its other children hold text only.
std::string without_messages(xml::Element request) {
  std::string text = "<r:" + std::string(request.name()) + " xmlns:r=\"" +
                     xml::escape_attribute(request.namespace_uri()) + "\">";
  for (const xml::Element child : request.children()) {
    const std::string name =
        (child.namespace_uri().empty() ? "" : "r:") + std::string(child.name());
    const std::string content = child.has_child_elements() ? "" : xml::escape_text(child.text());
    text += "<" + name + ">" + content + "</" + name + ">";
  }
  return text + "</r:" + std::string(request.name()) + ">";
}

Result<const Tenant*> authorised_tenant(const std::string& code,
                                        const verify::VerifiedEnvelope& envelope,
                                        const trust::TrustSnapshot& trust) {
  const auto& enrolments = envelope.sender().enrolments;
  if (std::ranges::find(enrolments, code, &Enrolment::tenant) == enrolments.end()) {
    return fail(ErrorCode::authentication_failed,
                "the signer " + envelope.sender().subject + " is not enrolled for tenant " + code,
                "districtctl enrol --tenant " + code + " CERT.pem");
  }
  const Tenant* tenant = trust.tenant(code, envelope.verified_at());
  if (tenant == nullptr)
    return fail(ErrorCode::authentication_failed, "tenant " + code + " is not known");
  return tenant;
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// The contract's header rules beyond what the schema says.
void check_header(const MessageElements& message, const MessageHead& head, const Tenant& tenant,
                  Instant received_at, Findings& findings) {
  if (head.timestamp - received_at > limits::kMessageAheadRejected) {
    findings.add(ErrorCode::header_rule, message.index, message.timestamp,
                 "is more than 24 hours ahead");
  }
  if (!tenant.sources.empty() && !contains(tenant.sources, head.source)) {
    findings.add(ErrorCode::header_rule, message.index, message.source,
                 "is not a source of this tenant");
  }
}

}  // namespace

struct Validator::Impl {
  explicit Impl(const OperationReader& reader) : operations(reader) {}

  const OperationReader& operations;
  std::optional<xml::Schema> service;
  std::vector<ContentType> types;
  std::vector<xml::Schema> schemas;                      // of `types`, in the same order
  std::unordered_map<std::string, std::size_t> by_name;  // "type/version"

  std::optional<std::size_t> find(const MessageHead& head) const {
    const auto found = by_name.find(head.type + "/" + head.version);
    if (found == by_name.end()) return std::nullopt;
    return found->second;
  }

  Result<Ok> load(const std::string& file, std::string_view text) {
    DISTRICT_TRY(auto type, read_content_schema(file, text));
    DISTRICT_TRY(auto schema, xml::Schema::compile(file));
    by_name.emplace(type.type + "/" + type.version, types.size());
    types.push_back(std::move(type));
    schemas.push_back(std::move(schema));
    return Ok{};
  }

  void check_message(xml::Element element, std::uint32_t index, const Tenant& tenant,
                     Instant received_at, Batch& batch, Findings& findings) const;
};

Validator::Validator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Validator::~Validator() = default;

Result<std::unique_ptr<Validator>> Validator::create(const OperationReader& operations) {
  auto impl = std::make_unique<Impl>(operations);
  DISTRICT_TRY(impl->service, xml::Schema::compile(std::string(kServiceSchema)));
  for (const std::string_view name : xml::contract_files()) {
    if (!name.starts_with("content/")) continue;
    DISTRICT_CHECK(impl->load(std::string(name), xml::contract_file(name).value_or("")));
  }
  return std::unique_ptr<Validator>(new Validator(std::move(impl)));
}

void Validator::Impl::check_message(xml::Element element, std::uint32_t index, const Tenant& tenant,
                                    Instant received_at, Batch& batch, Findings& findings) const {
  const MessageElements message = message_elements(element, index);
  MessageHead head = extract_head(message, received_at, findings);
  // A source that a policy lists is known; quantify/ knows those of master data.
  if (tenant.sources.empty()) head.flags |= flag_unknown_source;
  check_header(message, head, tenant, received_at, findings);
  const auto type = find(head);
  const std::string name = head.type + "/" + head.version;
  if (!type || !contains(tenant.content_types, name)) {
    findings.add(
        ErrorCode::content_type_unknown, index, message.type.parent(),
        name + (type ? " is not allowed for this tenant" : " is not a known type and version"));
    return;
  }
  auto violations = schemas[*type].validate(message.gcontent);
  if (violations.empty()) {
    extract_content(message, head, types[*type], batch, findings);
  } else {
    findings.add(ErrorCode::schema_invalid, std::move(violations));
  }
  batch.messages.push_back(std::move(head));
}

Result<Batch> Validator::validate(const verify::VerifiedEnvelope& envelope,
                                  const trust::TrustSnapshot& trust) const {
  DISTRICT_TRY(const auto request, request_of(envelope.body()));
  Findings findings(request);
  find_schema_overrides(envelope.body(), findings);
  if (!findings.empty()) return fail(findings.error());
  findings.add(ErrorCode::schema_invalid, impl_->service->validate(request));
  if (!findings.empty()) return fail(findings.error());

  DISTRICT_TRY(const auto operation, impl_->operations.read(without_messages(request)));
  DISTRICT_TRY(const auto* tenant, authorised_tenant(operation.tenant_code, envelope, trust));
  Batch batch;
  batch.tenant = operation.tenant_code;
  std::uint32_t index = 0;
  for (const xml::Element message : request.child("", "messages").children()) {
    impl_->check_message(message, ++index, *tenant, envelope.verified_at(), batch, findings);
    if (findings.full()) break;
  }
  if (!findings.empty()) return fail(findings.error());
  return batch;
}

Result<Batch> Validator::extract(const xml::Document& envelope, Instant received_at) const {
  const xml::Element root = envelope.root();
  const xml::Element body = root.child(root.namespace_uri(), "Body");
  if (!body) return fail(ErrorCode::schema_invalid, "the envelope has no Body");
  DISTRICT_TRY(const auto request, request_of(body));
  Findings findings(request);
  Batch batch;
  if (const auto code = request.child(xml::ns::kUrb, "tenantCode"); code)
    batch.tenant = code.trimmed_text();
  const xml::Element messages = request.child("", "messages");
  if (!messages) return fail(ErrorCode::schema_invalid, "the request has no messages");
  std::uint32_t index = 0;
  for (const xml::Element element : messages.children()) {
    const MessageElements message = message_elements(element, ++index);
    if (!message.timestamp || !message.gcontent) {
      return fail(ErrorCode::schema_invalid,
                  "message " + std::to_string(index) + " is not complete");
    }
    MessageHead head = extract_head(message, received_at, findings);
    const auto type = impl_->find(head);
    if (!type) {
      return fail(ErrorCode::schema_invalid, "message " + std::to_string(index) +
                                                 " is of the unknown type " + head.type + "/" +
                                                 head.version);
    }
    extract_content(message, head, impl_->types[*type], batch, findings);
    batch.messages.push_back(std::move(head));
  }
  if (!findings.empty()) return fail(ErrorCode::schema_invalid, findings.error().detail);
  return batch;
}

const std::vector<ContentType>& Validator::content_types() const { return impl_->types; }

}  // namespace district::validate
