#include "audit/replay.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "audit/examination.h"
#include "log/log.h"
#include "quantify/engine.h"
#include "quantify/site_import.h"
#include "store/archive_reader.h"
#include "store/file_check.h"
#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/matched_snapshots.h"
#include "store/read_snapshot.h"
#include "store/series_reader.h"
#include "store/stored_form.h"
#include "store/work_queue.h"

namespace district::audit {
namespace {

constexpr std::size_t kEnvelopesAtOnce = 256;
// How many envelopes are added before KPIs are computed: few enough that the last computation is
// short, so many that few windows are computed twice.
constexpr std::size_t kEnvelopesInOneComputation = 1024;

// The present zone of each tenant: the quantifier computes all windows by it, old ones too.
quantify::Engine::ZoneLookup zones_of(const trust::TrustSnapshot& trust) {
  return [&trust](std::string_view code) -> std::optional<std::string> {
    const auto& tenants = trust.records().tenants;
    const auto found = std::find_if(tenants.rbegin(), tenants.rend(),
                                    [code](const Tenant& tenant) { return tenant.code == code; });
    return found == tenants.rend() ? std::nullopt : std::optional(found->zone);
  };
}

store::MeasurementFilter filter_of(const MeterKey& meter) {
  store::MeasurementFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  return filter;
}

Result<std::vector<StoredFact>> facts_of(store::SeriesReader& series, const MeterKey& meter) {
  DISTRICT_TRY(const auto id, series.find_meter(meter));
  if (!id) return std::vector<StoredFact>{};
  return series.facts(*id);
}

using Leaves = std::unordered_set<std::uint64_t>;

// The scratch store, the recorded one beside it, and which envelopes went into the scratch store by
// way of the replay.
class Quantified {
 public:
  static Result<std::unique_ptr<Quantified>> create(store::ArchiveDatabase& archive,
                                                    store::SeriesDatabase& recorded,
                                                    const trust::TrustSnapshot& trust,
                                                    const Standards& standards, bool everything,
                                                    const ReplayProgress& progress) {
    DISTRICT_TRY(auto scratch,
                 store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create));
    DISTRICT_TRY(auto transaction, store::SeriesTransaction::begin(*scratch));
    auto quantified = std::unique_ptr<Quantified>(
        new Quantified(archive, recorded, std::move(scratch), std::move(transaction), trust,
                       standards, everything, progress));
    DISTRICT_TRY(const auto failures, quantified->recorded_.failures());
    for (const auto& failure : failures) {
      quantified->failures_.emplace(failure.origin.leaf_index, failure);
    }
    return quantified;
  }

  Result<Ok> add_replayed(const StoredEnvelope& envelope, const Batch& batch, ReplayReport& report);
  // Of an envelope that cannot be replayed the recorded values are taken.
  void add_damaged(const StoredEnvelope& envelope) {
    damaged_.insert(envelope.leaf_index);
    failures_.erase(envelope.leaf_index);
  }
  // After the last envelope: the others, the KPIs, and the comparison.
  Result<Ok> finish(ReplayReport& report);

 private:
  Quantified(store::ArchiveDatabase& archive, store::SeriesDatabase& recorded,
             std::unique_ptr<store::SeriesDatabase> scratch, store::SeriesTransaction transaction,
             const trust::TrustSnapshot& trust, const Standards& standards, bool everything,
             const ReplayProgress& progress)
      : archive_(archive),
        recorded_(recorded),
        recorded_engine_(recorded, zones_of(trust)),
        recorded_database_(recorded),
        scratch_database_(std::move(scratch)),
        transaction_(std::move(transaction)),
        scratch_(*scratch_database_),
        engine_(*scratch_database_, zones_of(trust), {}, standards),
        trust_(trust),
        everything_(everything),
        progress_(progress) {}

