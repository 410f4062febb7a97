#include "store/series_store.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <variant>

namespace district::store {
namespace {

constexpr const char* kVisible = "state IN (0, 3)";  // current, excluded

std::int64_t number_of(MeasurementState state) { return static_cast<std::int64_t>(state); }

// A stored number back as the enumerator it was; anything else is damage.
template <typename Enum>
Result<Enum> enumerator(std::int64_t stored, Enum last, const char* what) {
  if (stored < 0 || stored > static_cast<std::int64_t>(last)) {
    return fail(ErrorCode::archive_corrupt,
                std::string("stored ") + what + " " + std::to_string(stored) + " has no meaning");
  }
  return static_cast<Enum>(stored);
}

std::string to_json(const std::map<std::string, std::string>& attributes) {
  if (attributes.empty()) return {};
  // Values hold what senders wrote (units); whatever is not UTF-8 must not throw.
  return nlohmann::json(attributes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::map<std::string, std::string>> from_json(const std::string& text) {
  std::map<std::string, std::string> attributes;
  if (text.empty()) return attributes;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    return fail(ErrorCode::archive_corrupt, "stored attributes of a KPI are not a JSON object");
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) attributes.emplace(name, value.get<std::string>());
  }
  return attributes;
}

// A query that grows by conditions; the texts stay alive until the statement has run.
class Conditions {
 public:
  void add(const char* condition, const std::optional<std::string>& value) {
    if (!value) return;
    add_text(condition);
    parameters_.emplace_back(*value);
  }
  void add(const char* condition, std::optional<std::int64_t> value) {
    if (!value) return;
    add_text(condition);
    parameters_.emplace_back(*value);
  }
  void add(const char* condition, std::optional<Instant> value) {
    if (value) add(condition, std::optional<std::int64_t>(to_micros(*value)));
  }
  const std::string& text() const { return text_; }
  void bind(Statement& statement) const {
    int index = 0;
    for (const auto& parameter : parameters_) {
      ++index;
      if (const auto* text = std::get_if<std::string>(&parameter))
        statement.bind(index, std::string_view(*text));
      else
        statement.bind(index, std::get<std::int64_t>(parameter));
    }
  }

 private:
  void add_text(const char* condition) {
    text_ += std::string(text_.empty() ? " WHERE " : " AND ") + condition;
  }
  std::string text_;
  std::vector<std::variant<std::string, std::int64_t>> parameters_;
};

Value read_value(const Statement& row) {
  Value value;
  value.start = row.instant(0);
  value.end = value.start + Duration{row.integer(1)};
  value.value = row.real(2);
  value.flags = static_cast<std::uint32_t>(row.integer(3));
  value.excluded = row.integer(4) == number_of(MeasurementState::excluded);
  return value;
}

}  // namespace

const char* name_of(MeasurementState state) {
  switch (state) {
    case MeasurementState::current:
      return "current";
    case MeasurementState::superseded:
      return "superseded";
    case MeasurementState::duplicate:
      return "duplicate";
    case MeasurementState::excluded:
      return "excluded";
    case MeasurementState::unusable:
      return "unusable";
    case MeasurementState::pending:
      return "pending";
  }
  return "";
}

Result<std::optional<std::int64_t>> SeriesStore::find_meter(const MeterKey& key) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare("SELECT meter_id FROM meter WHERE tenant = ? AND source = ? AND meter = ?"));
  statement.bind(1, key.tenant).bind(2, key.source).bind(3, key.meter);
  DISTRICT_TRY(const bool found, statement.step());
  if (!found) return std::nullopt;
  return std::optional(statement.integer(0));
}

Result<std::int64_t> SeriesStore::meter_id(const MeterKey& key) {
  DISTRICT_TRY(const auto found, find_meter(key));
  if (found) return *found;
  DISTRICT_TRY(
      auto insert,
      db_.prepare("INSERT INTO meter (meter_id, tenant, source, meter) "
                  "SELECT coalesce(max(meter_id), 0) + 1, ?, ?, ? FROM meter RETURNING meter_id"));
  insert.bind(1, key.tenant).bind(2, key.source).bind(3, key.meter);
  DISTRICT_TRY(const bool made, insert.step());
  if (!made) return fail(ErrorCode::internal, "a new meter got no id");
  const auto id = insert.integer(0);
  DISTRICT_CHECK(insert.run());
  return id;
}

