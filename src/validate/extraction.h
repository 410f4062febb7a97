// From a message's texts to values, as the annotations of its content schema say.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/batch.h"
#include "validate/findings.h"
#include "validate/place.h"
#include "validate/validator.h"

namespace district::validate {

// The text of one element, and where it stands.
struct ElementText {
  std::string text;
  long line = 0;
  std::size_t position = 1;  // among its siblings of the same name
};

// What a message's head says.
struct HeadTexts {
  ElementText timestamp, type, version, source;
};

// One element of gcontent, or of one record of master data.
struct Field {
  const ElementMeaning* meaning = nullptr;
  ElementText content;
};

// Type, version, source, instant and flags. Notes header_rule where the timestamp is not an instant
// with a zone. `received_at`: what "ahead" is measured against. `head`: where it stands.
MessageHead extract_head(const HeadTexts& texts, std::uint32_t index, const Path& head,
                         Instant received_at, Findings& findings);

// Where fields stand together: in a gcontent, or in one record of master data.
struct Group {
  std::uint32_t message_index = 0;  // from 1
  const MessageHead& head;
  const ContentType& content;
  const Path& path;
};

// Appends the fields' observations or master facts to the batch; null: only checks them. Notes
// schema_invalid for numbers that are not finite and instants without a zone, header_rule for
// a validity of master data that ends before it starts.
void extract_fields(const Group& group, std::span<const Field> fields, Batch* batch,
                    Findings& findings);

}  // namespace district::validate
