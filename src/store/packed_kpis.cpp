// KPI values in the rows that hold them, and what people ask of measurements and KPIs.
#include <algorithm>
#include <tuple>

#include "store/rows.h"
#include "store/series_reader.h"

namespace district::store {
namespace {

using namespace std::chrono_literals;

// A chunk of each kind holds so many windows that its row has one or two kilobytes.
Duration span_of(WindowKind window) {
  switch (window) {
    case WindowKind::hour:
      return 24h;
    case WindowKind::day:
      return 24h * 4;
    case WindowKind::month:
      return 24h * 124;
    case WindowKind::year:
      return 24h * 1461;
    case WindowKind::baseline:
    case WindowKind::reporting:
      return 24h * 36525;
  }
  return 24h;
}

bool fits(const std::optional<std::string>& wanted, const std::string& text) {
  return !wanted || *wanted == text;
}

struct KnownMeter {
  std::int64_t meter_id = 0;
  MeterKey key;
  bool known_source = false;  // master data names a meter of it
};

// By tenant, source, meter.
template <typename Filter>
Result<std::vector<KnownMeter>> meters_of(SeriesDatabase& database, const Filter& filter) {
  DISTRICT_TRY(auto row,
               database.prepare(
                   "SELECT m.meter_id, m.tenant, m.source, m.meter, EXISTS (SELECT 1 FROM meter n "
                   "JOIN master_fact f ON f.meter_id = n.meter_id "
                   "WHERE n.tenant = m.tenant AND n.source = m.source) FROM meter m "
                   "WHERE (?1 IS NULL OR m.tenant = ?1) AND (?2 IS NULL OR m.source = ?2) "
                   "AND (?3 IS NULL OR m.meter = ?3) ORDER BY m.tenant, m.source, m.meter"));
  const auto bind = [&row](int index, const std::optional<std::string>& text) {
    text ? row.bind(index, std::string_view(*text)) : row.bind_null(index);
  };
  bind(1, filter.tenant);
  bind(2, filter.source);
  bind(3, filter.meter);
  return all_rows(row, [](const Statement& found) {
    return KnownMeter{
        found.integer(0), {found.text(1), found.text(2), found.text(3)}, found.integer(4) != 0};
  });
}

bool same_kpi(const KpiValue& kpi, const KpiFilter& filter) {
  return fits(filter.kpi, kpi.kpi) && (!filter.from || kpi.start >= *filter.from) &&
         (!filter.to || kpi.start < *filter.to);
}

}  // namespace

std::int64_t kpi_chunk_of(WindowKind window, Instant start) {
  const auto span = span_of(window).count();
  const auto at = to_micros(start);
  return at / span - (at % span < 0 ? 1 : 0);
}

Result<Ok> SeriesReader::load_kpi_names() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT kpi_id, name, unit FROM kpi"));
  return for_each_row(row, [this](const Statement& kpi) {
    KpiName name{kpi.text(1), kpi.text(2)};
    kpi_ids_.emplace(std::pair(name.name, name.unit), kpi.integer(0));
    kpi_names_.emplace(kpi.integer(0), std::move(name));
  });
}

Result<SeriesReader::KpiName> SeriesReader::kpi_name(std::int64_t kpi_id) {
  if (!kpi_names_.contains(kpi_id)) DISTRICT_CHECK(load_kpi_names());
  const auto found = kpi_names_.find(kpi_id);
  if (found != kpi_names_.end()) return found->second;
  return fail(ErrorCode::archive_corrupt, "no KPI with id " + std::to_string(kpi_id));
}

Result<KpiChunk> SeriesReader::kpi_chunk(std::int64_t meter_id, WindowKind window,
                                         std::int64_t chunk) {
  KpiChunk result{window, chunk, {}};
  DISTRICT_TRY(auto row, db_.prepare("SELECT octets FROM kpi_chunk WHERE meter_id = ? "
                                     "AND window_kind = ? AND chunk = ?"));
  row.bind(1, meter_id).bind(2, static_cast<int>(window)).bind(3, chunk);
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return result;
  DISTRICT_TRY(result.windows, unpack_windows(row.blob(0)));
  return result;
}

Result<std::vector<std::pair<WindowKind, std::int64_t>>> SeriesReader::kpi_chunks(
    std::int64_t meter_id) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT window_kind, chunk FROM kpi_chunk WHERE meter_id = ? "
                                     "ORDER BY window_kind, chunk"));
  row.bind(1, meter_id);
  using Chunk = std::pair<WindowKind, std::int64_t>;
  return all_rows(row, [](const Statement& found) -> Result<Chunk> {
    const auto kind = found.integer(0);
    if (kind < 0 || kind > static_cast<int>(kLastWindowKind)) {
      return fail(ErrorCode::archive_corrupt,
                  "stored kind of a window " + std::to_string(kind) + " has no meaning");
    }
    return Chunk{static_cast<WindowKind>(kind), found.integer(1)};
  });
}

Result<Ok> SeriesReader::add_kpis(std::int64_t meter_id, const MeterKey& meter,
                                  const KpiFilter& filter, std::vector<KpiValue>& found) {
  DISTRICT_TRY(const auto chunks, kpi_chunks(meter_id));
  for (const auto& [kind, number] : chunks) {
    if (filter.window && *filter.window != kind) continue;
    if (filter.from && number < kpi_chunk_of(kind, *filter.from)) continue;
    if (filter.to && number > kpi_chunk_of(kind, *filter.to)) continue;
    DISTRICT_TRY(const auto chunk, kpi_chunk(meter_id, kind, number));
    for (const auto& [start, window] : chunk.windows) {
      for (const auto& packed : window.kpis) {
        DISTRICT_TRY(const auto name, kpi_name(packed.kpi_id));
        KpiValue kpi{meter,
                     name.name,
                     kind,
                     start,
                     window.end,
                     packed.value,
                     name.unit,
                     packed.completeness,
                     packed.status,
                     packed.revision,
                     packed.computed_at,
                     {packed.attributes.begin(), packed.attributes.end()}};
        if (same_kpi(kpi, filter)) found.push_back(std::move(kpi));
      }
    }
  }
  return Ok{};
}

