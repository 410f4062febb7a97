#include "store/inventory.h"

#include "store/rows.h"

namespace district::store {

Result<Inventory> take_inventory(ArchiveDatabase& archive) {
  DISTRICT_TRY(auto row, archive.prepare("SELECT (SELECT count(*) FROM envelope), "
                                         "(SELECT count(*) FROM work_item)"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorCode::archive_corrupt, "the tables could not be counted");
  return Inventory{row.count(0), row.count(1), 0};
}

Result<Inventory> take_inventory(ArchiveDatabase& archive, SeriesDatabase& series) {
  DISTRICT_TRY(auto inventory, take_inventory(archive));
  // After the archive: what work has left to be computed is there before the archive is told that
  // the work is finished.
  DISTRICT_TRY(auto row, series.prepare("SELECT (SELECT count(*) FROM stale_meter), "
                                        "(SELECT count(*) FROM quantify_failure)"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorCode::archive_corrupt, "the tables could not be counted");
  inventory.work_waiting += row.count(0);
  inventory.work_failed = row.count(1);
  return inventory;
}

Result<std::vector<MeterKey>> all_meters(SeriesDatabase& database) {
  DISTRICT_TRY(auto row, database.prepare("SELECT tenant, source, meter FROM meter "
                                          "ORDER BY tenant, source, meter"));
  return all_rows(row, [](const Statement& found) {
    return MeterKey{found.text(0), found.text(1), found.text(2)};
  });
}

Result<std::vector<StoredOrigin>> all_origins(SeriesDatabase& database) {
  DISTRICT_TRY(auto row,
               database.prepare("SELECT leaf_index, receipt_id, received_at, tenant, "
                                "first_start, last_start FROM origin ORDER BY leaf_index"));
  return all_rows(row, [](const Statement& found) {
    return StoredOrigin{{found.count(0), found.text(1), found.instant(2)},
                        found.text(3),
                        found.optional_instant(4),
                        found.optional_instant(5)};
  });
}

Result<std::vector<StoredMeter>> meters_from(SeriesDatabase& database, const MeterKey& from,
                                             const std::optional<std::string>& source,
                                             const std::optional<std::string>& meter,
                                             std::size_t limit) {
  DISTRICT_TRY(auto row,
               database.prepare("SELECT meter_id, source, meter FROM meter WHERE tenant = ?1 "
                                "AND (source, meter) >= (?2, ?3) AND (?4 IS NULL OR source = ?4) "
                                "AND (?5 IS NULL OR meter = ?5) ORDER BY source, meter LIMIT ?6"));
  row.bind(1, from.tenant).bind(2, from.source).bind(3, from.meter);
  source ? row.bind(4, std::string_view(*source)) : row.bind_null(4);
  meter ? row.bind(5, std::string_view(*meter)) : row.bind_null(5);
  row.bind(6, static_cast<std::int64_t>(limit));
  return all_rows(row, [&](const Statement& found) {
    return StoredMeter{found.integer(0), {from.tenant, found.text(1), found.text(2)}};
  });
}

}  // namespace district::store
