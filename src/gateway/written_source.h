// Reads files that are no tables: Eibar's installations as JSON, and messages that are already
// written, as XML.
#pragma once

#include <memory>
#include <string>

#include "gateway/csv_source.h"

namespace district::gateway {

// Errors: gateway_input, with file and line where it is known.
Result<std::unique_ptr<RowSource>> installations_of(const std::string& text,
                                                    const std::string& path);
Result<std::unique_ptr<RowSource>> messages_of(const std::string& text, const std::string& path);

}  // namespace district::gateway
