// Master data that an administrator states, held to the same schema as what a pilot sends.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/batch.h"
#include "validate/validator.h"

namespace district::validate {

// A record of the content schema of master data, e.g. a meter, and its elements.
struct StatedRecord {
  std::string kind, source;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Errors: config_invalid, naming the record by its number from 1: what the schema refuses, and two
// values for one attribute from one instant on.
Result<std::vector<MasterFact>> read_statements(const Validator& validator,
                                                const std::vector<StatedRecord>& records);

}  // namespace district::validate
