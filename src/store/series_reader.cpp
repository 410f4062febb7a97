#include "store/series_reader.h"

#include <string_view>

#include "store/rows.h"

namespace district::store {
namespace {

constexpr std::string_view kStateCount = "state ";
constexpr std::string_view kRuleCount = "rule ";

// A stored number back as the enumerator it was; anything else is damage.
template <typename Enum>
Result<Enum> enumerator(std::int64_t stored, Enum last, const char* what) {
  if (stored < 0 || stored > static_cast<std::int64_t>(last)) {
    return fail(ErrorCode::archive_corrupt,
                std::string("stored ") + what + " " + std::to_string(stored) + " has no meaning");
  }
  return static_cast<Enum>(stored);
}

Series read_series(const Statement& row, ValueKind kind) {
  return {row.integer(0),           row.text(1),    kind,          row.text(3),
          Duration{row.integer(4)}, row.instant(5), row.instant(6)};
}

constexpr const char* kSeriesColumns =
    "SELECT series_id, quantity, kind, unit, longest, packed_until, last_start FROM series ";

}  // namespace

Result<std::optional<std::int64_t>> SeriesReader::find_meter(const MeterKey& key) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare("SELECT meter_id FROM meter WHERE tenant = ? AND source = ? AND meter = ?"));
  statement.bind(1, key.tenant).bind(2, key.source).bind(3, key.meter);
  DISTRICT_TRY(const bool found, statement.step());
  if (!found) return std::nullopt;
  return std::optional(statement.integer(0));
}

Result<MeterKey> SeriesReader::meter_key(std::int64_t meter_id) {
  DISTRICT_TRY(auto statement,
               db_.prepare("SELECT tenant, source, meter FROM meter WHERE meter_id = ?"));
  statement.bind(1, meter_id);
  DISTRICT_TRY(const bool found, statement.step());
  if (!found)
    return fail(ErrorCode::archive_corrupt, "no meter with id " + std::to_string(meter_id));
  return MeterKey{statement.text(0), statement.text(1), statement.text(2)};
}

Result<std::optional<Series>> SeriesReader::find_series(std::int64_t meter_id,
                                                        const Observation& like) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string(kSeriesColumns) +
                           "WHERE meter_id = ? AND quantity = ? AND kind = ? AND unit = ?"));
  row.bind(1, meter_id).bind(2, like.quantity).bind(3, static_cast<int>(like.kind));
  DISTRICT_TRY(const bool found, row.bind(4, like.unit).step());
  if (!found) return std::nullopt;
  return read_series(row, like.kind);
}

Result<Series> SeriesReader::series_by_id(std::int64_t series_id) {
  DISTRICT_TRY(auto row, db_.prepare(std::string(kSeriesColumns) + "WHERE series_id = ?"));
  row.bind(1, series_id);
  DISTRICT_TRY(const bool found, row.step());
  if (!found)
    return fail(ErrorCode::archive_corrupt, "no series with id " + std::to_string(series_id));
  DISTRICT_TRY(const auto kind, enumerator(row.integer(2), ValueKind::reading, "kind of a series"));
  return read_series(row, kind);
}

Result<std::vector<Series>> SeriesReader::series_of(std::int64_t meter_id) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string(kSeriesColumns) + "WHERE meter_id = ? ORDER BY series_id"));
  row.bind(1, meter_id);
  return all_rows(row, [](const Statement& found) -> Result<Series> {
    DISTRICT_TRY(const auto kind,
                 enumerator(found.integer(2), ValueKind::reading, "kind of a series"));
    return read_series(found, kind);
  });
}

Result<std::vector<std::int64_t>> SeriesReader::meters_that_state(const std::string& tenant,
                                                                  const std::string& attribute,
                                                                  const std::string& value) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT DISTINCT f.meter_id FROM master_fact f JOIN meter m "
                                     "USING (meter_id) WHERE f.attribute = ? AND f.value = ? "
                                     "AND m.tenant = ? ORDER BY f.meter_id"));
  row.bind(1, attribute).bind(2, value).bind(3, tenant);
  return all_rows(row, [](const Statement& found) { return found.integer(0); });
}

Result<std::vector<std::int64_t>> SeriesReader::meters_linked_to(const std::string& tenant,
                                                                 const std::string& attribute,
                                                                 const std::string& value) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT l.meter_id FROM meter_link l JOIN meter m "
                                     "USING (meter_id) WHERE l.attribute = ? AND l.value = ? "
                                     "AND m.tenant = ? ORDER BY l.meter_id"));
  row.bind(1, attribute).bind(2, value).bind(3, tenant);
  return all_rows(row, [](const Statement& found) { return found.integer(0); });
}

