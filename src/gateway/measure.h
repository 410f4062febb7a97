// Measures as files spell them, and as messages do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace district::gateway {

// A decimal number in plain digits: as it is spelled, or, where it has an exponent (5.0E-4), the
// shortest digits of exactly the same number (0.0005), which every server takes.
// Errors: gateway_input, "1,5 is no decimal number: write 1.5": what is no number, with what to
// write where that can be told, and what is beyond 1e15 or too small for a double.
Result<std::string> read_measure(std::string_view text);

// The double that a server makes of the number; nothing where it is none.
std::optional<double> value_of(std::string_view number);

}  // namespace district::gateway
