#include "validate/extraction.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/limits.h"
#include "base/time.h"

namespace district::validate {
namespace {

using Role = ElementMeaning::Role;

// xs:double or xs:decimal, white space collapsed; nullopt for NaN, INF and all else.
std::optional<double> finite_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty()) return std::nullopt;
  // Too small for a double is zero; too large is not finite.
  if (status == std::errc::result_out_of_range &&
      text.find_first_of("eE") != std::string_view::npos &&
      text.find("-", text.find_first_of("eE")) != std::string_view::npos) {
    return 0.0;
  }
  if (status != std::errc{} || !std::isfinite(value)) return std::nullopt;
  return value;
}

const ElementMeaning* meaning_of(const ContentType& content, std::string_view element) {
  const auto found = std::ranges::find(content.elements, element, &ElementMeaning::element);
  return found == content.elements.end() ? nullptr : &*found;
}

bool over_period(ValueKind kind) { return kind == ValueKind::interval || kind == ValueKind::mean; }

// What the elements of one gcontent, or of one record of master data, say by their roles.
struct Roles {
  std::string meter;
  std::optional<Instant> start, end;
  bool good = true;
};

Roles read_roles(const std::vector<xml::Element>& elements, std::uint32_t index,
                 const ContentType& content, Findings& findings) {
  Roles roles;
  xml::Element end_element;
  for (const xml::Element element : elements) {
    const ElementMeaning* meaning = meaning_of(content, element.name());
    if (meaning == nullptr) continue;
    if (meaning->role == Role::meter) roles.meter = element.trimmed_text();
    if (meaning->role != Role::period_start && meaning->role != Role::period_end) continue;
    const auto instant = parse_date_time(element.text());
    if (!instant) {
      findings.add(ErrorCode::schema_invalid, index, element, "is not an instant with a zone");
      roles.good = false;
    }
    (meaning->role == Role::period_start ? roles.start : roles.end) = instant;
    if (meaning->role == Role::period_end) end_element = element;
  }
  if (roles.start && roles.end && *roles.start >= *roles.end) {
    findings.add(ErrorCode::header_rule, index, end_element,
                 "the period does not end after its start");
    roles.good = false;
  }
  return roles;
}

void extract_record(xml::Element record, const MessageElements& message, const MessageHead& head,
                    const ContentType& content, Batch& batch, Findings& findings) {
  const auto elements = record.children();
  const Roles roles = read_roles(elements, message.index, content, findings);
  if (!roles.good) return;
  for (const xml::Element element : elements) {
    const ElementMeaning* meaning = meaning_of(content, element.name());
    if (meaning == nullptr || meaning->role != Role::attribute) continue;
    if (!roles.start) {
      findings.add(ErrorCode::schema_invalid, message.index, record,
                   "says not from when on it holds");
      return;
    }
    MasterFact fact;
    fact.source = head.source;
    fact.meter = roles.meter;
    fact.attribute = meaning->element;
    fact.value = element.trimmed_text();
    fact.valid_from = *roles.start;
    fact.valid_to = roles.end;
    fact.message_index = message.index;
    batch.master_facts.push_back(std::move(fact));
  }
}

void extract_values(const MessageElements& message, const MessageHead& head,
                    const ContentType& content, Batch& batch, Findings& findings) {
  const auto elements = message.gcontent.children();
  const Roles roles = read_roles(elements, message.index, content, findings);
  if (!roles.good) return;
  for (const xml::Element element : elements) {
    const ElementMeaning* meaning = meaning_of(content, element.name());
    if (meaning == nullptr || meaning->role != Role::value) continue;
    const auto value = finite_number(element.trimmed_text());
    if (!value) {
      findings.add(ErrorCode::schema_invalid, message.index, element, "is not a finite number");
      continue;
    }
    const bool period = over_period(meaning->kind);
    if (period && (!roles.start || !roles.end)) {
      findings.add(ErrorCode::schema_invalid, message.index, element, "has no period");
      continue;
    }
    Observation observation;
    observation.source = head.source;
    observation.meter = roles.meter;
    observation.quantity = meaning->quantity;
    observation.unit = meaning->unit;
    observation.kind = meaning->kind;
    observation.start = period ? *roles.start : head.timestamp;
    observation.end = period ? *roles.end : head.timestamp;
    observation.value = *value;
    observation.message_index = message.index;
    observation.flags = head.flags;
    batch.observations.push_back(std::move(observation));
  }
}

xml::Element child(xml::Element parent, std::string_view name) {
  return parent ? parent.child("", name) : xml::Element{};
}

std::string token(xml::Element element) { return element ? element.trimmed_text() : std::string(); }

}  // namespace

MessageElements message_elements(xml::Element message, std::uint32_t index) {
  const xml::Element head = child(message, "head");
  const xml::Element type = child(head, "messageType");
  return {index,
          child(head, "timestamp"),
          child(type, "type"),
          child(type, "version"),
          child(child(head, "messageSource"), "messageSourceElement"),
          child(child(message, "content"), "gcontent")};
}

MessageHead extract_head(const MessageElements& message, Instant received_at, Findings& findings) {
  MessageHead head;
  head.type = token(message.type);
  head.version = token(message.version);
  head.source = token(message.source);
  const auto timestamp =
      message.timestamp ? parse_date_time(message.timestamp.text()) : std::nullopt;
  if (!timestamp) {
    findings.add(ErrorCode::header_rule, message.index, message.timestamp,
                 "is not an instant with a zone");
    return head;
  }
  head.timestamp = *timestamp;
  if (*timestamp - received_at > limits::kMessageAheadFlagged) head.flags |= flag_future;
  return head;
}

void extract_content(const MessageElements& message, const MessageHead& head,
                     const ContentType& content, Batch& batch, Findings& findings) {
  if (!message.gcontent) return;
  if (!content.master_data) {
    extract_values(message, head, content, batch, findings);
    return;
  }
  for (const xml::Element record : message.gcontent.children()) {
    extract_record(record, message, head, content, batch, findings);
  }
}

}  // namespace district::validate
