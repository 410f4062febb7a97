// Measurements, master data and KPI values. Reading and writing only: what supersedes what and how
// a KPI is computed is decided in quantify/. All writes are part of the caller's transaction.
// Errors of every function: archive_unavailable, archive_corrupt, internal.
// Threads: one SeriesStore per thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/kpi.h"
#include "model/measurement.h"
#include "store/codec/kpi_chunk.h"
#include "store/codec/value_chunk.h"
#include "store/database.h"

namespace district::store {

// Values of a series in the rows that hold [from, to], to be changed and written back.
struct Page {
  std::vector<ValueVersion> versions;  // by start, end, leaf_index, message_index
  Instant from{}, to{};                // of the rows: all values that start in [from, to) are here
};

struct KpiFilter {
  std::optional<std::string> tenant, source, meter, kpi;
  std::optional<WindowKind> window;
  std::optional<Instant> from, to;  // of the window's start, half-open
};

struct MeasurementFilter {
  std::optional<std::string> tenant, source, meter, quantity;
  std::optional<std::uint64_t> leaf_index;
  std::optional<Instant> from, to;  // of the start, half-open
};

struct SeriesCounts {
  std::uint64_t meters = 0, unknown_sources = 0, series = 0;
  std::map<MeasurementState, std::uint64_t> measurements;
  std::map<std::string, std::uint64_t> rules;  // values that each rule of plausibility has flagged
  std::uint64_t master_facts = 0, failures = 0, stale_meters = 0;
};

// An envelope that could not be quantified.
struct QuantifyFailure {
  Origin origin;  // received_at is not kept
  std::string tenant;
  ErrorCode code = ErrorCode::internal;
  std::string reason;
  Instant failed_at{};
};

// KPI values of a meter whose windows start in a span that the kind of window decides.
struct KpiChunk {
  WindowKind window = WindowKind::hour;
  std::int64_t chunk = 0;
  PackedWindows windows;
};
// The chunk that holds windows starting at the instant.
std::int64_t kpi_chunk_of(WindowKind window, Instant start);

// Which series this is, and how many commits of finished work it has had.
struct SeriesMark {
  Bytes identity;
  std::uint64_t commits = 0;
};

class SeriesStore {
 public:
  explicit SeriesStore(SeriesDatabase& database) : db_(database) {}

  // Meters and series. Ids are made where there is none yet; they never change.
  Result<std::int64_t> meter_id(const MeterKey& key);
  Result<MeterKey> meter_key(std::int64_t meter_id);
  Result<std::optional<std::int64_t>> find_meter(const MeterKey& key);
  struct MadeSeries {
    Series series;
    bool is_new = false;
  };
  Result<MadeSeries> series(std::int64_t meter_id, const Observation& like);
  Result<Series> series_by_id(std::int64_t series_id);
  Result<std::vector<Series>> series_of(std::int64_t meter_id);
  // Meters of the tenant for which master data says so, by meter_id.
  Result<std::vector<std::int64_t>> meters_that_state(const std::string& tenant,
                                                      const std::string& attribute,
                                                      const std::string& value);

  // Values. Those written must lie within 1970 to 2310.
  Result<Page> page(const Series& series, Instant from, Instant to);
  // Writes the rows whose versions start in [from, to] back, and what changed in `series`.
  Result<Ok> put_page(Series& series, Page& page, Instant from, Instant to);
  // All with from <= start <= to.
  Result<std::vector<ValueVersion>> versions(const Series& series, Instant from, Instant to);
  // The last visible value that starts before, the first that starts after an instant.
  Result<std::optional<VisibleValue>> value_before(const Series& series, Instant at);
  Result<std::optional<VisibleValue>> value_after(const Series& series, Instant at);
  // All versions, row after row, in the order of time.
  Result<Ok> each_row(const Series& series,
                      const std::function<Result<Ok>(const std::vector<ValueVersion>&)>& visit);
  // false: it is there already.
  Result<bool> put_unusable(std::int64_t series_id, const ValueVersion& version);
  Result<std::vector<ValueVersion>> unusable(std::int64_t series_id);
  // Adds to the counts of states and rules, e.g. {"state current", 24}.
  Result<Ok> add_counts(const std::map<std::string, std::int64_t>& changes);