Result<std::vector<StoredFact>> SeriesReader::facts(std::int64_t meter_id) {
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT f.attribute, f.valid_from, f.leaf_index, f.message_index, f.valid_to, f.value, "
          "o.receipt_id, o.received_at FROM master_fact f JOIN origin o ON o.leaf_index = "
          "f.leaf_index "
          "WHERE f.meter_id = ? ORDER BY f.attribute, f.valid_from, f.leaf_index, "
          "f.message_index"));
  row.bind(1, meter_id);
  return all_rows(row, [](const Statement& found) {
    StoredFact stored;
    stored.fact.attribute = found.text(0);
    stored.fact.valid_from = found.instant(1);
    stored.fact.message_index = static_cast<std::uint32_t>(found.integer(3));
    stored.fact.valid_to = found.optional_instant(4);
    stored.fact.value = found.text(5);
    stored.origin = {found.count(2), found.text(6), found.instant(7)};
    return stored;
  });
}

Result<std::vector<QuantifyFailure>> SeriesReader::failures() {
  DISTRICT_TRY(auto row,
               db_.prepare("SELECT leaf_index, receipt_id, tenant, code, reason, failed_at "
                           "FROM quantify_failure ORDER BY leaf_index"));
  return all_rows(row, [](const Statement& found) {
    QuantifyFailure failure;
    failure.origin.leaf_index = found.count(0);
    failure.origin.receipt_id = found.text(1);
    failure.tenant = found.text(2);
    failure.code = static_cast<ErrorCode>(found.integer(3));
    failure.reason = found.text(4);
    failure.failed_at = found.instant(5);
    return failure;
  });
}

Result<std::optional<std::string>> SeriesReader::under_way() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT receipt_id FROM work JOIN origin USING "
                                     "(leaf_index) WHERE done = 0 ORDER BY leaf_index LIMIT 1"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return std::optional(row.text(0));
}

Result<SeriesCounts> SeriesReader::counts() {
  SeriesCounts counts;
  const auto count = [this](const char* sql, std::uint64_t& into) -> Result<Ok> {
    DISTRICT_TRY(auto row, db_.prepare(sql));
    DISTRICT_TRY(const bool found, row.step());
    if (found) into = static_cast<std::uint64_t>(row.integer(0));
    return Ok{};
  };
  DISTRICT_CHECK(count("SELECT count(*) FROM meter", counts.meters));
  DISTRICT_CHECK(
      count("SELECT count(*) FROM (SELECT m.tenant, m.source FROM meter m LEFT JOIN master_fact f "
            "ON f.meter_id = m.meter_id GROUP BY m.tenant, m.source HAVING count(f.attribute) = 0)",
            counts.unknown_sources));
  DISTRICT_CHECK(count("SELECT count(*) FROM series", counts.series));
  DISTRICT_CHECK(count("SELECT count(*) FROM master_fact", counts.master_facts));
  DISTRICT_CHECK(count("SELECT count(*) FROM quantify_failure", counts.failures));
  DISTRICT_CHECK(count("SELECT count(*) FROM stale_meter", counts.stale_meters));
  DISTRICT_TRY(auto row, db_.prepare("SELECT what, number FROM measurement_count"));
  DISTRICT_CHECK(for_each_row(row, [&](const Statement& found) {
    const auto what = found.text(0);
    if (what.starts_with(kRuleCount)) counts.rules[what.substr(kRuleCount.size())] = found.count(1);
    for (const auto known : kMeasurementStates) {
      if (what == std::string(kStateCount) + name_of(known)) {
        counts.measurements[known] = found.count(1);
      }
    }
  }));
  return counts;
}

Result<std::uint64_t> SeriesReader::stale_marks(std::int64_t meter_id) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT marks FROM stale_meter WHERE meter_id = ?"));
  DISTRICT_TRY(const bool there, row.bind(1, meter_id).step());
  return there ? row.count(0) : 0;
}

Result<std::vector<std::int64_t>> SeriesReader::stale() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT meter_id FROM stale_meter ORDER BY meter_id"));
  return all_rows(row, [](const Statement& found) { return found.integer(0); });
}

Result<bool> SeriesReader::is_done(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT 1 FROM work WHERE leaf_index = ? AND done = 1"));
  return row.bind(1, leaf_index).step();
}

Result<std::vector<std::uint64_t>> SeriesReader::done_work() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index FROM work WHERE done = 1 "
                                     "ORDER BY leaf_index"));
  return all_rows(row, [](const Statement& found) { return found.count(0); });
}

Result<SeriesMark> SeriesReader::mark() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT identity, commits FROM identity WHERE id = 1"));
  DISTRICT_TRY(const bool there, row.step());
  if (!there) {
    return fail(ErrorCode::archive_corrupt, db_.name() + ": no identity of the series",
                "move the file away while the server is stopped: all of it is computed anew");
  }
  return SeriesMark{to_bytes(row.blob(0)), row.count(1)};
}

Result<LogHead> SeriesReader::known_head() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT tree_size, root_hash FROM identity WHERE id = 1"));
  DISTRICT_TRY(const bool there, row.step());
  if (!there) return LogHead{};
  DISTRICT_TRY(const auto root, row.digest(1));
  return LogHead{row.count(0), root};
}

}  // namespace district::store
