#include "quantify/rebuild.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <vector>

#include "quantify/engine.h"
#include "quantify/raw_values.h"
#include "series/plausibility.h"
#include "store/archive_reader.h"
#include "store/inventory.h"
#include "store/read_snapshot.h"
#include "store/series_writer.h"
#include "store/transaction.h"

namespace district::quantify {
namespace {

using store::SeriesReader;

bool is_selected(const RebuildSelection& selection, const std::string& tenant) {
  return !selection.tenant || *selection.tenant == tenant;
}

using Given = std::map<std::int64_t, std::vector<ValueVersion>>;  // by series_id

class Rebuild {
 public:
  Rebuild(store::ArchiveDatabase& archive, store::SeriesDatabase& series,
          const validate::Validator& validator, Engine& engine, const RebuildSelection& selection)
      : archive_(archive),
        series_(series),
        validator_(validator),
        engine_(engine),
        selection_(selection) {}

  // Makes the stored values what the envelope gives.
  Result<Ok> restore(const StoredEnvelope& envelope, RebuildReport& report) {
    DISTRICT_TRY(const auto given, given_by(envelope, report));
    for (const auto& [series_id, versions] : given) counts_[series_id] += count_selected(versions);
    return Ok{};
  }

  // To be called when all envelopes are restored. Strangers are values that no envelope gave; a
  // series has some when it has more values than the envelopes gave.
  Result<Ok> remove_strangers(const MeterKey& meter, Instant now, RebuildReport& report) {
    SeriesReader store(series_);
    DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
    if (!meter_id) return Ok{};
    DISTRICT_TRY(const auto all_series, store.series_of(*meter_id));
    for (const auto& series : all_series) {
      std::uint64_t stored = 0;
      DISTRICT_CHECK(each_selected(store, series, [&](const ValueVersion&) { ++stored; }));
      if (stored == counts_[series.series_id]) continue;
      DISTRICT_TRY(const auto strangers, strangers_in(store, series, report));
      if (strangers.empty()) continue;
      DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series_));
      DISTRICT_CHECK(engine_.remove(transaction, meter, series, strangers, now));
      DISTRICT_CHECK(transaction.commit());
      report.removed += strangers.size();
    }
    return Ok{};
  }

 private:
  Result<Given> given_by(const StoredEnvelope& envelope, RebuildReport& report) {
    store::ArchiveReader archive(archive_);
    const Origin origin{envelope.leaf_index, envelope.receipt_id, envelope.received_at};
    Batch batch;
    DISTRICT_CHECK(read_values(archive, validator_, envelope, [&](const Batch& part) -> Result<Ok> {
      batch.append(part);
      return Ok{};
    }));
    batch.tenant = envelope.tenant;
    DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series_));
    DISTRICT_TRY(auto restored, engine_.restore(transaction, batch, origin));
    report.restored += restored.values;
    if (restored.values > 0) DISTRICT_CHECK(transaction.commit());
    return std::move(restored.given);
  }

  bool is_selected(const ValueVersion& version) const {
    return (!selection_.from || version.start >= *selection_.from) &&
           (!selection_.to || version.start < *selection_.to);
  }
  std::uint64_t count_selected(const std::vector<ValueVersion>& versions) const {
    return static_cast<std::uint64_t>(std::count_if(
        versions.begin(), versions.end(), [this](const auto& v) { return is_selected(v); }));
  }
  template <typename Visit>
  Result<Ok> each_selected(SeriesReader& store, const Series& series, Visit&& visit) const {
    const auto take = [&](const std::vector<ValueVersion>& versions) -> Result<Ok> {
      for (const auto& version : versions)
        if (is_selected(version)) visit(version);
      return Ok{};
    };
    if (!selection_.from || !selection_.to) return store.each_row(series, take);
    DISTRICT_TRY(const auto versions, store.versions(series, *selection_.from, *selection_.to));
    return take(versions);
  }

  // The values that the envelope of their leaf does not give, or whose leaf has no envelope. This
  // also reads envelopes that have come in meanwhile.
  Result<std::vector<ValueVersion>> strangers_in(SeriesReader& store, const Series& series,
                                                 RebuildReport& report) {
    std::map<std::uint64_t, std::vector<ValueVersion>> by_leaf;
    DISTRICT_CHECK(each_selected(
        store, series, [&](const ValueVersion& v) { by_leaf[v.leaf_index].push_back(v); }));
    std::vector<ValueVersion> strangers;
    for (const auto& [leaf_index, versions] : by_leaf) {
      DISTRICT_TRY(const auto envelope, envelope_of(leaf_index));
      Given given;
      if (envelope) {
        DISTRICT_TRY(given, given_by(*envelope, report));
      }
      const auto& known = given[series.series_id];
      std::copy_if(versions.begin(), versions.end(), std::back_inserter(strangers),
                   [&](const ValueVersion& version) {
                     return std::none_of(known.begin(), known.end(), [&](const auto& other) {
                       return other.start == version.start && other.end == version.end &&
                              other.message_index == version.message_index;
                     });
                   });
    }
    return strangers;
  }

  Result<std::optional<StoredEnvelope>> envelope_of(std::uint64_t leaf_index) {
    return store::ArchiveReader(archive_).of_leaf(leaf_index);
  }

  store::ArchiveDatabase& archive_;
  store::SeriesDatabase& series_;
  const validate::Validator& validator_;
  Engine& engine_;
  const RebuildSelection& selection_;
  std::map<std::int64_t, std::uint64_t> counts_;  // values that envelopes gave, by series_id
};