Result<MeterKey> SeriesStore::meter_key(std::int64_t meter_id) {
  DISTRICT_TRY(auto statement,
               db_.prepare("SELECT tenant, source, meter FROM meter WHERE meter_id = ?"));
  statement.bind(1, meter_id);
  DISTRICT_TRY(const bool found, statement.step());
  if (!found)
    return fail(ErrorCode::archive_corrupt, "no meter with id " + std::to_string(meter_id));
  return MeterKey{statement.text(0), statement.text(1), statement.text(2)};
}

Result<SeriesStore::MadeSeries> SeriesStore::series(std::int64_t meter_id,
                                                    const Observation& like) {
  MadeSeries made;
  made.series.quantity = like.quantity;
  made.series.kind = like.kind;
  made.series.unit = like.unit;
  {
    DISTRICT_TRY(auto statement,
                 db_.prepare("SELECT series_id, longest FROM series "
                             "WHERE meter_id = ? AND quantity = ? AND kind = ? AND unit = ?"));
    statement.bind(1, meter_id)
        .bind(2, like.quantity)
        .bind(3, static_cast<std::int64_t>(like.kind))
        .bind(4, like.unit);
    DISTRICT_TRY(const bool found, statement.step());
    if (found) {
      made.series.series_id = statement.integer(0);
      made.series.longest = Duration{statement.integer(1)};
      return made;
    }
  }
  DISTRICT_TRY(
      auto insert,
      db_.prepare(
          "INSERT INTO series (series_id, meter_id, quantity, kind, unit, longest) "
          "SELECT coalesce(max(series_id), 0) + 1, ?, ?, ?, ?, 0 FROM series RETURNING series_id"));
  insert.bind(1, meter_id)
      .bind(2, like.quantity)
      .bind(3, static_cast<std::int64_t>(like.kind))
      .bind(4, like.unit);
  DISTRICT_TRY(const bool inserted, insert.step());
  if (!inserted) return fail(ErrorCode::internal, "a new series got no id");
  made.series.series_id = insert.integer(0);
  made.is_new = true;
  DISTRICT_CHECK(insert.run());
  return made;
}

Result<Ok> SeriesStore::put_origin(const Origin& origin, const std::string& tenant,
                                   std::optional<Instant> first_start,
                                   std::optional<Instant> last_start) {
  DISTRICT_TRY(auto statement,
               db_.prepare("INSERT INTO origin (leaf_index, receipt_id, tenant, received_at, "
                           "first_start, last_start) "
                           "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (leaf_index) DO UPDATE SET "
                           "first_start = coalesce(min(first_start, excluded.first_start), "
                           "first_start, excluded.first_start), "
                           "last_start = coalesce(max(last_start, excluded.last_start), "
                           "last_start, excluded.last_start)"));
  statement.bind(1, static_cast<std::int64_t>(origin.leaf_index))
      .bind(2, origin.receipt_id)
      .bind(3, tenant);
  statement.bind(4, origin.received_at).bind(5, first_start).bind(6, last_start);
  return statement.run();
}

Result<bool> SeriesStore::put_measurement(std::int64_t series_id, const Origin& origin,
                                          const Observation& observation, MeasurementState state) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare("INSERT INTO measurement "
                  "(series_id, start, length, leaf_index, message_index, state, flags, value) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING series_id"));
  statement.bind(1, series_id)
      .bind(2, observation.start)
      .bind(3, (observation.end - observation.start).count());
  statement.bind(4, static_cast<std::int64_t>(origin.leaf_index));
  statement.bind(5, static_cast<std::int64_t>(observation.message_index)).bind(6, number_of(state));
  statement.bind(7, static_cast<std::int64_t>(observation.flags)).bind(8, observation.value);
  DISTRICT_TRY(const bool inserted, statement.step());
  if (inserted) DISTRICT_CHECK(statement.run());
  return inserted;
}

Result<Ok> SeriesStore::put_longest(std::int64_t series_id, Duration longest) {
  DISTRICT_TRY(auto statement, db_.prepare("UPDATE series SET longest = ? WHERE series_id = ?"));
  statement.bind(1, longest.count()).bind(2, series_id);
  return statement.run();
}

Result<Ok> SeriesStore::put_state(std::int64_t series_id, const Version& version) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare(
          "UPDATE measurement SET state = ? WHERE series_id = ? AND start = ? AND length = ? "
          "AND leaf_index = ? AND message_index = ?"));
  statement.bind(1, number_of(version.state)).bind(2, series_id).bind(3, version.start);
  statement.bind(4, (version.end - version.start).count())
      .bind(5, static_cast<std::int64_t>(version.leaf_index));
  statement.bind(6, static_cast<std::int64_t>(version.message_index));
  return statement.run();
}

