#include "store/log_reader.h"

#include "store/log_writer.h"
#include "store/rows.h"

namespace district::store {
Result<LogHead> LogReader::head() {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT tree_size, root_hash FROM log_head "
                                           "ORDER BY tree_size DESC LIMIT 1"));
  DISTRICT_TRY(const bool row, statement.step());
  if (!row) return LogHead{0, crypto::merkle_root({})};
  DISTRICT_TRY(const auto root, statement.digest(1));
  return LogHead{statement.count(0), root};
}

Result<std::vector<LogHead>> LogReader::heads(std::uint64_t after_size, std::size_t limit) {
  DISTRICT_TRY(auto statement,
               db_.prepare("SELECT tree_size, root_hash FROM log_head WHERE tree_size > ?1 "
                           "ORDER BY tree_size LIMIT ?2"));
  statement.bind(1, after_size).bind(2, limit);
  return all_rows(statement, [](const Statement& found) {
    return LogHead{found.count(0), digest_or_zero(found.blob(1))};
  });
}

Result<std::optional<LogHead>> LogReader::head_of_size(std::uint64_t tree_size) {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT root_hash FROM log_head WHERE tree_size = ?1"));
  DISTRICT_TRY(const bool row, statement.bind(1, tree_size).step());
  if (!row) return std::nullopt;
  DISTRICT_TRY(const auto root, statement.digest(0));
  return LogHead{tree_size, root};
}

Result<crypto::MerkleFrontier> LogReader::frontier() { return read_frontier(db_); }

Result<std::vector<LogEntry>> LogReader::entries(std::uint64_t from, std::size_t limit) {
  DISTRICT_TRY(auto statement, db_.prepare("SELECT leaf_index, leaf_hash, entry FROM log_leaf "
                                           "WHERE leaf_index >= ?1 ORDER BY leaf_index LIMIT ?2"));
  statement.bind(1, from).bind(2, limit);
  return all_rows(statement, [](const Statement& found) {
    return LogEntry{found.count(0), digest_or_zero(found.blob(1)), found.text(2)};
  });
}

}  // namespace district::store