  // For each of an envelope's batches: the span of starts becomes that of all.
  Result<Ok> put_origin(const Origin& origin, const std::string& tenant,
                        std::optional<Instant> first_start, std::optional<Instant> last_start);
  Result<Origin> origin(std::uint64_t leaf_index);
  // The last envelope or import that gave anything; nullopt: there is none.
  Result<std::optional<Origin>> last_origin();
  // Receipts of the envelopes with values that may start in [from, to), by leaf_index.
  Result<std::vector<std::string>> envelopes_between(std::optional<Instant> from,
                                                     std::optional<Instant> to);

  // Master data.
  Result<Ok> put_fact(std::int64_t meter_id, const MasterFact& fact, const Origin& origin);
  Result<std::vector<StoredFact>> facts(std::int64_t meter_id);
  // Meters whose KPIs must be computed anew. Each call of put_stale() adds a mark.
  Result<Ok> put_stale(std::int64_t meter_id);
  Result<std::uint64_t> stale_marks(std::int64_t meter_id);
  // Of a meter that has got more marks than these meanwhile nothing is removed.
  Result<Ok> remove_stale(std::int64_t meter_id, std::uint64_t marks);
  Result<std::vector<std::int64_t>> stale();

  // Work that takes effect once. begin_work(): values are being stored, in this transaction and
  // maybe others. end_work(): all of it is stored, so that the archive may be told that these items
  // are finished, under the mark that it gives. Once it has been told, forget_work().
  Result<Ok> begin_work(std::uint64_t leaf_index);
  Result<bool> is_done(std::uint64_t leaf_index);
  Result<SeriesMark> end_work(std::span<const std::uint64_t> leaf_indexes);
  Result<Ok> forget_work(std::span<const std::uint64_t> leaf_indexes);
  Result<std::vector<std::uint64_t>> done_work();  // that the archive may not have been told of
  Result<SeriesMark> mark();

  // KPI values.
  struct KpiName {
    std::string name, unit;
  };
  Result<std::int64_t> kpi_id(const std::string& name, const std::string& unit);
  Result<KpiName> kpi_name(std::int64_t kpi_id);
  Result<KpiChunk> kpi_chunk(std::int64_t meter_id, WindowKind window, std::int64_t chunk);
  // One without windows is removed.
  Result<Ok> put_kpi_chunk(std::int64_t meter_id, const KpiChunk& chunk);
  Result<std::vector<std::pair<WindowKind, std::int64_t>>> kpi_chunks(std::int64_t meter_id);

  Result<Ok> put_failure(const QuantifyFailure& failure);

  // What people ask. The order is the same each time.
  // By tenant, source, meter, kpi, window kind, start.
  Result<std::vector<KpiValue>> kpis(const KpiFilter& filter);
  // By tenant, source, meter, quantity, start, end, leaf_index, message_index.
  Result<std::vector<Measurement>> measurements(const MeasurementFilter& filter);
  Result<std::vector<QuantifyFailure>> failures();  // by leaf_index
  // An envelope whose values are stored, but whose recomputation is not at its end: KPI values of
  // its meters may be old or new. Its receiptId.
  Result<std::optional<std::string>> under_way();
  Result<SeriesCounts> counts();

 private:
  using RowVisitor = std::function<Result<Ok>(std::int64_t month_or_day, ByteView octets)>;
  Result<Ok> months(const Series& series, std::int64_t first, std::int64_t last,
                    const RowVisitor& visit);
  Result<Ok> days(const Series& series, std::int64_t first, std::int64_t last,
                  const RowVisitor& visit);
  Result<Ok> put_row(const Series& series, bool month, std::int64_t number,
                     std::span<const ValueVersion> versions);
  Result<std::vector<ValueVersion>> with_other_days(const Series& series, std::int64_t month,
                                                    const Page& page,
                                                    std::span<const ValueVersion> ours);
  Result<Ok> pack_until(Series& series, Instant month);
  Result<Ok> put_series(const Series& series);
  Result<Ok> load_kpi_names();
  Result<Ok> add_measurements(const MeterKey& meter, const Series& series,
                              const MeasurementFilter& filter, std::vector<Measurement>& found);
  Result<Ok> add_kpis(std::int64_t meter_id, const MeterKey& meter, const KpiFilter& filter,
                      std::vector<KpiValue>& found);
  SeriesDatabase& db_;
  std::map<std::int64_t, KpiName> kpi_names_;
  std::map<std::pair<std::string, std::string>, std::int64_t> kpi_ids_;
  std::map<std::uint64_t, Origin> origins_;
};

}  // namespace district::store
