// Reads what a content schema says of its elements, by the vocabulary of xsd/annotations.xsd.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "validate/validator.h"

namespace district::validate {

// `file`: name in the contract, content/TYPE-VERSION.xsd, from which type and version are taken.
// Errors: config_invalid, naming file, line and element, where an annotation is missing, unknown or
// makes no sense (a value over a period in a content without period elements, say).
Result<ContentType> read_content_schema(const std::string& file, std::string_view text);

}  // namespace district::validate
