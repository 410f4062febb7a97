#include "store/log_writer.h"

#include "store/log_reader.h"

namespace district::store {

Result<crypto::MerkleFrontier> read_frontier(ArchiveDatabase& database) {
  DISTRICT_TRY(auto statement,
               database.prepare("SELECT tree_size, subtrees FROM log_frontier WHERE id = 1"));
  DISTRICT_TRY(const bool row, statement.step());
  auto frontier =
      row ? crypto::MerkleFrontier::unpack(statement.count(0), statement.blob(1)) : std::nullopt;
  if (!frontier) {
    return fail(ErrorCode::archive_corrupt,
                database.name() + ": the frontier of the log is damaged",
                "restore the database from a backup; keep the damaged file");
  }
  return *std::move(frontier);
}

Result<LogWriter> LogWriter::begin(LogTransaction& transaction) {
  auto& database = transaction.database();
  DISTRICT_TRY(auto frontier, read_frontier(database));
  DISTRICT_TRY(const auto head, LogReader(database).head());
  if (head.tree_size != frontier.size || head.root_hash != frontier.root()) {
    return fail(ErrorCode::archive_corrupt,
                database.name() + ": the frontier of the log does not agree with its last head",
                "districtctl log verify names what is damaged; nothing is added to a damaged log");
  }
  return LogWriter(database, std::move(frontier));
}

Result<std::uint64_t> LogWriter::append(std::string_view entry) {
  const auto leaf_index = frontier_.size;
  const auto leaf_hash = crypto::merkle_leaf_hash(as_bytes(entry));
  DISTRICT_TRY(auto statement,
               database_->prepare(
                   "INSERT INTO log_leaf (leaf_index, leaf_hash, entry) VALUES (?1, ?2, ?3)"));
  DISTRICT_CHECK(statement.bind(1, leaf_index).bind(2, leaf_hash).bind(3, entry).run());
  frontier_.append(leaf_hash);
  return leaf_index;
}

Result<LogHead> LogWriter::finish(Instant now) {
  const LogHead head{frontier_.size, frontier_.root()};
  DISTRICT_TRY(
      auto frontier,
      database_->prepare("UPDATE log_frontier SET tree_size = ?1, subtrees = ?2 WHERE id = 1"));
  const auto packed = frontier_.pack();
  DISTRICT_CHECK(frontier.bind(1, head.tree_size).bind(2, packed).run());
  DISTRICT_TRY(auto statement,
               database_->prepare("INSERT INTO log_head (tree_size, root_hash, committed_at) "
                                  "VALUES (?1, ?2, ?3)"));
  DISTRICT_CHECK(statement.bind(1, head.tree_size).bind(2, head.root_hash).bind(3, now).run());
  return head;
}

Result<std::uint64_t> append_log_leaf(LogTransaction& transaction, std::string_view entry,
                                      Instant now) {
  DISTRICT_TRY(auto log, LogWriter::begin(transaction));
  DISTRICT_TRY(const auto leaf_index, log.append(entry));
  DISTRICT_TRY([[maybe_unused]] const auto head, log.finish(now));
  return leaf_index;
}

}  // namespace district::store
