#include "audit/replayed_series.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "audit/meter_rows.h"
#include "log/log.h"
#include "quantify/site_import.h"
#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/work_queue.h"

namespace district::audit {
namespace {

// How many envelopes are added before KPIs are computed: so few that the last computation is short,
// and so many that few windows are computed twice.
constexpr std::size_t kEnvelopesInOneComputation = 1024;

// The present zone of each tenant, since the quantifier computes all windows by it, old ones too.
quantify::Engine::ZoneLookup zones_of(const trust::TrustSnapshot& trust) {
  return [&trust](std::string_view code) -> std::optional<std::string> {
    const auto* found = trust.tenant(code);
    return found == nullptr ? std::nullopt : std::optional(found->zone);
  };
}

}  // namespace

ReplayedSeries::ReplayedSeries(store::ArchiveDatabase& archive, store::SeriesDatabase& recorded,
                               std::unique_ptr<store::SeriesDatabase> database,
                               store::SeriesTransaction transaction,
                               const trust::TrustSnapshot& trust, const Standards& standards,
                               bool everything)
    : archive_(archive),
      recorded_(recorded),
      recorded_engine_(recorded, zones_of(trust)),
      recorded_database_(recorded),
      database_(std::move(database)),
      transaction_(std::move(transaction)),
      engine_(*database_, zones_of(trust), {}, standards),
      trust_(trust),
      everything_(everything) {}

Result<std::unique_ptr<ReplayedSeries>> ReplayedSeries::create(store::ArchiveDatabase& archive,
                                                               store::SeriesDatabase& recorded,
                                                               const trust::TrustSnapshot& trust,
                                                               const Standards& standards,
                                                               bool everything) {
  DISTRICT_TRY(auto database,
               store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create));
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(*database));
  auto replayed = std::unique_ptr<ReplayedSeries>(
      new ReplayedSeries(archive, recorded, std::move(database), std::move(transaction), trust,
                         standards, everything));
  DISTRICT_TRY(const auto failures, replayed->recorded_.failures());
  for (const auto& failure : failures) {
    replayed->failures_.emplace(failure.origin.leaf_index, failure);
  }
  return replayed;
}

void ReplayedSeries::add_damaged(const StoredEnvelope& envelope) {
  damaged_.insert(envelope.leaf_index);
  failures_.erase(envelope.leaf_index);
}

Result<Ok> ReplayedSeries::add(const StoredEnvelope& envelope, const Batch& batch,
                               ReplayReport& report) {
  if (const auto failure = failures_.find(envelope.leaf_index); failure != failures_.end()) {
    const auto recorded = std::move(failure->second);
    failures_.erase(failure);
    return check_failure(envelope, batch, recorded, report);
  }
  const Origin origin{envelope.leaf_index, envelope.receipt_id, envelope.received_at};
  const auto ingested = engine_.ingest(transaction_, batch, origin, touched_);
  if (!ingested && ingested.error().code != ErrorCode::quantify_failed)
    return fail(ingested.error());
  if (!ingested) {
    report.differences.push_back({DifferenceKind::verdict,
                                  {envelope.receipt_id},
                                  "quantify",
                                  "quantified",
                                  "failed: " + ingested.error().detail});
    add_damaged(envelope);
    return Ok{};
  }
  replayed_.insert(envelope.leaf_index);
  if (replayed_.size() % kEnvelopesInOneComputation == 0) {
    DISTRICT_CHECK(engine_.recompute(transaction_, touched_, Instant{}));
  }
  for (const auto& o : batch.observations) meters_.insert({batch.tenant, o.source, o.meter});
  for (const auto& fact : batch.master_facts)
    meters_.insert({batch.tenant, fact.source, fact.meter});
  if (everything_) return Ok{};
  // Values may be recorded under meters that the envelope does not name.
  store::MeasurementFilter of_envelope;
  of_envelope.leaf_index = envelope.leaf_index;
  DISTRICT_TRY(const auto recorded, recorded_.measurements(of_envelope));
  for (const auto& measurement : recorded) meters_.insert(measurement.meter);
  return Ok{};
}

// The envelope is recorded as one that could not be quantified. It must fail again, in a store of
// its own, where nothing but the envelope can be the cause.
Result<Ok> ReplayedSeries::check_failure(const StoredEnvelope& envelope, const Batch& batch,
                                         const store::QuantifyFailure& recorded,
                                         ReplayReport& report) {
  DISTRICT_TRY(const auto alone,
               store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create));
  DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(*alone));
  const Origin origin{envelope.leaf_index, envelope.receipt_id, envelope.received_at};
  const auto applied = quantify::Engine(*alone, zones_of(trust_))
                           .apply(transaction, batch, origin, envelope.received_at);
  const auto failure_text = [](ErrorCode code, const std::string& reason) {
    return "failed with " + std::to_string(static_cast<int>(code)) + ": " + reason;
  };
  const auto note = [&](DifferenceKind kind, const std::string& before, const std::string& now) {
    if (before != now)
      report.differences.push_back({kind, {envelope.receipt_id}, "quantify", before, now});
  };
  note(DifferenceKind::verdict, failure_text(recorded.code, recorded.reason),
       applied ? "quantified" : failure_text(applied.error().code, applied.error().detail));
  note(DifferenceKind::failure, recorded.origin.receipt_id + " of tenant " + recorded.tenant,
       envelope.receipt_id + " of tenant " + envelope.tenant);
  return Ok{};
}