Result<std::uint64_t> changed_of(store::SeriesDatabase& database, const MeterKey& meter,
                                 Instant now) {
  store::KpiFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  DISTRICT_TRY(const auto kpis, SeriesReader(database).kpis(filter));
  return static_cast<std::uint64_t>(std::count_if(
      kpis.begin(), kpis.end(), [now](const KpiValue& kpi) { return kpi.computed_at == now; }));
}

// Corrects the numbers of values that `status` shows. Others may go on counting meanwhile.
Result<Ok> correct_counts(store::SeriesDatabase& database) {
  SeriesReader store(database);
  std::map<std::string, std::int64_t> changes;
  const auto count = [&changes](const std::vector<ValueVersion>& versions) -> Result<Ok> {
    for (const auto& version : versions) {
      ++changes[std::string("state ") + name_of(version.state)];
      for (const auto& rule : series::rules())
        if ((version.flags & rule.flag) != 0) ++changes["rule " + std::string(rule.name)];
    }
    return Ok{};
  };
  {
    DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(database));
    DISTRICT_TRY(const auto counts, store.counts());
    for (const auto& [state, number] : counts.measurements)
      changes[std::string("state ") + name_of(state)] -= static_cast<std::int64_t>(number);
    for (const auto& [rule, number] : counts.rules)
      changes["rule " + rule] -= static_cast<std::int64_t>(number);
    DISTRICT_TRY(const auto meters, store::all_meters(database));
    for (const auto& meter : meters) {
      DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
      if (!meter_id) continue;
      DISTRICT_TRY(const auto all_series, store.series_of(*meter_id));
      for (const auto& series : all_series) {
        DISTRICT_CHECK(store.each_row(series, count));
        DISTRICT_TRY(const auto unusable, store.unusable(series.series_id));
        DISTRICT_CHECK(count(unusable));
      }
    }
  }
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(database));
  DISTRICT_CHECK(store::SeriesWriter(transaction).add_counts(changes));
  return transaction.commit();
}

}  // namespace

Result<RebuildReport> rebuild(
    store::ArchiveDatabase& archive, store::SeriesDatabase& series,
    const validate::Validator& validator, trust::Trust& trust, const RebuildSelection& selection,
    const Standards& standards, Instant now,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& progress) {
  RebuildReport report;
  SeriesReader store(series);
  const auto snapshot = trust.snapshot();
  const auto zones = [&](std::string_view tenant) -> std::optional<std::string> {
    const auto* found = snapshot->tenant(tenant);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
  DISTRICT_TRY(const auto receipts, store.envelopes_between(selection.from, selection.to));
  Engine engine(series, zones, {}, standards);
  Rebuild rebuild(archive, series, validator, engine, selection);
  for (const auto& receipt_id : receipts) {
    const auto envelope = store::ArchiveReader(archive).find(receipt_id);
    // Its values are strangers, which are removed below.
    if (!envelope && envelope.error().code == ErrorCode::not_found) continue;
    if (!envelope) return fail(envelope.error());
    if (!is_selected(selection, envelope->tenant)) continue;
    DISTRICT_CHECK(rebuild.restore(*envelope, report));
    ++report.envelopes;
    progress(report.envelopes, receipts.size());
  }
  DISTRICT_TRY(const auto meters, store::all_meters(series));
  for (const auto& meter : meters) {
    if (!is_selected(selection, meter.tenant)) continue;
    DISTRICT_CHECK(rebuild.remove_strangers(meter, now, report));
    DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(series));
    DISTRICT_CHECK(engine.recompute_between(transaction, meter, selection.from, selection.to, now));
    DISTRICT_CHECK(transaction.commit());
    ++report.meters;
    DISTRICT_TRY(const auto changed, changed_of(series, meter, now));
    report.changed += changed;
  }
  if (!selection.tenant && !selection.from && !selection.to) DISTRICT_CHECK(correct_counts(series));
  return report;
}

}  // namespace district::quantify
