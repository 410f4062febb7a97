// Stage 6, the computation: stores the values of a batch and recomputes the KPI windows they touch.
// Values, states and KPIs are a pure function of the set of batches with their times of receipt,
// whatever the order or grouping in which they are ingested; only revision and computed_at tell of
// the order. Ingesting an envelope again changes nothing.
// A window has a row when values of its family's first input touch it, or when it lies in a gap
// between them that is not longer than three days (hours), 31 days (days), two years (months) or
// ten years (years) from start to start: no value brings more than kGapWindowsMax windows of a kind
// that have none.
// Source: docs/reference/kpi-rules.md.
// Threads: one Engine per thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
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
#include "series/touched.h"
#include "store/database.h"
#include "store/series_reader.h"

namespace district::quantify {

// The most windows of a kind in one gap, 72 hours, 31 days, 24 months or ten years, and one more
// where a gap begins or ends within one.
inline constexpr std::size_t kGapWindowsMax = 73;

struct Restored {
  std::uint64_t values = 0;                                 // that were gone or differed
  std::map<std::int64_t, std::vector<ValueVersion>> given;  // by the batch, by series_id
};

// What a KPI value was computed from.
struct Explanation {
  struct Statement {
    std::string attribute, value;
    Instant valid_from{};
    Origin origin;
  };
  const kpi::KpiDefinition* definition = nullptr;
  std::vector<Measurement> inputs;  // of every state, so that it shows what did not count
  std::vector<Statement> statements;
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

  // Ids that committed transactions have looked up, shared by engines one after the other. When a
  // transaction fails, what it added must be dropped with it.
  void remember(std::shared_ptr<series::KnownIds> known) { known_ = std::move(known); }

  // What ingest() would refuse. Reads and writes nothing.
  // Errors: quantify_failed (unknown tenant or zone, a value that is not finite, two values for one
  // key in one message).
  Result<Ok> check(const Batch& batch);

  // Several batches may
  // be ingested, also of one envelope, its messages each in one of them; then recomputed at once.
  // When one of these fails, roll back and drop `touched`. What broke off after a commit is made
  // good by ingesting the same batches again.
  // Errors: those of check(), found before anything is written; archive_unavailable.
  Result<Ok> ingest(store::SeriesTransaction& transaction, const Batch& batch, const Origin& origin,
                    series::Touched& touched);
  Result<Ok> recompute(store::SeriesTransaction& transaction, series::Touched& touched,
                       Instant computed_at);

  // One batch, in the caller's transaction.
  Result<Ok> apply(store::SeriesTransaction& transaction, const Batch& batch, const Origin& origin,
                   Instant computed_at);

  // Values of an envelope that was ingested before: those that are gone or differ are as the
  // envelope has them again. Computes nothing.
  Result<Restored> restore(store::SeriesTransaction& transaction, const Batch& batch,
                           const Origin& origin);
  // Values of a series that no envelope gave, and computes what they had touched.
  Result<Ok> remove(store::SeriesTransaction& transaction, const MeterKey& meter,
                    const Series& series, const std::vector<ValueVersion>& gone,
                    Instant computed_at);
  // The windows of a meter that overlap [from, to), and what depends on its values of that time;
  // none: all of the meter, of no other. KPI values that are there, but would not have been
  // computed, are removed.
  Result<Ok> recompute_between(store::SeriesTransaction& transaction, const MeterKey& meter,
                               std::optional<Instant> from, std::optional<Instant> to,
                               Instant computed_at);

  // All windows of a meter that an import of master data has marked as stale. The mark goes, unless
  // another import was made meanwhile, in one of the pauses: then it is computed once more.
  Result<Ok> recompute_stale(store::SeriesTransaction& transaction, std::int64_t meter_id,
                             Instant computed_at);

  // Meters whose KPIs depend on values of the meter, or it on theirs.
  Result<std::vector<MeterKey>> linked_to(const MeterKey& meter);

  // Errors: not_found.
  Result<Explanation> explain(const KpiValue& kpi);
  // The envelopes that a KPI value came from, values that count and master data, by leaf_index.
  Result<std::vector<Origin>> origins_of(const KpiValue& kpi);

 private:
  Result<Ok> recompute_meter(store::SeriesTransaction& transaction, std::int64_t meter_id,
                             const series::Touched::Meter& changes, Instant computed_at);
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
