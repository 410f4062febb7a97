#include "store/work_queue.h"

#include "store/log_reader.h"
#include "store/rows.h"
#include "store/series_reader.h"

namespace district::store {
namespace {

Result<Ok> put_finished_into(ArchiveDatabase& database, const SeriesMark& mark) {
  DISTRICT_TRY(auto row, database.prepare("UPDATE finished_into SET identity = ?1, commits = "
                                          "CASE WHEN identity = ?1 AND commits > ?2 THEN commits "
                                          "ELSE ?2 END WHERE id = 1"));
  return row.bind(1, ByteView(mark.identity)).bind(2, mark.commits).run();
}

Error unfit(const SeriesDatabase& series, const std::string& why) {
  return Error{
      ErrorCode::archive_foreign,
      series.name() + " " + why,
      "stop the server and move this file, with its -wal and -shm files, away: all that is "
      "in it is computed anew from the archive",
      {},
      {}};
}

}  // namespace

Result<std::vector<std::uint64_t>> WorkQueue::take(std::size_t limit, Instant now, Duration lease) {
  constexpr std::string_view kFree = "leased_by = ?1 OR lease_until <= ?2 OR lease_until > ?3";
  std::vector<std::uint64_t> taken;
  {
    DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index FROM work_item WHERE " +
                                       std::string(kFree) + " ORDER BY leaf_index LIMIT ?4"));
    row.bind(1, node_).bind(2, now).bind(3, now + lease).bind(4, limit);
    DISTRICT_TRY(const bool any, row.step());
    // Asking for work when there is none must not keep the writers off the database.
    if (!any) return taken;
  }
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  {
    DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index FROM work_item WHERE " +
                                       std::string(kFree) + " ORDER BY leaf_index LIMIT ?4"));
    row.bind(1, node_).bind(2, now).bind(3, now + lease).bind(4, limit);
    DISTRICT_TRY(taken, all_rows(row, [](const Statement& item) { return item.count(0); }));
  }
  DISTRICT_TRY(auto update, db_.prepare("UPDATE work_item SET leased_by = ?1, lease_until = ?2 "
                                        "WHERE leaf_index = ?3"));
  for (const auto leaf_index : taken)
    DISTRICT_CHECK(update.bind(1, node_).bind(2, now + lease).bind(3, leaf_index).run());
  DISTRICT_CHECK(transaction.commit());
  return taken;
}

Result<bool> WorkQueue::extend(std::span<const std::uint64_t> leaf_indexes, Instant now,
                               Duration lease) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  DISTRICT_TRY(auto row, db_.prepare("UPDATE work_item SET lease_until = ?1 WHERE leaf_index = ?2 "
                                     "AND leased_by = ?3 RETURNING leaf_index"));
  for (const auto leaf_index : leaf_indexes) {
    DISTRICT_TRY(const bool held,
                 row.bind(1, now + lease).bind(2, leaf_index).bind(3, node_).step());
    if (!held) return false;
    DISTRICT_CHECK(row.run());
  }
  DISTRICT_CHECK(transaction.commit());
  return true;
}

Result<Ok> WorkQueue::finish(std::span<const std::uint64_t> leaf_indexes, const SeriesMark& mark) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  {
    DISTRICT_TRY(auto row, db_.prepare("DELETE FROM work_item WHERE leaf_index = ?1"));
    for (const auto leaf_index : leaf_indexes) DISTRICT_CHECK(row.bind(1, leaf_index).run());
  }
  DISTRICT_CHECK(put_finished_into(db_, mark));
  return transaction.commit();
}

Result<Ok> WorkQueue::add(LogTransaction& transaction, std::uint64_t leaf_index,
                          Instant lease_until) {
  DISTRICT_TRY(auto row, transaction.database().prepare(
                             "INSERT INTO work_item (leaf_index, leased_by, lease_until) "
                             "VALUES (?1, ?2, ?3)"));
  return row.bind(1, leaf_index).bind(2, node_).bind(3, lease_until).run();
}

Result<std::uint64_t> WorkQueue::waiting() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT count(*) FROM work_item"));
  DISTRICT_TRY(const bool there, row.step());
  return there ? row.count(0) : 0;
}

Result<bool> WorkQueue::is_waiting(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT 1 FROM work_item WHERE leaf_index = ?1"));
  return row.bind(1, leaf_index).step();
}

Result<std::vector<std::string>> WorkQueue::strays() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index FROM work_item WHERE leaf_index NOT IN "
                                     "(SELECT leaf_index FROM envelope) AND leaf_index NOT IN "
                                     "(SELECT leaf_index FROM site_import) LIMIT 100"));
  return all_rows(row, [](const Statement& found) {
    return "leaf " + found.text(0) +
           ": it is to be quantified, but is neither an envelope "
           "nor an import of master data";
  });
}

Result<SeriesMark> WorkQueue::finished_into() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT identity, commits FROM finished_into WHERE id = 1"));
  DISTRICT_TRY(const bool there, row.step());
  if (!there) {
    return fail(ErrorCode::archive_corrupt, db_.name() + ": nothing tells where work has gone",
                "restore the database from a backup; keep the damaged file");
  }
  return SeriesMark{to_bytes(row.blob(0)), row.count(1)};
}

Result<std::uint64_t> WorkQueue::begin_anew(const SeriesMark& mark) {
  DISTRICT_TRY(auto transaction, LogTransaction::begin(db_));
  for (const auto* all : {"INSERT INTO work_item (leaf_index) SELECT leaf_index FROM envelope "
                          "WHERE true ON CONFLICT DO NOTHING",
                          "INSERT INTO work_item (leaf_index) SELECT leaf_index FROM site_import "
                          "WHERE true ON CONFLICT DO NOTHING"}) {
    DISTRICT_TRY(auto row, db_.prepare(all));
    DISTRICT_CHECK(row.run());
  }
  DISTRICT_CHECK(put_finished_into(db_, mark));
  DISTRICT_TRY(const auto items, waiting());
  DISTRICT_CHECK(transaction.commit());
  return items;
}

Result<std::uint64_t> match_series(ArchiveDatabase& archive, SeriesDatabase& series) {
  WorkQueue queue(archive, {});
  SeriesReader stored(series);
  DISTRICT_TRY(const auto mark, stored.mark());
  DISTRICT_TRY(const auto known, stored.known_head());
  DISTRICT_TRY(const auto finished, queue.finished_into());
  const bool ours = finished.identity == mark.identity;
  if (!ours && mark.commits == 0) return queue.begin_anew(mark);
  if (!ours) return fail(unfit(series, "holds the measurements of another archive"));
  if (mark.commits < finished.commits)
    return fail(unfit(series, "is older than the archive: what was computed since is not in it"));
  if (known.tree_size == 0) return 0;
  DISTRICT_TRY(const auto head, LogReader(archive).head_of_size(known.tree_size));
  if (head && head->root_hash == known.root_hash) return 0;
  return fail(unfit(series, "goes beyond the archive, which was perhaps restored from a backup"));
}

}  // namespace district::store
