// A second series, which a replay makes in memory. It has the values of the envelopes that were
// replayed, and the recorded values of those that were not. The recorded series is only read.
// Private to audit/.
// Errors of every function: archive_unavailable, archive_corrupt.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <unordered_set>
#include <vector>

#include "audit/replay_report.h"
#include "base/error.h"
#include "model/batch.h"
#include "model/kpi.h"
#include "model/standards.h"
#include "model/stored_envelope.h"
#include "quantify/engine.h"
#include "store/archive_reader.h"
#include "store/database.h"
#include "store/series_reader.h"
#include "store/transaction.h"
#include "trust/snapshot.h"

namespace district::audit {

class ReplayedSeries {
 public:
  // Keeps references to all but `standards`. `everything`: all envelopes are replayed, so the two
  // series must be equal as a whole.
  static Result<std::unique_ptr<ReplayedSeries>> create(store::ArchiveDatabase& archive,
                                                        store::SeriesDatabase& recorded,
                                                        const trust::TrustSnapshot& trust,
                                                        const Standards& standards,
                                                        bool everything);

  // Where the envelope is recorded as one that could not be quantified, it must fail again.
  Result<Ok> add(const StoredEnvelope& envelope, const Batch& batch, ReplayReport& report);
  // An envelope that cannot be replayed: its recorded values are taken.
  void add_damaged(const StoredEnvelope& envelope);
  // To be called after the last envelope. Adds imports of master data, and the recorded values of
  // the envelopes that were not replayed.
  Result<Ok> add_others(ReplayReport& report);
  // To be called after that. Computes the KPIs that are still to be computed.
  Result<Ok> compute();

  // The meters to be compared, after add_others().
  std::vector<MeterKey> meters() const { return {meters_.begin(), meters_.end()}; }
  // The envelopes that a KPI value came from: those of its replayed inputs or, where the meter has
  // none, of its recorded ones.
  Result<std::vector<Origin>> origins_of(const KpiValue& kpi);
  bool is_everything() const { return everything_; }
  bool was_replayed(std::uint64_t leaf_index) const { return replayed_.contains(leaf_index); }
  // Recorded failures of envelopes that were not replayed, by leaf.
  const std::map<std::uint64_t, store::QuantifyFailure>& failures_left() const { return failures_; }
  store::SeriesDatabase& database() { return *database_; }

 private:
  ReplayedSeries(store::ArchiveDatabase& archive, store::SeriesDatabase& recorded,
                 std::unique_ptr<store::SeriesDatabase> database,
                 store::SeriesTransaction transaction, const trust::TrustSnapshot& trust,
                 const Standards& standards, bool everything);

  Result<Ok> check_failure(const StoredEnvelope& envelope, const Batch& batch,
                           const store::QuantifyFailure& recorded, ReplayReport& report);
  Result<Ok> find_meters();
  bool is_other(std::uint64_t leaf_index) const;
  Result<Ok> add_imports(ReplayReport& report);
  Result<Ok> add_recorded(ReplayReport& report);

  store::ArchiveDatabase& archive_;
  store::SeriesReader recorded_;
  quantify::Engine recorded_engine_;  // only asked
  store::SeriesDatabase& recorded_database_;
  std::unique_ptr<store::SeriesDatabase> database_;
  store::SeriesTransaction transaction_;  // never committed: the database ends with the replay
  quantify::Engine engine_;
  const trust::TrustSnapshot& trust_;
  const bool everything_;
  series::Touched touched_;
  std::map<std::uint64_t, store::QuantifyFailure> failures_;
  std::unordered_set<std::uint64_t> replayed_, damaged_;  // leaves
  std::set<MeterKey> meters_;
};

}  // namespace district::audit