Result<Ok> SeriesStore::put_fact(std::int64_t meter_id, const MasterFact& fact,
                                 const Origin& origin) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare("INSERT INTO master_fact "
                  "(meter_id, attribute, valid_from, leaf_index, message_index, valid_to, value) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"));
  statement.bind(1, meter_id).bind(2, fact.attribute).bind(3, fact.valid_from);
  statement.bind(4, static_cast<std::int64_t>(origin.leaf_index));
  statement.bind(5, static_cast<std::int64_t>(fact.message_index))
      .bind(6, fact.valid_to)
      .bind(7, fact.value);
  return statement.run();
}

Result<std::int64_t> SeriesStore::kpi_id(const std::string& name) {
  {
    DISTRICT_TRY(auto statement, db_.prepare("SELECT kpi_id FROM kpi WHERE name = ?"));
    statement.bind(1, name);
    DISTRICT_TRY(const bool found, statement.step());
    if (found) return statement.integer(0);
  }
  DISTRICT_TRY(auto insert,
               db_.prepare("INSERT INTO kpi (kpi_id, name) "
                           "SELECT coalesce(max(kpi_id), 0) + 1, ? FROM kpi RETURNING kpi_id"));
  insert.bind(1, name);
  DISTRICT_TRY(const bool made, insert.step());
  if (!made) return fail(ErrorCode::internal, "a new KPI got no id");
  const auto id = insert.integer(0);
  DISTRICT_CHECK(insert.run());
  return id;
}

Result<Ok> SeriesStore::put_kpi(std::int64_t meter_id, const KpiValue& kpi) {
  DISTRICT_TRY(const auto id, kpi_id(kpi.kpi));
  const auto attributes = to_json(kpi.attributes);
  DISTRICT_TRY(
      auto statement,
      db_.prepare(
          "INSERT INTO kpi_value (meter_id, window_kind, start, kpi_id, window_end, value, unit, "
          "completeness, "
          "status, revision, computed_at, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) "
          "ON CONFLICT (meter_id, window_kind, start, kpi_id) DO UPDATE SET "
          "window_end = excluded.window_end, value = excluded.value, unit = excluded.unit, "
          "completeness = excluded.completeness, status = excluded.status, "
          "revision = kpi_value.revision + (kpi_value.value IS NOT excluded.value), "
          "computed_at = excluded.computed_at, attributes = excluded.attributes "
          "WHERE kpi_value.value IS NOT excluded.value OR kpi_value.completeness <> "
          "excluded.completeness "
          "OR kpi_value.status <> excluded.status OR kpi_value.unit <> excluded.unit "
          "OR kpi_value.attributes <> excluded.attributes OR kpi_value.window_end <> "
          "excluded.window_end"));
  statement.bind(1, meter_id)
      .bind(2, static_cast<std::int64_t>(kpi.window))
      .bind(3, kpi.start)
      .bind(4, id);
  statement.bind(5, kpi.end).bind(6, kpi.value).bind(7, kpi.unit).bind(8, kpi.completeness);
  statement.bind(9, static_cast<std::int64_t>(kpi.status))
      .bind(10, kpi.computed_at)
      .bind(11, attributes);
  return statement.run();
}

Result<Ok> SeriesStore::remove_kpi(std::int64_t meter_id, WindowKind window, Instant start,
                                   const std::string& kpi) {
  DISTRICT_TRY(const auto id, kpi_id(kpi));
  DISTRICT_TRY(auto statement,
               db_.prepare("DELETE FROM kpi_value WHERE meter_id = ? AND window_kind = ? "
                           "AND start = ? AND kpi_id = ?"));
  statement.bind(1, meter_id).bind(2, static_cast<std::int64_t>(window)).bind(3, start).bind(4, id);
  return statement.run();
}

Result<Ok> SeriesStore::put_failure(const QuantifyFailure& failure) {
  DISTRICT_TRY(
      auto statement,
      db_.prepare(
          "INSERT INTO quantify_failure (leaf_index, receipt_id, tenant, code, reason, failed_at) "
          "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (leaf_index) DO UPDATE SET "
          "code = excluded.code, reason = excluded.reason, failed_at = excluded.failed_at"));
  statement.bind(1, static_cast<std::int64_t>(failure.origin.leaf_index))
      .bind(2, failure.origin.receipt_id);
  statement.bind(3, failure.tenant)
      .bind(4, static_cast<std::int64_t>(failure.code))
      .bind(5, failure.reason);
  statement.bind(6, failure.failed_at);
  return statement.run();
}

