// Reads the values of an archived envelope from its octets. Private to quantify/.
#pragma once

#include "base/error.h"
#include "store/archive_reader.h"
#include "validate/validator.h"

namespace district::quantify {

// Hands the values to `take`, some at a time. Only after success are the octets known to be those
// that were received.
// Errors: archive_corrupt, archive_unavailable, those of Validator::extract and of `take`.
Result<Ok> read_values(store::ArchiveReader& archive, const validate::Validator& validator,
                       const StoredEnvelope& stored, const validate::BatchTaker& take);

}  // namespace district::quantify
