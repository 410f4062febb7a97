// Compares a receipt that somebody holds with the archive and its log.
#pragma once

#include "base/error.h"
#include "model/receipt.h"
#include "store/database.h"

namespace district::log {

// Checks that the leaf of the receipt is the envelope that it names, and that its tree size and
// root are a recorded head; verify() proves that this head is of this log. Errors: archive_corrupt,
// with what differs.
Result<Ok> check_receipt(store::ArchiveDatabase& database, const Receipt& receipt);

}  // namespace district::log