Result<std::vector<Series>> SeriesStore::series_of(std::int64_t meter_id) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT series_id, quantity, kind, unit, longest FROM series "
                                     "WHERE meter_id = ? ORDER BY series_id"));
  row.bind(1, meter_id);
  std::vector<Series> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    DISTRICT_TRY(const auto kind,
                 enumerator(row.integer(2), ValueKind::reading, "kind of a series"));
    found.push_back({row.integer(0), row.text(1), kind, row.text(3), Duration{row.integer(4)}});
  }
}

Result<std::vector<Version>> SeriesStore::versions(std::int64_t series_id, Instant from,
                                                   Instant to) {
  DISTRICT_TRY(
      auto row,
      db_.prepare("SELECT m.start, m.length, m.leaf_index, m.message_index, o.received_at, "
                  "m.value, m.flags, "
                  "m.state FROM measurement m JOIN origin o ON o.leaf_index = m.leaf_index "
                  "WHERE m.series_id = ? AND m.start BETWEEN ? AND ? "
                  "ORDER BY m.start, m.length, m.leaf_index, m.message_index"));
  row.bind(1, series_id).bind(2, from).bind(3, to);
  std::vector<Version> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    Version version;
    version.start = row.instant(0);
    version.end = version.start + Duration{row.integer(1)};
    version.leaf_index = static_cast<std::uint64_t>(row.integer(2));
    version.message_index = static_cast<std::uint32_t>(row.integer(3));
    version.received_at = row.instant(4);
    version.value = row.real(5);
    version.flags = static_cast<std::uint32_t>(row.integer(6));
    DISTRICT_TRY(version.state,
                 enumerator(row.integer(7), MeasurementState::pending, "state of a measurement"));
    found.push_back(version);
  }
}

Result<std::optional<Instant>> SeriesStore::version_start_after(std::int64_t series_id, Instant at,
                                                                std::size_t skip) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT start FROM measurement WHERE series_id = ? "
                                     "AND start > ? ORDER BY start LIMIT 1 OFFSET ?"));
  row.bind(1, series_id).bind(2, at).bind(3, skip);
  DISTRICT_TRY(const bool found, row.step());
  return found ? std::optional(row.instant(0)) : std::nullopt;
}

Result<Ok> SeriesStore::each_value(std::int64_t series_id,
                                   const std::function<void(const Value&)>& visit) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string("SELECT start, length, value, flags, state FROM measurement "
                                       "WHERE series_id = ? AND ") +
                           kVisible + " ORDER BY start, length"));
  row.bind(1, series_id);
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return Ok{};
    visit(read_value(row));
  }
}

Result<std::vector<Value>> SeriesStore::values(std::int64_t series_id, Instant from, Instant to) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string("SELECT start, length, value, flags, state FROM measurement "
                                       "WHERE series_id = ? AND start BETWEEN ? AND ? AND ") +
                           kVisible + " ORDER BY start, length"));
  row.bind(1, series_id).bind(2, from).bind(3, to);
  std::vector<Value> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    found.push_back(read_value(row));
  }
}

Result<std::optional<Value>> SeriesStore::value_before(std::int64_t series_id, Instant at) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string("SELECT start, length, value, flags, state FROM measurement "
                                       "WHERE series_id = ? AND start < ? AND ") +
                           kVisible + " ORDER BY start DESC, length DESC LIMIT 1"));
  row.bind(1, series_id).bind(2, at);
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return std::optional(read_value(row));
}

Result<std::optional<Value>> SeriesStore::value_after(std::int64_t series_id, Instant at) {
  DISTRICT_TRY(auto row,
               db_.prepare(std::string("SELECT start, length, value, flags, state FROM measurement "
                                       "WHERE series_id = ? AND start > ? AND ") +
                           kVisible + " ORDER BY start, length LIMIT 1"));
  row.bind(1, series_id).bind(2, at);
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return std::optional(read_value(row));
}

