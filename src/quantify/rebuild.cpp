#include "quantify/rebuild.h"

#include <algorithm>
#include <set>

#include "quantify/engine.h"
#include "quantify/raw_values.h"
#include "store/archive_store.h"
#include "store/inventory.h"

namespace district::quantify {
namespace {

using store::SeriesStore;

bool is_selected(const RebuildSelection& selection, const std::string& tenant) {
  return !selection.tenant || *selection.tenant == tenant;
}

// Values of the envelope again; how many had to be restored.
Result<std::uint64_t> restore(store::Database& database, const validate::Validator& validator,
                              Engine& engine, const store::StoredEnvelope& envelope) {
  store::ArchiveStore archive(database);
  const store::Origin origin{envelope.leaf_index, envelope.receipt_id, envelope.received_at};
  Batch batch;
  DISTRICT_CHECK(read_values(archive, validator, envelope, [&](const Batch& part) -> Result<Ok> {
    batch.append(part);
    return Ok{};
  }));
  batch.tenant = envelope.tenant;
  DISTRICT_TRY(auto transaction, store::Transaction::begin(database));
  DISTRICT_TRY(const auto restored, engine.restore(batch, origin));
  if (restored > 0) DISTRICT_CHECK(transaction.commit());
  return restored;
}

Result<std::uint64_t> changed_of(store::Database& database, const MeterKey& meter, Instant now) {
  store::KpiFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  DISTRICT_TRY(const auto kpis, SeriesStore(database).kpis(filter));
  return static_cast<std::uint64_t>(std::count_if(
      kpis.begin(), kpis.end(), [now](const KpiValue& kpi) { return kpi.computed_at == now; }));
}

}  // namespace

Result<RebuildReport> rebuild(
    store::Database& database, const validate::Validator& validator, trust::Trust& trust,
    const RebuildSelection& selection, const Standards& standards, Instant now,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  RebuildReport report;
  SeriesStore store(database);
  DISTRICT_TRY(const auto snapshot, trust.snapshot());
  const auto zones = [&](std::string_view tenant) -> std::optional<std::string> {
    const auto* found = snapshot->tenant(tenant, now);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
  DISTRICT_TRY(const auto receipts, store.envelopes_between(selection.from, selection.to));
  Engine engine(database, zones, {}, standards);
  for (const auto& receipt_id : receipts) {
    DISTRICT_TRY(const auto envelope, store::ArchiveStore(database).find(receipt_id));
    if (!is_selected(selection, envelope.tenant)) continue;
    DISTRICT_TRY(const auto restored, restore(database, validator, engine, envelope));
    report.restored += restored;
    ++report.envelopes;
    progress(report.envelopes, receipts.size());
  }
  DISTRICT_TRY(const auto meters, store::all_meters(database));
  for (const auto& meter : meters) {
    if (!is_selected(selection, meter.tenant)) continue;
    DISTRICT_TRY(auto transaction, store::Transaction::begin(database));
    DISTRICT_CHECK(engine.recompute_between(meter, selection.from, selection.to, now));
    DISTRICT_CHECK(transaction.commit());
    ++report.meters;
    DISTRICT_TRY(const auto changed, changed_of(database, meter, now));
    report.changed += changed;
  }
  return report;
}

}  // namespace district::quantify
