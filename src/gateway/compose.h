// From rows of a site's files to messages and the Body of a request.
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
  Instant valid_from{};  // of master data whose file does not say
  Instant now{};         // head/timestamp of master data
};

// One <message>, in canonical form. head/timestamp is the end of a period, the instant of a sample
// or a reading. Errors: gateway_input where a register has no source: a meter of a house is known
// by the house's name and its own.
Result<std::string> compose_message(const Row& row, const ComposeOptions& options);

// Content of the Body in exclusive canonical form, for xml::write_signed_envelope.
std::string compose_body(std::string_view tenant, std::span<const std::string> messages);

}  // namespace district::gateway