Result<std::vector<StoredFact>> SeriesStore::facts(std::int64_t meter_id) {
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT f.attribute, f.valid_from, f.leaf_index, f.message_index, f.valid_to, f.value, "
          "o.receipt_id, o.received_at FROM master_fact f JOIN origin o ON o.leaf_index = "
          "f.leaf_index "
          "WHERE f.meter_id = ? ORDER BY f.attribute, f.valid_from, f.leaf_index, "
          "f.message_index"));
  row.bind(1, meter_id);
  std::vector<StoredFact> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    StoredFact stored;
    stored.fact.attribute = row.text(0);
    stored.fact.valid_from = row.instant(1);
    stored.fact.message_index = static_cast<std::uint32_t>(row.integer(3));
    stored.fact.valid_to = row.optional_instant(4);
    stored.fact.value = row.text(5);
    stored.origin = {static_cast<std::uint64_t>(row.integer(2)), row.text(6), row.instant(7)};
    found.push_back(std::move(stored));
  }
}

Result<Ok> SeriesStore::each_kpi_row(std::int64_t meter_id,
                                     const std::function<void(const KpiRow&)>& visit) {
  DISTRICT_TRY(auto row, db_.prepare("SELECT v.window_kind, v.start, k.name FROM kpi_value v "
                                     "JOIN kpi k ON k.kpi_id = v.kpi_id WHERE v.meter_id = ?"));
  row.bind(1, meter_id);
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return Ok{};
    DISTRICT_TRY(const auto window,
                 enumerator(row.integer(0), WindowKind::month, "kind of a window"));
    visit({window, row.instant(1), row.text(2)});
  }
}

Result<std::vector<KpiValue>> SeriesStore::kpis(const KpiFilter& filter) {
  Conditions conditions;
  conditions.add("m.tenant = ?", filter.tenant);
  conditions.add("m.source = ?", filter.source);
  conditions.add("m.meter = ?", filter.meter);
  conditions.add("k.name = ?", filter.kpi);
  if (filter.window)
    conditions.add("v.window_kind = ?", std::optional(static_cast<std::int64_t>(*filter.window)));
  conditions.add("v.start >= ?", filter.from);
  conditions.add("v.start < ?", filter.to);
  DISTRICT_TRY(
      auto row,
      db_.prepare("SELECT m.tenant, m.source, m.meter, k.name, v.window_kind, v.start, "
                  "v.window_end, v.value, "
                  "v.unit, v.completeness, v.status, v.revision, v.computed_at, v.attributes "
                  "FROM meter m JOIN kpi_value v ON v.meter_id = m.meter_id JOIN kpi k ON k.kpi_id "
                  "= v.kpi_id" +
                  conditions.text() +
                  " ORDER BY m.tenant, m.source, m.meter, k.name, v.window_kind, v.start"));
  conditions.bind(row);
  std::vector<KpiValue> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    KpiValue kpi;
    kpi.meter = {row.text(0), row.text(1), row.text(2)};
    kpi.kpi = row.text(3);
    DISTRICT_TRY(kpi.window, enumerator(row.integer(4), WindowKind::month, "kind of a window"));
    kpi.start = row.instant(5);
    kpi.end = row.instant(6);
    if (!row.is_null(7)) kpi.value = row.real(7);
    kpi.unit = row.text(8);
    kpi.completeness = row.real(9);
    DISTRICT_TRY(kpi.status,
                 enumerator(row.integer(10), KpiStatus::insufficient, "status of a KPI"));
    kpi.revision = static_cast<std::uint32_t>(row.integer(11));
    kpi.computed_at = row.instant(12);
    DISTRICT_TRY(kpi.attributes, from_json(row.text(13)));
    found.push_back(std::move(kpi));
  }
}

