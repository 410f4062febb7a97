#include "validate/extraction.h"

#include <optional>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"

namespace district::validate {
namespace {

using Role = ElementMeaning::Role;

bool over_period(ValueKind kind) { return kind == ValueKind::interval || kind == ValueKind::mean; }

// xs:boolean, white space collapsed.
std::optional<bool> truth(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

// What the fields say by their roles.
struct Roles {
  std::string meter;
  std::optional<Instant> start, end;
  bool estimated = false;
  bool good = true;
};

Violation at(const Group& group, const Field& field, std::string reason) {
  const auto& [text, line, position] = field.content;
  return {group.message_index, group.path.text_of_child(field.meaning->element, position), line,
          std::move(reason)};
}

Roles read_roles(const Group& group, std::span<const Field> fields, Findings& findings) {
  Roles roles;
  const Field* end = nullptr;
  for (const Field& field : fields) {
    const Role role = field.meaning->role;
    if (role == Role::meter) roles.meter = collapse_xml_space(field.content.text);
    if (role == Role::estimated) {
      const auto estimated = truth(trim_xml_space(field.content.text));
      if (!estimated) {
        findings.add(ErrorCode::schema_invalid, at(group, field, "is neither true nor false"));
        roles.good = false;
      }
      roles.estimated = roles.estimated || estimated.value_or(false);
    }
    if (role != Role::period_start && role != Role::period_end) continue;
    const auto instant = parse_date_time(field.content.text);
    if (!instant) {
      findings.add(ErrorCode::schema_invalid, at(group, field, "is not an instant with a zone"));
      roles.good = false;
    }
    (role == Role::period_start ? roles.start : roles.end) = instant;
    if (role == Role::period_end) end = &field;
  }
  // A measurement of such a period is evidence all the same: the quantifier sets it aside. A
  // statement of master data that never holds is a mistake.
  if (group.content.master_data && roles.start && roles.end && *roles.start >= *roles.end) {
    findings.add(ErrorCode::header_rule,
                 at(group, *end, "the validity does not end after its start"));
    roles.good = false;
  }
  return roles;
}

void extract_fact(const Group& group, const Field& field, const Roles& roles, Batch* batch) {
  if (batch == nullptr) return;
  MasterFact fact;
  fact.source = group.head.source;
  fact.meter = roles.meter;
  fact.attribute = field.meaning->element;
  fact.value = collapse_xml_space(field.content.text);
  fact.valid_from = *roles.start;
  fact.valid_to = roles.end;
  fact.message_index = group.message_index;
  batch->master_facts.push_back(std::move(fact));
}

void extract_value(const Group& group, const Field& field, const Roles& roles, Batch* batch,
                   Findings& findings) {
  const auto value = parse_finite_number(trim_xml_space(field.content.text));
  const ElementMeaning& meaning = *field.meaning;
  if (!value) {
    findings.add(ErrorCode::schema_invalid, at(group, field, "is not a finite number"));
    return;
  }
  const bool period = over_period(meaning.kind);
  if (period && (!roles.start || !roles.end)) {
    findings.add(ErrorCode::schema_invalid, at(group, field, "has no period"));
    return;
  }
  if (batch == nullptr) return;
  Observation observation;
  observation.source = group.head.source;
  observation.meter = roles.meter;
  observation.quantity = meaning.quantity;
  observation.unit = meaning.unit;
  observation.kind = meaning.kind;
  observation.start = period ? *roles.start : group.head.timestamp;
  observation.end = period ? *roles.end : group.head.timestamp;
  observation.value = *value;
  observation.message_index = group.message_index;
  observation.flags = group.head.flags;
  if (roles.estimated) observation.flags |= flag_estimated;
  batch->observations.push_back(std::move(observation));
}

}  // namespace

MessageHead extract_head(const HeadTexts& texts, std::uint32_t index, const Path& path,
                         Instant received_at, Findings& findings) {
  MessageHead head;
  head.type = collapse_xml_space(texts.type.text);
  head.version = collapse_xml_space(texts.version.text);
  head.source = collapse_xml_space(texts.source.text);
  const auto timestamp = parse_date_time(texts.timestamp.text);
  if (!timestamp) {
    findings.add(ErrorCode::header_rule, {index, path.text_of_child("timestamp", 1),
                                          texts.timestamp.line, "is not an instant with a zone"});
    return head;
  }
  head.timestamp = *timestamp;
  if (*timestamp - received_at > limits::kMessageAheadFlagged) head.flags |= flag_future;
  return head;
}

void extract_fields(const Group& group, std::span<const Field> fields, Batch* batch,
                    Findings& findings) {
  const Roles roles = read_roles(group, fields, findings);
  if (!roles.good) return;
  const Role wanted = group.content.master_data ? Role::attribute : Role::value;
  for (const Field& field : fields) {
    if (field.meaning->role != wanted) continue;
    if (wanted == Role::value) {
      extract_value(group, field, roles, batch, findings);
      continue;
    }
    if (!roles.start) {
      findings.add(ErrorCode::schema_invalid,
                   {group.message_index, group.path.text(), group.path.line(),
                    "says not from when on it holds"});
      return;
    }
    extract_fact(group, field, roles, batch);
  }
}

}  // namespace district::validate
