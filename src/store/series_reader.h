// Reads measurements, master data, KPI values, and what is noted of the quantifier's work.
// Errors of every function: archive_unavailable, archive_corrupt, internal.
// Threads: one SeriesReader per thread at a time.
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
#include "model/log_entry.h"
#include "model/measurement.h"
#include "store/codec/kpi_chunk.h"
#include "store/codec/value_chunk.h"
#include "store/database.h"

namespace district::store {

// The values of all rows that [from, to] touches, to be changed and written back.
struct Page {
  std::vector<ValueVersion> versions;  // by start, end, leaf_index, message_index
  Instant from{}, to{};                // of these rows: every value that starts in [from, to)
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

// KPI values of a meter whose windows start in one span. Its length depends on the kind of window.
struct KpiChunk {
  WindowKind window = WindowKind::hour;
  std::int64_t chunk = 0;
  PackedWindows windows;
};
// The number of the chunk with the window that starts at the instant.
std::int64_t kpi_chunk_of(WindowKind window, Instant start);

// Which series this is, and how many commits of finished work it has had.
struct SeriesMark {
  Bytes identity;
  std::uint64_t commits = 0;
};

class SeriesReader {
 public:
  explicit SeriesReader(SeriesDatabase& database) : db_(database) {}

  // Meters and series.
  Result<MeterKey> meter_key(std::int64_t meter_id);
  Result<std::optional<std::int64_t>> find_meter(const MeterKey& key);
  Result<Series> series_by_id(std::int64_t series_id);
  // The series with the quantity, kind and unit of that observation.
  Result<std::optional<Series>> find_series(std::int64_t meter_id, const Observation& like);
  Result<std::vector<Series>> series_of(std::int64_t meter_id);
  // Meters of the tenant whose master data states that value, now or earlier, by meter_id.
  Result<std::vector<std::int64_t>> meters_that_state(const std::string& tenant,
                                                      const std::string& attribute,
                                                      const std::string& value);

  // Those for which that value counts; `attribute` is one of kReferences.
  Result<std::vector<std::int64_t>> meters_linked_to(const std::string& tenant,
                                                     const std::string& attribute,
                                                     const std::string& value);

  // Values. All lie within 1970 to 2310.
  Result<Page> page(const Series& series, Instant from, Instant to);
  // All with from <= start <= to.
  Result<std::vector<ValueVersion>> versions(const Series& series, Instant from, Instant to);
  // The last value that starts before, and the first that starts after an instant: any visible one,
  // or one that counts. Each row on the way is unpacked once. No value beyond `bound` is looked
  // for, nor at it.
  enum class Sought : std::uint8_t { visible, counting };
  Result<std::optional<VisibleValue>> value_before(const Series& series, Instant at,
                                                   Sought sought = Sought::visible,
                                                   Instant bound = Instant::min());
  Result<std::optional<VisibleValue>> value_after(const Series& series, Instant at,
                                                  Sought sought = Sought::visible,
                                                  Instant bound = Instant::max());
  // All versions, row after row, in the order of time.
  Result<Ok> each_row(const Series& series,
                      const std::function<Result<Ok>(const std::vector<ValueVersion>&)>& visit);
  Result<std::vector<ValueVersion>> unusable(std::int64_t series_id);

  Result<Origin> origin(std::uint64_t leaf_index);
  // Receipts of the envelopes with values that may start in [from, to), by leaf_index.
  Result<std::vector<std::string>> envelopes_between(std::optional<Instant> from,
                                                     std::optional<Instant> to);

  // Master data.
  Result<std::vector<StoredFact>> facts(std::int64_t meter_id);
  // Meters whose KPIs must be computed anew, and how often each was marked since it was.
  Result<std::uint64_t> stale_marks(std::int64_t meter_id);
  Result<std::vector<std::int64_t>> stale();

  // Work items whose values are stored, and the mark that goes to the archive (SeriesWriter).
  Result<bool> is_done(std::uint64_t leaf_index);
  Result<std::vector<std::uint64_t>> done_work();  // of which the archive may not know yet
  Result<SeriesMark> mark();
  // The log's head when work was last finished; size 0 if none ever was.
  Result<LogHead> known_head();

  // KPI values.
  struct KpiName {
    std::string name, unit;
  };
  Result<KpiName> kpi_name(std::int64_t kpi_id);
  Result<KpiChunk> kpi_chunk(std::int64_t meter_id, WindowKind window, std::int64_t chunk);
  Result<std::vector<std::pair<WindowKind, std::int64_t>>> kpi_chunks(std::int64_t meter_id);

  // For the API and districtctl. The order is always the same.
  // By tenant, source, meter, kpi, window kind, start.
  Result<std::vector<KpiValue>> kpis(const KpiFilter& filter);
  // By tenant, source, meter, quantity, start, end, leaf_index, message_index.
  Result<std::vector<Measurement>> measurements(const MeasurementFilter& filter);
  Result<std::vector<QuantifyFailure>> failures();  // by leaf_index
  // The receiptId of an envelope whose values are stored while its KPIs are still recomputed: KPI
  // values of its meters may be old or new.
  Result<std::optional<std::string>> under_way();
  Result<SeriesCounts> counts();

 protected:
  struct PackedMonth {
    std::int64_t month = 0;
    Bytes octets;
  };
  Result<std::optional<PackedMonth>> month_near(const Series& series, std::int64_t first,
                                                std::int64_t last, bool from_the_end);
  // Appends the values of a row, and counts them (Database::steps()).
  Result<Ok> take_row(ByteView octets, std::vector<ValueVersion>& versions);
  using RowVisitor = std::function<Result<Ok>(std::int64_t month_or_day, ByteView octets)>;
  // The visitor may use the database: each result is read whole before it is called.
  Result<Ok> months(const Series& series, std::int64_t first, std::int64_t last,
                    const RowVisitor& visit);
  Result<Ok> days(const Series& series, std::int64_t first, std::int64_t last,
                  const RowVisitor& visit);
  Result<Ok> load_kpi_names();

  SeriesDatabase& db_;
  std::map<std::int64_t, KpiName> kpi_names_;
  std::map<std::pair<std::string, std::string>, std::int64_t> kpi_ids_;

 private:
  Result<Ok> add_measurements(const MeterKey& meter, const Series& series,
                              const MeasurementFilter& filter, std::vector<Measurement>& found);
  Result<Ok> add_kpis(std::int64_t meter_id, const MeterKey& meter, const KpiFilter& filter,
                      std::vector<KpiValue>& found);
  std::map<std::uint64_t, Origin> origins_;
};

// The version as a value, if it is one that is sought.
std::optional<VisibleValue> sought_value(const ValueVersion& version, SeriesReader::Sought sought);

}  // namespace district::store
