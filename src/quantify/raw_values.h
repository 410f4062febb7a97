// The values of an archived envelope. Private to quantify/.
#pragma once

#include "base/error.h"
#include "store/archive_reader.h"
#include "validate/validator.h"

namespace district::quantify {

// Some at a time. Only at the end its octets are known to be those that were received.
// Errors: archive_corrupt, archive_unavailable, those of Validator::extract; the taker's.
Result<Ok> read_values(store::ArchiveReader& archive, const validate::Validator& validator,
                       const StoredEnvelope& stored, const validate::BatchTaker& take);

}  // namespace district::quantify
