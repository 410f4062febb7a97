// Stage 6, the computation: stores the values of a batch and recomputes the KPI windows they touch.
// Values, states and KPIs are a pure function of the set of batches with their times of receipt,
// whatever the order or grouping in which they are ingested. Only revision and computed_at depend
// on the order. Ingesting an envelope again changes nothing.
// A window has a row when values of its family's first input touch it. It also has one in a gap
// between such values, unless the gap is longer than three days (for hours), 31 days (for days),
// two years (for months) or ten years (for years), measured from start to start. So no value adds
// more than kGapWindowsMax windows of a kind that have no value.
// Source: docs/reference/kpi-rules.md.
// Threads: one Engine per thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "kpi/calendar.h"
#include "kpi/catalogue.h"
#include "model/batch.h"
#include "model/kpi.h"
#include "model/standards.h"
#include "series/ingestion.h"
#include "series/meter_data.h"
#include "series/touched.h"
#include "store/database.h"
#include "store/series_writer.h"
#include "store/transaction.h"

namespace district::quantify {

// How many windows of a kind one gap has at most: 72 hours, 31 days, 24 months or ten years, and
// one more when it begins or ends within a window.
inline constexpr std::size_t kGapWindowsMax = 73;

// A batch with the envelope that it came in, or the import.
struct Arrival {
  const Batch& batch;
  Origin origin;
};

struct Restored {
  std::uint64_t values = 0;                                 // that were missing or differed
  std::map<std::int64_t, std::vector<ValueVersion>> given;  // the batch's, by series_id
};

// What a KPI value was computed from.
struct Explanation {
  // A fact of master data.
  struct Fact {
    std::string attribute, value;
    Instant valid_from{};
    Origin origin;
  };
  const kpi::KpiDefinition* definition = nullptr;
  std::vector<Measurement> inputs;  // of every state, also those that do not count
  std::vector<Fact> facts;
};

class Engine {
 public:
  // IANA zone of a tenant's sites; nullopt: no such tenant.
  using ZoneLookup = std::function<std::optional<std::string>(std::string_view tenant)>;

  // Called between the years of a recomputation, which may take long: the caller may commit the
  // transaction and begin it again, to let others write. Its errors are recompute()'s.
  using Pause = std::function<Result<Ok>()>;

  // Keeps a reference to the database.
  Engine(store::SeriesDatabase& database, ZoneLookup zone_of, Pause pause = {},
         Standards standards = {})
      : db_(database),
        zone_of_(std::move(zone_of)),
        pause_(std::move(pause)),
        standards_(std::move(standards)) {}

  // Ids that earlier engines have looked up, so that this one need not. When a transaction fails,
  // drop them: it may have added ids that were never stored.
  void remember(std::shared_ptr<series::KnownIds> known) { known_ = std::move(known); }

  // What ingest() would refuse. Reads and writes nothing.
  // Errors: quantify_failed (unknown tenant or zone, a value that is not finite, two values for one
  // key in one message).
  Result<Ok> check(const Batch& batch);

  // Stores the values and master data of batches, which must have been checked, and notes in
  // `touched` what recompute() must compute. The more batches come together, the less each costs: a
  // row is read and written once for all of them. Several calls may precede one recompute(), also
  // with parts of one envelope, if none of its messages is split between them. When one of the two
  // fails, roll back and drop `touched`. If the work breaks off after a commit, ingest the same
  // batches again. Errors: archive_unavailable, archive_corrupt.
  Result<Ok> ingest(store::SeriesTransaction& transaction, std::span<const Arrival> arrivals,
                    series::Touched& touched);
  // Checks one batch, and ingests it.
  Result<Ok> ingest(store::SeriesTransaction& transaction, const Batch& batch, const Origin& origin,
                    series::Touched& touched);
  Result<Ok> recompute(store::SeriesTransaction& transaction, series::Touched& touched,
                       Instant computed_at);

  // Ingests one batch and recomputes, in the caller's transaction.
  Result<Ok> apply(store::SeriesTransaction& transaction, const Batch& batch, const Origin& origin,
                   Instant computed_at);

  // Makes the stored values of an envelope what the envelope says, where they are missing or
  // differ. Computes nothing.
  Result<Restored> restore(store::SeriesTransaction& transaction, const Batch& batch,
                           const Origin& origin);
  // Removes values of a series that no envelope gave, and computes what they affected.
  Result<Ok> remove(store::SeriesTransaction& transaction, const MeterKey& meter,
                    const Series& series, const std::vector<ValueVersion>& gone,
                    Instant computed_at);
  // Computes the windows of a meter that overlap [from, to), and what depends in other meters on
  // its values of that time. Without `from` or `to` it computes all windows of this meter, and no
  // other meter. It removes stored KPI values that would not be computed now.
  Result<Ok> recompute_between(store::SeriesTransaction& transaction, const MeterKey& meter,
                               std::optional<Instant> from, std::optional<Instant> to,
                               Instant computed_at);

  // Computes all windows of a meter that an import of master data has marked as stale, and removes
  // the mark. The mark stays when there was another import meanwhile, during a pause; then the
  // meter is computed once more.
  Result<Ok> recompute_stale(store::SeriesTransaction& transaction, std::int64_t meter_id,
                             Instant computed_at);

  // Meters whose KPIs depend on values of this one, and meters on whose values its KPIs depend.
  Result<std::vector<MeterKey>> linked_to(const MeterKey& meter);

  // Errors: not_found.
  Result<Explanation> explain(const KpiValue& kpi);
  // The envelopes that a KPI value came from, as values that count or as master data, by
  // leaf_index.
  Result<std::vector<Origin>> origins_of(const KpiValue& kpi);

 private:
  Result<Ok> recompute_meter(store::SeriesWriter& store, series::StatedData& stated,
                             std::int64_t meter_id, const series::Touched::Meter& changes,
                             Instant computed_at);
  Result<kpi::Calendar> calendar_of(const std::string& tenant,
                                    const std::optional<std::string>& declared);

  store::SeriesDatabase& db_;
  ZoneLookup zone_of_;
  Pause pause_;
  Standards standards_;
  std::shared_ptr<series::KnownIds> known_ = std::make_shared<series::KnownIds>();
  std::map<std::string, kpi::Calendar> calendars_;  // by zone
};

}  // namespace district::quantify
