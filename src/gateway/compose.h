// Makes messages of the rows of a site's files, and the Body of a request of messages.
// Source: docs/reference/contract.md sections 2 and 3; the content schemas in xsd/content/.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "gateway/csv_source.h"

namespace district::gateway {

struct ComposeOptions {
  std::string source;    // messageSourceElement; empty: the meter or installation of the row
  Instant valid_from{};  // for master data whose file has none
  Instant now{};         // head/timestamp of master data
};

// One <message>, in canonical form. head/timestamp is the end of a period, or the instant of a
// sample or a reading. Errors: gateway_input when a register has no source, since a meter of a
// house is known by the name of the house and its own.
Result<std::string> compose_message(const Row& row, const ComposeOptions& options);

// The content of the Body in exclusive canonical form, for xml::write_signed_envelope.
std::string compose_body(std::string_view tenant, std::span<const std::string> messages);

}  // namespace district::gateway
