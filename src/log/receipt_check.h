// A receipt that somebody holds, against the archive and its log.
#pragma once

#include "base/error.h"
#include "model/receipt.h"
#include "store/database.h"

namespace district::log {

// That the receipt's leaf is the envelope that it names and that its tree size and root are a
// recorded head, which verify() proves to be of this log. Errors: archive_corrupt, with what
// differs.
Result<Ok> check_receipt(store::ArchiveDatabase& database, const Receipt& receipt);

}  // namespace district::log
