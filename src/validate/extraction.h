// From a message's elements to values, as the annotations of its content schema say.
#pragma once

#include "model/batch.h"
#include "validate/findings.h"
#include "validate/validator.h"
#include "xml/document.h"

namespace district::validate {

// The parts of one message element that the service schema has found valid.
struct MessageElements {
  std::uint32_t index = 0;  // from 1
  xml::Element timestamp, type, version, source, gcontent;
};

// Null elements where something is missing.
MessageElements message_elements(xml::Element message, std::uint32_t index);

// Type, version, source, instant and flags. Notes header_rule where the timestamp is not an instant
// with a zone. `received_at`: what "ahead" is measured against.
MessageHead extract_head(const MessageElements& message, Instant received_at, Findings& findings);

// Appends the message's observations or master facts to the batch. Notes schema_invalid for numbers
// that are not finite and instants without a zone, header_rule for periods that end before they
// start.
void extract_content(const MessageElements& message, const MessageHead& head,
                     const ContentType& content, Batch& batch, Findings& findings);

}  // namespace district::validate