  Result<Ok> check_failure(const StoredEnvelope& envelope, const Batch& batch,
                           const store::QuantifyFailure& recorded, ReplayReport& report);
  Result<Ok> add_imports(const std::vector<MeterKey>& recorded, ReplayReport& report);
  Result<Ok> compare_registry(const std::vector<MeterKey>& meters, ReplayReport& report);
  Result<Ok> compare_counts(ReplayReport& report);
  Result<Ok> check_places(ReplayReport& report);
  Result<std::vector<MeterKey>> meters();
  bool is_other(std::uint64_t leaf_index) const;
  Result<Ok> add_others(const std::vector<MeterKey>& meters, ReplayReport& report);
  Result<Ok> compare_meter(const MeterKey& meter, ReplayReport& report);
  Result<Ok> compare_kpis_of(const MeterKey& meter, ReplayReport& report);
  Result<std::vector<Measurement>> recorded_measurements(const MeterKey& meter,
                                                         std::vector<Measurement>& replayed,
                                                         ReplayReport& report);
  Result<std::vector<KpiValue>> recorded_kpis(const store::KpiFilter& of_meter,
                                              std::vector<KpiValue>& replayed,
                                              ReplayReport& report);
  Result<std::optional<std::vector<std::string>>> contributors(const KpiValue& kpi);
  Result<std::vector<Origin>> origins_of(const KpiValue& kpi);
  template <typename Value>
  void keep_selected(std::vector<Value>& values) const;

