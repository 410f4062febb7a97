// Stage 6, the computation: stores the values of a batch and recomputes the KPI windows they touch.
// Values, states and KPIs are a pure function of the set of batches with their times of receipt,
// whatever the order or grouping in which they are ingested; only revision and computed_at tell of
// the order. Ingesting an envelope again changes nothing.
// A window has a row when values touch it, or when it lies in a gap between them that is not longer
// than 31 days (hours), a year (days) or ten years (months) from start to start.
// Source: kpis.md sections 1, 6 and 8.
// Threads: one Engine per thread at a time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/kpi.h"
#include "quantify/calendar.h"
#include "quantify/stretches.h"
#include "store/database.h"
#include "store/series_store.h"

namespace district::quantify {

// What batches changed, until it is recomputed. Its memory grows with the number of meters and with
// the time that their values span, not with the number of values.
class Touched {
 public:
  bool empty() const { return meters_.empty(); }
  std::size_t meters() const { return meters_.size(); }

 private:
  friend class Engine;
  struct Series {
    Stretches written;  // values that are not settled yet
    Stretches changed;  // values of which another one counts now
    Series();
  };
  struct Meter {
    std::string tenant;
    std::map<std::int64_t, Series> series;  // by series_id
    bool all = false;  // every window: master data changed, or a kind of value is new
  };
  std::map<std::int64_t, Meter> meters_;
};

class Engine {
 public:
  // IANA zone of a tenant's sites; nullopt: no such tenant.
  using ZoneLookup = std::function<std::optional<std::string>(std::string_view tenant)>;

  // Called between the months of a recomputation, which may take long: the caller may commit and
  // begin a new transaction, to let others write. Its errors are recompute()'s.
  using Pause = std::function<Result<Ok>()>;

  // Keeps a reference to the database.
  Engine(store::Database& database, ZoneLookup zone_of, Pause pause = {})
      : db_(database), zone_of_(std::move(zone_of)), pause_(std::move(pause)) {}

  // What ingest() would refuse. Reads and writes nothing.
  // Errors: quantify_failed (unknown tenant or zone, a value that is not finite, two values for one
  // key in one message).
  Result<Ok> check(const Batch& batch);

  // Inside a transaction of the caller's, which recompute() may end by `pause`. Several batches may
  // be ingested, also of one envelope, its messages each in one of them; then recomputed at once.
  // Values must be settled before their transaction is committed; recompute() does that first. When
  // one of these fails, roll back and drop `touched`. What broke off after a commit is made good by
  // ingesting the same batches again.
  // Errors: those of check(), found before anything is written; archive_unavailable.
  Result<Ok> ingest(const Batch& batch, const store::Origin& origin, Touched& touched);
  Result<Ok> settle(Touched& touched);
  Result<Ok> recompute(Touched& touched, Instant computed_at);

  // One batch, in the caller's transaction.
  Result<Ok> apply(const Batch& batch, const store::Origin& origin, Instant computed_at);

  // The envelopes that a KPI value came from, values and master data, by leaf_index.
  Result<std::vector<store::Origin>> origins_of(const KpiValue& kpi);

 private:
  struct Run;  // engine.cpp: the recomputation of one meter
  Result<Ok> settle_series(const store::Series& series, Touched::Meter& meter);
  Result<Calendar> calendar_of(const std::string& tenant,
                               const std::optional<std::string>& declared);

  store::Database& db_;
  ZoneLookup zone_of_;
  Pause pause_;
  std::map<std::string, Calendar> calendars_;  // by zone
};

}  // namespace district::quantify
