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

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/kpi.h"
#include "store/database.h"

namespace district::store {

// The envelope that a value came in.
struct Origin {
  std::uint64_t leaf_index = 0;
  std::string receipt_id;
  Instant received_at{};
  auto operator<=>(const Origin&) const = default;
};

enum class MeasurementState : std::uint8_t {
  current,     // the value that counts for its period or instant
  superseded,  // a later received one has its key
  duplicate,   // equal to the value that was current before it
  excluded,    // a later received one with another period overlaps it
  unusable,    // kept, but no KPI can use it: unit, length or time make no sense
  pending,     // written, not yet settled; never outlives a transaction
};
const char* name_of(MeasurementState state);

struct Series {
  std::int64_t series_id = 0;
  std::string quantity;
  ValueKind kind = ValueKind::interval;
  std::string unit;
  Duration longest{};
};

// One stored value of a series, with what decides which of them counts.
struct Version {
  Instant start{}, end{};
  std::uint64_t leaf_index = 0;
  std::uint32_t message_index = 0;
  Instant received_at{};
  double value = 0;
  std::uint32_t flags = 0;
  MeasurementState state = MeasurementState::pending;
};

// A value that KPIs are computed from: current, or excluded (which they only count).
struct Value {
  Instant start{}, end{};
  double value = 0;
  std::uint32_t flags = 0;
  bool excluded = false;
};

struct StoredFact {
  MasterFact fact;  // source and meter empty: they are the meter's
  Origin origin;
};

struct Measurement {
  MeterKey meter;
  Observation observation;  // unit as computed with: kWh, W, ...; flag_unknown_source as of now
  MeasurementState state = MeasurementState::current;
  Origin origin;
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
  std::uint64_t master_facts = 0, kpi_values = 0, failures = 0;
};

// An envelope that could not be quantified.
struct QuantifyFailure {
  Origin origin;  // received_at is not kept
  std::string tenant;
  ErrorCode code = ErrorCode::internal;
  std::string reason;
  Instant failed_at{};
};

class SeriesStore {
 public:
  explicit SeriesStore(Database& database) : db_(database) {}

  // What the engine writes. Ids are made where there is none yet.
  Result<std::int64_t> meter_id(const MeterKey& key);
  Result<MeterKey> meter_key(std::int64_t meter_id);
  Result<std::optional<std::int64_t>> find_meter(const MeterKey& key);
  struct MadeSeries {
    Series series;
    bool is_new = false;
  };
  Result<MadeSeries> series(std::int64_t meter_id, const Observation& like);
  // For each of an envelope's batches: the span of starts becomes that of all.
  Result<Ok> put_origin(const Origin& origin, const std::string& tenant,
                        std::optional<Instant> first_start, std::optional<Instant> last_start);
  // false: it is there already, from the same message.
  Result<bool> put_measurement(std::int64_t series_id, const Origin& origin,
                               const Observation& observation, MeasurementState state);
  Result<Ok> put_longest(std::int64_t series_id, Duration longest);
  Result<Ok> put_state(std::int64_t series_id, const Version& version);
  Result<Ok> put_fact(std::int64_t meter_id, const MasterFact& fact, const Origin& origin);
  // Writes what differs from the stored row; `revision` of `kpi` is ignored: it starts at 1 and
  // grows by one when the value changes.
  Result<Ok> put_kpi(std::int64_t meter_id, const KpiValue& kpi);
  Result<Ok> remove_kpi(std::int64_t meter_id, WindowKind window, Instant start,
                        const std::string& kpi);
  Result<Ok> put_failure(const QuantifyFailure& failure);

  // What the engine reads.
  Result<std::vector<Series>> series_of(std::int64_t meter_id);
  // All versions with from <= start <= to, by start, end, leaf_index, message_index.
  Result<std::vector<Version>> versions(std::int64_t series_id, Instant from, Instant to);
  // Of the versions that start after an instant, the start of the one behind the first `skip`.
  Result<std::optional<Instant>> version_start_after(std::int64_t series_id, Instant at,
                                                     std::size_t skip);
  // All current and excluded values, one after the other, by start and end.
  Result<Ok> each_value(std::int64_t series_id, const std::function<void(const Value&)>& visit);
  // Current and excluded values with from <= start <= to, by start and end.
  Result<std::vector<Value>> values(std::int64_t series_id, Instant from, Instant to);
  // The last current or excluded value that starts before, the first that starts after an instant.
  Result<std::optional<Value>> value_before(std::int64_t series_id, Instant at);
  Result<std::optional<Value>> value_after(std::int64_t series_id, Instant at);
  Result<std::vector<StoredFact>> facts(std::int64_t meter_id);
  struct KpiRow {
    WindowKind window = WindowKind::hour;
    Instant start{};
    std::string kpi;
  };
  Result<Ok> each_kpi_row(std::int64_t meter_id, const std::function<void(const KpiRow&)>& visit);

  // What people ask. The order is the same each time.
  // By tenant, source, meter, kpi, window kind, start.
  Result<std::vector<KpiValue>> kpis(const KpiFilter& filter);
  // By tenant, source, meter, quantity, start, end, leaf_index, message_index.
  Result<std::vector<Measurement>> measurements(const MeasurementFilter& filter);
  // Envelopes of the current values of a series that start in [from, to] and, if before `covered`,
  // end after it; by leaf_index.
  Result<std::vector<Origin>> origins(std::int64_t series_id, Instant from, Instant to,
                                      Instant covered);
  Result<std::vector<QuantifyFailure>> failures();  // by leaf_index
  // An envelope whose values are stored, but whose recomputation is not at its end: KPI values of
  // its meters may be old or new. Its receiptId.
  Result<std::optional<std::string>> under_way();
  Result<SeriesCounts> counts();

 private:
  Result<std::int64_t> kpi_id(const std::string& name);
  Database& db_;
};

}  // namespace district::store