  store::ArchiveDatabase& archive_;
  store::SeriesReader recorded_;
  quantify::Engine recorded_engine_;  // only asked
  store::SeriesDatabase& recorded_database_;
  std::unique_ptr<store::SeriesDatabase> scratch_database_;
  store::SeriesTransaction transaction_;  // never committed: the scratch store ends with the replay
  store::SeriesReader scratch_;
  quantify::Engine engine_;
  const trust::TrustSnapshot& trust_;
  const bool everything_;
  const ReplayProgress& progress_;
  series::Touched touched_;
  std::map<std::uint64_t, store::QuantifyFailure> failures_;  // recorded ones not met yet, by leaf
  Leaves replayed_, damaged_;
  std::set<MeterKey> meters_;  // of the selection
};

Result<Ok> Quantified::add_replayed(const StoredEnvelope& envelope, const Batch& batch,
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

// Recorded as one that could not be quantified: it must fail again, in a store of its own.
Result<Ok> Quantified::check_failure(const StoredEnvelope& envelope, const Batch& batch,
                                     const store::QuantifyFailure& recorded, ReplayReport& report) {
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

// Whether the envelope was not replayed, or is damaged: then the scratch store has its recorded
// values in place of replayed ones.
bool Quantified::is_other(std::uint64_t leaf_index) const {
  return everything_ ? damaged_.contains(leaf_index) : !replayed_.contains(leaf_index);
}

Result<std::vector<MeterKey>> Quantified::meters() {
  if (everything_) {
    DISTRICT_TRY(const auto recorded, store::all_meters(recorded_database_));
    meters_.insert(recorded.begin(), recorded.end());
  }
  // KPIs may depend on values of other meters.
  std::vector<MeterKey> todo(meters_.begin(), meters_.end());
  while (!todo.empty() && !everything_) {
    DISTRICT_TRY(const auto linked, recorded_engine_.linked_to(todo.back()));
    todo.pop_back();
    for (const auto& meter : linked)
      if (meters_.insert(meter).second) todo.push_back(meter);
  }
  return std::vector<MeterKey>(meters_.begin(), meters_.end());
}

Result<Ok> Quantified::add_others(const std::vector<MeterKey>& meters, ReplayReport& report) {
  if (everything_) DISTRICT_CHECK(add_imports(meters, report));
  if (everything_ && damaged_.empty()) return Ok{};
  std::map<Origin, Batch> batches;  // in the order of leaves
  for (const auto& meter : meters) {
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

// Master data that an administrator imported came in no envelope. The import's leaf has the digest
// of its statements, which 'log verify' compares; here the stored facts are compared with them.
Result<Ok> Quantified::add_imports(const std::vector<MeterKey>& recorded, ReplayReport& report) {
  store::ArchiveReader archive(archive_);
  DISTRICT_TRY(const auto imports, archive.site_imports());
  if (imports.empty()) return Ok{};
  store::WorkQueue queue(archive_, {});
  std::map<std::uint64_t, std::vector<MasterFact>> stored;  // by leaf
  for (const auto& meter : recorded) {
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

// Meters, their series, and the envelopes that gave values: the same ones, and the same of each.
Result<Ok> Quantified::compare_registry(const std::vector<MeterKey>& meters, ReplayReport& report) {
  Named before, now;
  const auto add_meters = [&meters](store::SeriesReader& store, Named& named) -> Result<Ok> {
    for (const auto& meter : meters) {
      DISTRICT_TRY(const auto id, store.find_meter(meter));
      if (!id) continue;
      named.emplace(name_of(meter), "a meter");
      DISTRICT_TRY(const auto all_series, store.series_of(*id));
      for (const auto& series : all_series) {
        named.emplace(name_of(meter) + ", " + series.quantity + " in " + series.unit + ", " +
                          name_of(series.kind),
                      "a series");
      }
    }
    return Ok{};
  };
  const auto add_origins = [](store::SeriesDatabase& database, Named& named) -> Result<Ok> {
    const auto text_of = [](const std::optional<Instant>& at) {
      return at ? format_instant(*at) : std::string("none");
    };
    DISTRICT_TRY(const auto origins, store::all_origins(database));
    for (const auto& [origin, tenant, first, last] : origins) {
      named.emplace("leaf " + std::to_string(origin.leaf_index),
                    origin.receipt_id + " of tenant " + tenant + ", received " +
                        format_instant(origin.received_at) + ", values from " + text_of(first) +
                        " to " + text_of(last));
    }
    return Ok{};
  };
  DISTRICT_CHECK(add_meters(recorded_, before));
  DISTRICT_CHECK(add_meters(scratch_, now));
  DISTRICT_CHECK(add_origins(recorded_database_, before));
  DISTRICT_CHECK(add_origins(*scratch_database_, now));
  auto differences = compare_named(DifferenceKind::registry, before, now);
  std::move(differences.begin(), differences.end(), std::back_inserter(report.differences));
  for (const auto& [leaf_index, failure] : failures_) {
    report.differences.push_back({DifferenceKind::failure,
                                  {failure.origin.receipt_id},
                                  "leaf " + std::to_string(leaf_index),
                                  "could not be quantified: " + failure.reason,
                                  ""});
  }
  return Ok{};
}

Result<Ok> Quantified::compare_counts(ReplayReport& report) {
  const auto named = [](const store::SeriesCounts& counts) {
    Named texts;
    const auto add = [&texts](const std::string& what, std::uint64_t number) {
      if (number != 0) texts.emplace(what, std::to_string(number));
    };
    for (const auto& [state, number] : counts.measurements)
      add(std::string("values ") + name_of(state), number);
    for (const auto& [rule, number] : counts.rules) add("rule " + rule, number);
    return texts;
  };
  DISTRICT_TRY(const auto before, recorded_.counts());
  DISTRICT_TRY(const auto now, scratch_.counts());
  auto differences = compare_named(DifferenceKind::count, named(before), named(now));
  std::move(differences.begin(), differences.end(), std::back_inserter(report.differences));
  return Ok{};
}

Result<Ok> Quantified::check_places(ReplayReport& report) {
  DISTRICT_TRY(auto problems, store::schema_differences(recorded_database_));
  DISTRICT_TRY(auto damages, store::damaged_structures(recorded_database_));
  std::ranges::move(damages, std::back_inserter(problems));
  for (auto& problem : problems) {
    report.differences.push_back(
        {DifferenceKind::place, {}, recorded_database_.path(), std::move(problem), "intact"});
  }
  DISTRICT_TRY(auto misplaced, store::misplaced_rows(recorded_database_));
  for (auto& [where, what] : misplaced) {
    report.differences.push_back(
        {DifferenceKind::place, {}, std::move(where), std::move(what), "a place of its own"});
  }
  return Ok{};
}

Result<Ok> Quantified::finish(ReplayReport& report) {
  {
    DISTRICT_TRY(const auto known, meters());
    DISTRICT_CHECK(add_others(known, report));
  }
  DISTRICT_TRY(const auto all, meters());  // with those that only imports name
  progress_("computing KPIs", 0, 0);
  DISTRICT_CHECK(engine_.recompute(transaction_, touched_, Instant{}));
  std::uint64_t done = 0;
  for (const auto& meter : all) {
    const auto compared = compare_meter(meter, report);
    if (!compared && compared.error().code != ErrorCode::archive_corrupt) return compared;
    if (!compared) {
      report.differences.push_back({DifferenceKind::measurement,
                                    {},
                                    name_of(meter),
                                    "cannot be read: " + compared.error().detail,
                                    ""});
    }
    progress_("comparing meters", ++done, all.size());
  }
  if (!everything_) return Ok{};
  DISTRICT_CHECK(compare_counts(report));
  DISTRICT_CHECK(check_places(report));
  const auto compared = compare_registry(all, report);
  if (compared || compared.error().code != ErrorCode::archive_corrupt) return compared;
  report.differences.push_back(
      {DifferenceKind::registry, {}, "", "cannot be read: " + compared.error().detail, ""});
  return Ok{};
}

template <typename Value>
void Quantified::keep_selected(std::vector<Value>& values) const {
  if (everything_) return;
  std::erase_if(
      values, [this](const Value& value) { return !replayed_.contains(value.origin.leaf_index); });
}

// Where a row makes no sense, all are read one by one: those that cannot be are differences, and
// are taken out of `replayed` too.
Result<std::vector<Measurement>> Quantified::recorded_measurements(
    const MeterKey& meter, std::vector<Measurement>& replayed, ReplayReport& report) {
  auto all = recorded_.measurements(filter_of(meter));
  if (all || all.error().code != ErrorCode::archive_corrupt) return all;
  std::vector<Measurement> readable;
  std::vector<Measurement> compared;
  for (auto& measurement : replayed) {
    auto filter = filter_of(meter);
    filter.leaf_index = measurement.origin.leaf_index;
    filter.quantity = measurement.observation.quantity;
    filter.from = measurement.observation.start;
    filter.to = *filter.from + Duration{1};
    auto one = recorded_.measurements(filter);
    if (one) {
      std::move(one->begin(), one->end(), std::back_inserter(readable));
      compared.push_back(std::move(measurement));
      continue;
    }
    if (one.error().code != ErrorCode::archive_corrupt) return one;
    report.differences.push_back(unreadable(measurement, one.error()));
  }
  replayed = std::move(compared);
  return readable;
}

Result<std::vector<KpiValue>> Quantified::recorded_kpis(const store::KpiFilter& of_meter,
                                                        std::vector<KpiValue>& replayed,
                                                        ReplayReport& report) {
  auto all = recorded_.kpis(of_meter);
  if (all || all.error().code != ErrorCode::archive_corrupt) return all;
  std::vector<KpiValue> readable;
  std::vector<KpiValue> compared;
  for (auto& kpi : replayed) {
    auto filter = of_meter;
    filter.kpi = kpi.kpi;
    filter.window = kpi.window;
    filter.from = kpi.start;
    filter.to = kpi.start + Duration{1};
    auto one = recorded_.kpis(filter);
    if (one) {
      std::move(one->begin(), one->end(), std::back_inserter(readable));
      compared.push_back(std::move(kpi));
      continue;
    }
    if (one.error().code != ErrorCode::archive_corrupt) return one;
    DISTRICT_TRY(auto receipt_ids, contributors(kpi));
    if (!receipt_ids) continue;
    auto difference = describe(nullptr, &kpi, *std::move(receipt_ids));
    difference.recorded = "cannot be read: " + one.error().detail;
    report.differences.push_back(std::move(difference));
  }
  replayed = std::move(compared);
  return readable;
}

Result<Ok> Quantified::compare_meter(const MeterKey& meter, ReplayReport& report) {
  const auto add = [&report](std::vector<Difference> differences) {
    std::move(differences.begin(), differences.end(), std::back_inserter(report.differences));
  };
  {
    DISTRICT_TRY(auto replayed, scratch_.measurements(filter_of(meter)));
    DISTRICT_TRY(auto recorded, recorded_measurements(meter, replayed, report));
    keep_selected(recorded);
    keep_selected(replayed);
    report.measurements += replayed.size();
    add(compare_measurements(recorded, replayed, everything_));
  }
  DISTRICT_TRY(auto recorded, facts_of(recorded_, meter));
  DISTRICT_TRY(auto replayed, facts_of(scratch_, meter));
  keep_selected(recorded);
  keep_selected(replayed);
  report.master_facts += replayed.size();
  add(compare_facts(meter, recorded, replayed));
  return compare_kpis_of(meter, report);
}

Result<Ok> Quantified::compare_kpis_of(const MeterKey& meter, ReplayReport& report) {
  store::KpiFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  DISTRICT_TRY(auto replayed, scratch_.kpis(filter));
  DISTRICT_TRY(const auto recorded, recorded_kpis(filter, replayed, report));
  report.kpis += replayed.size();
  std::vector<std::pair<const KpiValue*, const KpiValue*>> different;
  compare_kpis(recorded, replayed, [&different](const KpiValue* before, const KpiValue* now) {
    different.emplace_back(before, now);
  });
  for (const auto& [before, now] : different) {
    DISTRICT_TRY(auto receipt_ids, contributors(now != nullptr ? *now : *before));
    if (receipt_ids) report.differences.push_back(describe(before, now, *std::move(receipt_ids)));
  }
  return Ok{};
}

// The envelopes that a value came from; nullopt when none of them was selected.
Result<std::optional<std::vector<std::string>>> Quantified::contributors(const KpiValue& kpi) {
  DISTRICT_TRY(const auto origins, origins_of(kpi));
  const bool concerned = everything_ || origins.empty() ||
                         std::any_of(origins.begin(), origins.end(), [this](const auto& origin) {
                           return replayed_.contains(origin.leaf_index);
                         });
  if (!concerned) return std::nullopt;
  std::vector<std::string> receipt_ids;
  for (const auto& origin : origins) receipt_ids.push_back(origin.receipt_id);
  return std::optional(std::move(receipt_ids));
}

// Of the replayed values; where the meter has none, of the recorded ones.
Result<std::vector<Origin>> Quantified::origins_of(const KpiValue& kpi) {
  auto origins = engine_.origins_of(kpi);
  if (origins && !origins->empty()) return origins;
  origins = recorded_engine_.origins_of(kpi);
  if (!origins && origins.error().code == ErrorCode::not_found) return std::vector<Origin>{};
  return origins;
}

}  // namespace

Result<Ok> Replay::for_each_envelope(const Selection& selection, ReplayReport& report,
                                     const Act& act) {
  store::ArchiveReader archive(archive_);
  if (selection.receipt_id) {
    DISTRICT_TRY(const auto envelope, archive.find(*selection.receipt_id));
    ++report.envelopes;
    return act(envelope);
  }
  std::uint64_t total = 0;
  if (selection.everything()) {
    DISTRICT_TRY(const auto inventory, store::take_inventory(archive_));
    total = inventory.envelopes;
  }
  store::EnvelopeFilter filter;
  filter.from = selection.from;
  filter.to = selection.to;
  filter.limit = kEnvelopesAtOnce;
  while (true) {
    DISTRICT_TRY(const auto envelopes, archive.list(filter));
    for (const auto& envelope : envelopes) {
      DISTRICT_CHECK(act(envelope));
      progress_("verifying envelopes", ++report.envelopes, total);
    }
    if (envelopes.size() < kEnvelopesAtOnce) return Ok{};
    filter.after_leaf = envelopes.back().leaf_index;
  }
}

Result<ReplayReport> Replay::verify(const Selection& selection) {
  DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(archive_));
  Examination examination(archive_, verifier_, validator_);
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    verify::NoReader nobody;
    DISTRICT_CHECK(examination.verify(envelope, nobody, report.differences));
    return Ok{};
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  return report;
}

Result<ReplayReport> Replay::run(const Selection& selection) {
  if (recorded_ == nullptr) return run_alone(selection);
  DISTRICT_TRY(const auto moment, store::MatchedSnapshots::take(archive_, *recorded_));
  DISTRICT_TRY(const auto stale, store::SeriesReader(*recorded_).stale());
  if (!stale.empty()) {
    return fail(ErrorCode::archive_unavailable,
                "KPI values are being computed after a change of master data",
                "run this again when districtctl status --wait has ended");
  }
  DISTRICT_TRY(const auto under_way, store::SeriesReader(*recorded_).under_way());
  if (under_way) {
    return fail(ErrorCode::archive_unavailable,
                "KPI values are being computed for envelope " + *under_way,
                "run this again when districtctl status --wait has ended");
  }
  Examination examination(archive_, verifier_, validator_);
  DISTRICT_TRY(const auto quantified, Quantified::create(archive_, *recorded_, trust_, standards_,
                                                         selection.everything(), progress_));
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    DISTRICT_TRY(const auto batch, examination.validate(envelope, report.differences));
    if (!envelope.quantified) {
      ++report.not_quantified;
      return Ok{};
    }
    if (!batch) {
      quantified->add_damaged(envelope);
      return Ok{};
    }
    return quantified->add_replayed(envelope, *batch, report);
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  DISTRICT_CHECK(quantified->finish(report));
  return report;
}

Result<ReplayReport> Replay::run_alone(const Selection& selection) {
  DISTRICT_TRY(const auto moment, store::ReadSnapshot::take(archive_));
  Examination examination(archive_, verifier_, validator_);
  ReplayReport report;
  const Act act = [&](const StoredEnvelope& envelope) -> Result<Ok> {
    DISTRICT_CHECK(examination.validate(envelope, report.differences));
    return Ok{};
  };
  DISTRICT_CHECK(for_each_envelope(selection, report, act));
  return report;
}

}  // namespace district::audit
