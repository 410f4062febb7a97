#include "store/inventory.h"

namespace district::store {

Result<Inventory> take_inventory(Database& database) {
  // One statement, hence one moment.
  DISTRICT_TRY(auto row, database.prepare("SELECT (SELECT count(*) FROM envelope), "
                                          "(SELECT count(*) FROM work_item) + "
                                          "(SELECT count(*) FROM stale_meter), "
                                          "(SELECT count(*) FROM quantify_failure)"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return fail(ErrorCode::archive_corrupt, "the tables could not be counted");
  return Inventory{row.count(0), row.count(1), row.count(2)};
}

Result<std::vector<MeterKey>> all_meters(Database& database) {
  DISTRICT_TRY(auto row, database.prepare("SELECT tenant, source, meter FROM meter "
                                          "ORDER BY tenant, source, meter"));
  std::vector<MeterKey> meters;
  while (true) {
    DISTRICT_TRY(const bool found, row.step());
    if (!found) return meters;
    meters.push_back({row.text(0), row.text(1), row.text(2)});
  }
}

}  // namespace district::store