// Whether the recorded values of the envelope are taken, in place of replayed ones.
bool ReplayedSeries::is_other(std::uint64_t leaf_index) const {
  return everything_ ? damaged_.contains(leaf_index) : !replayed_.contains(leaf_index);
}

Result<Ok> ReplayedSeries::find_meters() {
  if (everything_) {
    DISTRICT_TRY(const auto recorded, store::all_meters(recorded_database_));
    meters_.insert(recorded.begin(), recorded.end());
    return Ok{};
  }
  // KPIs may depend on values of other meters.
  std::vector<MeterKey> todo(meters_.begin(), meters_.end());
  while (!todo.empty()) {
    DISTRICT_TRY(const auto linked, recorded_engine_.linked_to(todo.back()));
    todo.pop_back();
    for (const auto& meter : linked)
      if (meters_.insert(meter).second) todo.push_back(meter);
  }
  return Ok{};
}

Result<Ok> ReplayedSeries::add_others(ReplayReport& report) {
  DISTRICT_CHECK(find_meters());
  if (everything_) DISTRICT_CHECK(add_imports(report));
  if (!everything_ || !damaged_.empty()) DISTRICT_CHECK(add_recorded(report));
  return Ok{};
}

Result<Ok> ReplayedSeries::compute() {
  return engine_.recompute(transaction_, touched_, Instant{});
}

Result<Ok> ReplayedSeries::add_recorded(ReplayReport& report) {
  std::map<Origin, Batch> batches;  // in the order of leaves
  for (const auto& meter : meters_) {
    DISTRICT_TRY(auto measurements, recorded_.measurements(filter_of(meter)));
    for (auto& measurement : measurements) {
      if (!is_other(measurement.origin.leaf_index)) continue;
      auto& batch = batches[measurement.origin];
      batch.tenant = meter.tenant;
      batch.observations.push_back(std::move(measurement.observation));
    }
    DISTRICT_TRY(auto facts, facts_of(recorded_, meter));
    for (auto& stored : facts) {
      if (!is_other(stored.origin.leaf_index)) continue;
      auto& batch = batches[stored.origin];
      batch.tenant = meter.tenant;
      stored.fact.source = meter.source;
      stored.fact.meter = meter.meter;
      batch.master_facts.push_back(std::move(stored.fact));
    }
  }
  for (const auto& [origin, batch] : batches) {
    const auto ingested = engine_.ingest(transaction_, batch, origin, touched_);
    if (ingested) continue;
    if (ingested.error().code != ErrorCode::quantify_failed) return fail(ingested.error());
    report.differences.push_back({DifferenceKind::measurement,
                                  {origin.receipt_id},
                                  "",
                                  "cannot be used: " + ingested.error().detail,
                                  ""});
  }
  return Ok{};
}

// Imports of master data came in no envelope. The leaf of an import has the digest of its
// statements, which 'log verify' compares. Here the stored facts are compared with the statements.
Result<Ok> ReplayedSeries::add_imports(ReplayReport& report) {
  store::ArchiveReader archive(archive_);
  DISTRICT_TRY(const auto imports, archive.site_imports());
  if (imports.empty()) return Ok{};
  store::WorkQueue queue(archive_, {});
  std::map<std::uint64_t, std::vector<MasterFact>> stored;  // by leaf
  for (const auto& meter : meters_) {
    DISTRICT_TRY(const auto facts, facts_of(recorded_, meter));
    for (auto [fact, origin] : facts) {
      fact.source = meter.source;
      fact.meter = meter.meter;
      stored[origin.leaf_index].push_back(std::move(fact));
    }
  }
  for (const auto& import : imports) {
    const auto receipt_id = quantify::receipt_id_of_import(import.leaf_index);
    DISTRICT_TRY(const bool waiting, queue.is_waiting(import.leaf_index));
    if (waiting) {
      ++report.not_quantified;
      continue;
    }
    Batch batch;
    batch.tenant = import.tenant;
    auto facts = quantify::imported_facts(import, stored[import.leaf_index]);
    DISTRICT_TRY(const auto entries, store::LogReader(archive_).entries(import.leaf_index, 1));
    const auto at = entries.empty() ? std::nullopt : log::time_of(entries.front().entry);
    if (!facts || !at) {
      report.differences.push_back({DifferenceKind::master_data,
                                    {receipt_id},
                                    "",
                                    facts ? "no time in its leaf" : facts.error().detail,
                                    ""});
      continue;
    }
    batch.master_facts = *std::move(facts);
    for (const auto& fact : batch.master_facts)
      meters_.insert({batch.tenant, fact.source, fact.meter});
    const auto ingested =
        engine_.ingest(transaction_, batch, {import.leaf_index, receipt_id, *at}, touched_);
    if (ingested) continue;
    if (ingested.error().code != ErrorCode::quantify_failed) return fail(ingested.error());
    report.differences.push_back({DifferenceKind::master_data,
                                  {receipt_id},
                                  "",
                                  "cannot be used: " + ingested.error().detail,
                                  ""});
  }
  return Ok{};
}

Result<std::vector<Origin>> ReplayedSeries::origins_of(const KpiValue& kpi) {
  auto origins = engine_.origins_of(kpi);
  if (origins && !origins->empty()) return origins;
  origins = recorded_engine_.origins_of(kpi);
  if (!origins && origins.error().code == ErrorCode::not_found) return std::vector<Origin>{};
  return origins;
}

}  // namespace district::audit
