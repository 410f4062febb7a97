#include "log/receipt_check.h"

#include <chrono>
#include <string>
#include <utility>

#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "log/log.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"

namespace district::log {

Result<Ok> check_receipt(store::ArchiveDatabase& database, const Receipt& receipt) {
  const auto differs = [&](const std::string& what) {
    return fail(ErrorCode::archive_corrupt, "receipt " + receipt.receipt_id + ": " + what,
                "keep the receipt: it proves that the archive was changed; districtctl log verify "
                "names what else is damaged");
  };
  store::ArchiveReader archive(database);
  store::LogReader log_reader(database);
  auto stored = archive.find(receipt.receipt_id);
  if (!stored && stored.error().code == ErrorCode::not_found) {
    return differs("its envelope is not in the archive");
  }
  if (!stored) return fail(std::move(stored).error());
  // Names both values, so that the holder of the receipt sees what was changed.
  const auto other = [&](const std::string& what, const std::string& held,
                         const std::string& archived) {
    return differs(what + " is " + held + " in the receipt, " + archived + " in the archive");
  };
  if (stored->payload_digest != receipt.payload_digest) {
    return other("the payload digest", to_base64(receipt.payload_digest),
                 to_base64(stored->payload_digest));
  }
  // A receipt on the wire has milliseconds.
  const auto millis = [](Instant at) { return std::chrono::floor<std::chrono::milliseconds>(at); };
  if (millis(stored->received_at) != millis(receipt.received_at)) {
    return other("the time of receipt", format_instant(receipt.received_at, 3),
                 format_instant(stored->received_at, 3));
  }
  const auto compare = [&](const char* what, std::uint64_t held,
                           std::uint64_t archived) -> Result<Ok> {
    if (held == archived) return Ok{};
    return other(what, std::to_string(held), std::to_string(archived));
  };
  DISTRICT_CHECK(compare("the number of messages", receipt.message_count, stored->message_count));
  DISTRICT_CHECK(compare("the leaf index", receipt.leaf_index, stored->leaf_index));
  DISTRICT_CHECK(compare("the tree size", receipt.tree_size, stored->tree_size));

  DISTRICT_TRY(const auto entries, log_reader.entries(receipt.leaf_index, 1));
  const auto expected =
      expected_entry(*stored, entries.empty() ? std::string() : entries.front().entry);
  if (entries.empty() || entries.front().leaf_index != receipt.leaf_index ||
      entries.front().entry != expected ||
      entries.front().leaf_hash != crypto::merkle_leaf_hash(as_bytes(expected))) {
    return differs("its leaf is not its envelope's");
  }
  DISTRICT_TRY(const auto head, log_reader.head_of_size(receipt.tree_size));
  if (!head) return differs("the log has no head of its tree size");
  if (head->root_hash != receipt.root_hash)
    return differs("the log had another root at its tree size");
  return Ok{};
}

}  // namespace district::log