Result<std::vector<Measurement>> SeriesStore::measurements(const MeasurementFilter& filter) {
  Conditions conditions;
  conditions.add("m.tenant = ?", filter.tenant);
  conditions.add("m.source = ?", filter.source);
  conditions.add("m.meter = ?", filter.meter);
  conditions.add("s.quantity = ?", filter.quantity);
  conditions.add("x.start >= ?", filter.from);
  conditions.add("x.start < ?", filter.to);
  std::string tables =
      "meter m CROSS JOIN series s ON s.meter_id = m.meter_id "
      "CROSS JOIN measurement x ON x.series_id = s.series_id JOIN origin o ON o.leaf_index = "
      "x.leaf_index";
  if (filter.leaf_index) {
    // The envelope's span of starts bounds the search in each series of its tenant.
    tables =
        "origin o CROSS JOIN meter m ON m.tenant = o.tenant CROSS JOIN series s ON s.meter_id = "
        "m.meter_id "
        "CROSS JOIN measurement x ON x.series_id = s.series_id AND x.start BETWEEN o.first_start "
        "AND o.last_start "
        "AND x.leaf_index = o.leaf_index";
    conditions.add("o.leaf_index = ?",
                   std::optional(static_cast<std::int64_t>(*filter.leaf_index)));
  }
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT m.tenant, m.source, m.meter, s.quantity, s.unit, s.kind, x.start, x.length, "
          "x.value, "
          "x.flags, x.message_index, x.state, o.leaf_index, o.receipt_id, o.received_at, "
          "EXISTS (SELECT 1 FROM meter n JOIN master_fact f ON f.meter_id = n.meter_id "
          "WHERE n.tenant = m.tenant AND n.source = m.source) FROM " +
          tables + conditions.text() +
          " ORDER BY m.tenant, m.source, m.meter, s.quantity, x.start, x.length, x.leaf_index, "
          "x.message_index, s.unit, s.kind"));
  conditions.bind(row);
  std::vector<Measurement> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    Measurement measurement;
    measurement.meter = {row.text(0), row.text(1), row.text(2)};
    auto& observation = measurement.observation;
    observation.source = measurement.meter.source;
    observation.meter = measurement.meter.meter;
    observation.quantity = row.text(3);
    observation.unit = row.text(4);
    DISTRICT_TRY(observation.kind,
                 enumerator(row.integer(5), ValueKind::reading, "kind of a series"));
    observation.start = row.instant(6);
    observation.end = observation.start + Duration{row.integer(7)};
    observation.value = row.real(8);
    observation.flags = static_cast<std::uint32_t>(row.integer(9));
    if (row.integer(15) == 0) observation.flags |= flag_unknown_source;
    observation.message_index = static_cast<std::uint32_t>(row.integer(10));
    DISTRICT_TRY(measurement.state,
                 enumerator(row.integer(11), MeasurementState::pending, "state of a measurement"));
    measurement.origin = {static_cast<std::uint64_t>(row.integer(12)), row.text(13),
                          row.instant(14)};
    found.push_back(std::move(measurement));
  }
}

Result<std::vector<Origin>> SeriesStore::origins(std::int64_t series_id, Instant from, Instant to,
                                                 Instant covered) {
  DISTRICT_TRY(
      auto row,
      db_.prepare("SELECT DISTINCT o.leaf_index, o.receipt_id, o.received_at FROM measurement m "
                  "JOIN origin o ON o.leaf_index = m.leaf_index WHERE m.series_id = ? "
                  "AND m.start BETWEEN ? AND ? AND (m.start >= ? OR m.start + m.length > ?) "
                  "AND m.state = 0 ORDER BY o.leaf_index"));
  row.bind(1, series_id).bind(2, from).bind(3, to).bind(4, covered).bind(5, covered);
  std::vector<Origin> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    found.push_back({static_cast<std::uint64_t>(row.integer(0)), row.text(1), row.instant(2)});
  }
}

Result<std::vector<QuantifyFailure>> SeriesStore::failures() {
  DISTRICT_TRY(auto row,
               db_.prepare("SELECT leaf_index, receipt_id, tenant, code, reason, failed_at "
                           "FROM quantify_failure ORDER BY leaf_index"));
  std::vector<QuantifyFailure> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    QuantifyFailure failure;
    failure.origin.leaf_index = static_cast<std::uint64_t>(row.integer(0));
    failure.origin.receipt_id = row.text(1);
    failure.tenant = row.text(2);
    failure.code = static_cast<ErrorCode>(row.integer(3));
    failure.reason = row.text(4);
    failure.failed_at = row.instant(5);
    found.push_back(std::move(failure));
  }
}

Result<std::optional<std::string>> SeriesStore::under_way() {
  DISTRICT_TRY(auto row, db_.prepare("SELECT receipt_id FROM work_item JOIN origin "
                                     "USING (leaf_index) ORDER BY leaf_index LIMIT 1"));
  DISTRICT_TRY(const bool found, row.step());
  if (!found) return std::nullopt;
  return std::optional(row.text(0));
}

Result<SeriesCounts> SeriesStore::counts() {
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
  DISTRICT_CHECK(count("SELECT count(*) FROM kpi_value", counts.kpi_values));
  DISTRICT_CHECK(count("SELECT count(*) FROM quantify_failure", counts.failures));
  DISTRICT_TRY(auto row, db_.prepare("SELECT state, count(*) FROM measurement GROUP BY state"));
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return counts;
    DISTRICT_TRY(const auto state,
                 enumerator(row.integer(0), MeasurementState::pending, "state of a measurement"));
    counts.measurements[state] = static_cast<std::uint64_t>(row.integer(1));
  }
}

}  // namespace district::store