Result<std::vector<KpiValue>> SeriesReader::kpis(const KpiFilter& filter) {
  DISTRICT_TRY(const auto meters, meters_of(db_, filter));
  std::vector<KpiValue> found;
  for (const auto& meter : meters) {
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    DISTRICT_CHECK(add_kpis(meter.meter_id, meter.key, filter, found));
    std::stable_sort(found.begin() + first, found.end(), [](const auto& a, const auto& b) {
      return std::tie(a.kpi, a.window, a.start) < std::tie(b.kpi, b.window, b.start);
    });
  }
  return found;
}

Result<Origin> SeriesReader::origin(std::uint64_t leaf_index) {
  if (const auto known = origins_.find(leaf_index); known != origins_.end()) return known->second;
  DISTRICT_TRY(auto row,
               db_.prepare("SELECT receipt_id, received_at FROM origin WHERE leaf_index = ?"));
  row.bind(1, leaf_index);
  DISTRICT_TRY(const bool found, row.step());
  if (!found) {
    return fail(ErrorCode::archive_corrupt,
                "nothing is recorded of the envelope of leaf " + std::to_string(leaf_index));
  }
  return origins_.emplace(leaf_index, Origin{leaf_index, row.text(0), row.instant(1)})
      .first->second;
}

Result<std::vector<std::string>> SeriesReader::envelopes_between(std::optional<Instant> from,
                                                                 std::optional<Instant> to) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT receipt_id FROM origin "
                                     "WHERE first_start IS NOT NULL "
                                     "AND (?1 IS NULL OR last_start >= ?1) "
                                     "AND (?2 IS NULL OR first_start < ?2) ORDER BY leaf_index"));
  row.bind(1, from).bind(2, to);
  return all_rows(row, [](const Statement& found) { return found.text(0); });
}

Result<Ok> SeriesReader::add_measurements(const MeterKey& meter, const Series& series,
                                          const MeasurementFilter& filter,
                                          std::vector<Measurement>& found) {
  std::vector<ValueVersion> versions;
  const auto wanted = [&filter](const ValueVersion& version) {
    return (!filter.leaf_index || version.leaf_index == *filter.leaf_index) &&
           (!filter.from || version.start >= *filter.from) &&
           (!filter.to || version.start < *filter.to);
  };
  const auto take = [&](const std::vector<ValueVersion>& all) -> Result<Ok> {
    std::copy_if(all.begin(), all.end(), std::back_inserter(versions), wanted);
    return Ok{};
  };
  if (filter.from && filter.to) {
    DISTRICT_TRY(const auto all, this->versions(series, *filter.from, *filter.to));
    DISTRICT_CHECK(take(all));
  } else {
    DISTRICT_CHECK(each_row(series, take));
  }
  DISTRICT_TRY(const auto odd, unusable(series.series_id));
  DISTRICT_CHECK(take(odd));
  for (const auto& version : versions) {
    Measurement measurement;
    measurement.meter = meter;
    measurement.observation = {meter.source,          meter.meter,   series.quantity, series.unit,
                               series.kind,           version.start, version.end,     version.value,
                               version.message_index, version.flags};
    measurement.state = version.state;
    DISTRICT_TRY(measurement.origin, origin(version.leaf_index));
    found.push_back(std::move(measurement));
  }
  return Ok{};
}

Result<std::vector<Measurement>> SeriesReader::measurements(const MeasurementFilter& filter) {
  auto narrowed = filter;
  if (filter.leaf_index) {
    // The envelope's span of starts bounds the search in each series of its tenant.
    DISTRICT_TRY(auto row, db_.prepare("SELECT tenant, first_start, last_start FROM origin "
                                       "WHERE leaf_index = ?"));
    row.bind(1, *filter.leaf_index);
    DISTRICT_TRY(const bool there, row.step());
    if (!there || (filter.tenant && *filter.tenant != row.text(0)))
      return std::vector<Measurement>{};
    narrowed.tenant = row.text(0);
    if (!filter.from && !filter.to && !row.is_null(1)) {
      narrowed.from = row.instant(1);
      narrowed.to = row.instant(2) + Duration{1};
    }
  }
  DISTRICT_TRY(const auto meters, meters_of(db_, narrowed));
  std::vector<Measurement> found;
  for (const auto& meter : meters) {
    DISTRICT_TRY(auto all_series, series_of(meter.meter_id));
    const auto first = static_cast<std::ptrdiff_t>(found.size());
    for (const auto& series : all_series) {
      if (!fits(filter.quantity, series.quantity)) continue;
      DISTRICT_CHECK(add_measurements(meter.key, series, narrowed, found));
    }
    std::stable_sort(found.begin() + first, found.end(), [](const auto& a, const auto& b) {
      const auto key = [](const Measurement& m) {
        const auto& o = m.observation;
        return std::tie(o.quantity, o.start, o.end, m.origin.leaf_index, o.message_index, o.unit,
                        o.kind);
      };
      return key(a) < key(b);
    });
    if (meter.known_source) continue;
    std::for_each(found.begin() + first, found.end(),
                  [](auto& m) { m.observation.flags |= flag_unknown_source; });
  }
  return found;
}

}  // namespace district::store
