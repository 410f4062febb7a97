// Numbers as files spell them, and as messages do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace district::gateway {

// Gives a decimal number in plain digits. It stays as it is spelled, unless it has an exponent
// (5.0E-4). Then it becomes the shortest digits of exactly the same number (0.0005), which every
// server accepts.
// Errors: gateway_input: it is no number, beyond 1e15, or too small for a double. Where possible
// the error says what to write: "1,5 is no decimal number: write 1.5".
Result<std::string> read_measure(std::string_view text);

// The double that a server makes of the number; nullopt: it is no number.
std::optional<double> value_of(std::string_view number);

}  // namespace district::gateway
