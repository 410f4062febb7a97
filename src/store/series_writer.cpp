#include "store/series_writer.h"

#include <algorithm>

#include "store/codec/value_chunk.h"
#include "store/stored_form.h"
#include "store/value_rows.h"

namespace district::store {

Result<std::int64_t> SeriesWriter::meter_id(const MeterKey& key) {
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

Result<SeriesWriter::MadeSeries> SeriesWriter::series(std::int64_t meter_id,
                                                      const Observation& like) {
  DISTRICT_TRY(auto known, find_series(meter_id, like));
  if (known) return MadeSeries{*std::move(known), false};
  MadeSeries made;
  DISTRICT_TRY(
      auto insert,
      db_.prepare(
          "INSERT INTO series (series_id, meter_id, quantity, kind, unit, longest) "
          "SELECT coalesce(max(series_id), 0) + 1, ?, ?, ?, ?, 0 FROM series RETURNING series_id"));
  insert.bind(1, meter_id).bind(2, like.quantity).bind(3, static_cast<int>(like.kind));
  insert.bind(4, like.unit);
  DISTRICT_TRY(const bool inserted, insert.step());
  if (!inserted) return fail(ErrorCode::internal, "a new series got no id");
  made.series.series_id = insert.integer(0);
  made.series.quantity = like.quantity;
  made.series.kind = like.kind;
  made.series.unit = like.unit;
  made.is_new = true;
  DISTRICT_CHECK(insert.run());
  return made;
}

Result<Ok> SeriesWriter::add_counts(const std::map<std::string, std::int64_t>& changes) {
  for (const auto& [what, change] : changes) {
    if (change == 0) continue;
    DISTRICT_TRY(auto row, db_.prepare("INSERT INTO measurement_count (what, number) VALUES (?, ?) "
                                       "ON CONFLICT (what) DO UPDATE SET "
                                       "number = number + excluded.number"));
    DISTRICT_CHECK(row.bind(1, what).bind(2, change).run());
  }
  return Ok{};
}

Result<Ok> SeriesWriter::put_origin(const Origin& origin, const std::string& tenant,
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

Result<Ok> SeriesWriter::put_fact(std::int64_t meter_id, const MasterFact& fact,
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

Result<Ok> SeriesWriter::put_link(std::int64_t meter_id, std::string_view attribute) {
  DISTRICT_TRY(
      auto row,
      db_.prepare("INSERT INTO meter_link (meter_id, attribute, value) "
                  "SELECT f.meter_id, f.attribute, f.value FROM master_fact f JOIN origin o "
                  "USING (leaf_index) WHERE f.meter_id = ? AND f.attribute = ? "
                  "ORDER BY f.valid_from DESC, o.received_at DESC, f.leaf_index DESC, "
                  "f.message_index DESC LIMIT 1 "
                  "ON CONFLICT (meter_id, attribute) DO UPDATE SET value = excluded.value"));
  return row.bind(1, meter_id).bind(2, attribute).run();
}

Result<Ok> SeriesWriter::put_stale(std::int64_t meter_id) {
  DISTRICT_TRY(auto row, db_.prepare("INSERT INTO stale_meter (meter_id, marks) VALUES (?, 1) "
                                     "ON CONFLICT (meter_id) DO UPDATE SET marks = marks + 1"));
  return row.bind(1, meter_id).run();
}

Result<Ok> SeriesWriter::remove_stale(std::int64_t meter_id, std::uint64_t marks) {
  DISTRICT_TRY(auto row, db_.prepare("DELETE FROM stale_meter WHERE meter_id = ? AND marks <= ?"));
  return row.bind(1, meter_id).bind(2, marks).run();
}

Result<Ok> SeriesWriter::begin_work(std::uint64_t leaf_index) {
  DISTRICT_TRY(auto row, db_.prepare("INSERT INTO work (leaf_index, done) VALUES (?, 0) "
                                     "ON CONFLICT (leaf_index) DO NOTHING"));
  return row.bind(1, leaf_index).run();
}

Result<SeriesMark> SeriesWriter::end_work(std::span<const std::uint64_t> leaf_indexes,
                                          const LogHead& head) {
  {
    DISTRICT_TRY(auto row, db_.prepare("INSERT INTO work (leaf_index, done) VALUES (?, 1) "
                                       "ON CONFLICT (leaf_index) DO UPDATE SET done = 1"));
    for (const auto leaf_index : leaf_indexes) DISTRICT_CHECK(row.bind(1, leaf_index).run());
  }
  {
    DISTRICT_TRY(auto row, db_.prepare("UPDATE identity SET commits = commits + 1, "
                                       "tree_size = ?, root_hash = ? WHERE id = 1"));
    DISTRICT_CHECK(row.bind(1, head.tree_size).bind(2, head.root_hash).run());
  }
  return mark();
}

Result<Ok> SeriesWriter::forget_work(std::span<const std::uint64_t> leaf_indexes) {
  DISTRICT_TRY(auto row, db_.prepare("DELETE FROM work WHERE leaf_index = ? AND done = 1"));
  for (const auto leaf_index : leaf_indexes) DISTRICT_CHECK(row.bind(1, leaf_index).run());
  return Ok{};
}

Result<Ok> SeriesWriter::put_failure(const QuantifyFailure& failure) {
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

Result<Ok> SeriesWriter::put_page(Series& series, Page& page, Instant from, Instant to) {
  auto& versions = page.versions;
  if (!versions.empty()) {
    // The month of the newest values is kept by days: more of them will come, one after the other.
    const auto newest = start_of_month(month_of(versions.back().start));
    if (series.packed_until == Instant{})
      series.packed_until = start_of_month(month_of(versions.front().start));
    if (newest > series.packed_until) DISTRICT_CHECK(pack_until(series, newest));
    series.last_start = std::max(series.last_start, versions.back().start);
  }
  for (auto at = std::max(from, page.from); at <= to && at < page.to;) {
    const bool month = at < series.packed_until;
    const auto number = month ? month_of(at) : day_of(at);
    const auto start = month ? start_of_month(number) : start_of_day(number);
    const auto next = month ? start_of_month(number + 1) : start_of_day(number + 1);
    const auto first = first_from(versions, start), last = first_from(versions, next);
    if (month && (start < page.from || next > page.to)) {
      DISTRICT_TRY(const auto all, with_other_days(series, number, page, {first, last}));
      DISTRICT_CHECK(put_row(series, month, number, all));
    } else {
      DISTRICT_CHECK(put_row(series, month, number, {first, last}));
    }
    at = next;
  }
  return put_series(series);
}

Result<bool> SeriesWriter::put_unusable(std::int64_t series_id, const ValueVersion& version) {
  DISTRICT_TRY(auto row,
               db_.prepare("INSERT INTO unusable_value (series_id, leaf_index, message_index, "
                           "start, length, flags, value) VALUES (?, ?, ?, ?, ?, ?, ?) "
                           "ON CONFLICT DO NOTHING RETURNING series_id"));
  row.bind(1, series_id).bind(2, version.leaf_index).bind(3, version.message_index);
  row.bind(4, version.start).bind(5, (version.end - version.start).count());
  row.bind(6, version.flags).bind(7, version.value);
  DISTRICT_TRY(const bool inserted, row.step());
  if (inserted) DISTRICT_CHECK(row.run());
  return inserted;
}

Result<Ok> SeriesWriter::put_row(const Series& series, bool month, std::int64_t number,
                                 std::span<const ValueVersion> versions) {
  if (versions.empty()) {
    DISTRICT_TRY(auto row,
                 db_.prepare(month ? "DELETE FROM packed_month WHERE series_month = ?"
                                   : "DELETE FROM packed_day WHERE day = ? AND series_id = ?"));
    month ? row.bind(1, series.series_id * kMonthsPerSeries + number)
          : row.bind(1, number).bind(2, series.series_id);
    return row.run();
  }
  const auto octets = pack(versions);
  if (month) {
    DISTRICT_TRY(auto row, db_.prepare("INSERT INTO packed_month (series_month, octets) "
                                       "VALUES (?, ?) ON CONFLICT (series_month) "
                                       "DO UPDATE SET octets = excluded.octets"));
    row.bind(1, series.series_id * kMonthsPerSeries + number).bind(2, as_bytes(octets));
    return row.run();
  }
  DISTRICT_TRY(auto row, db_.prepare("INSERT INTO packed_day (day, series_id, octets) "
                                     "VALUES (?, ?, ?) ON CONFLICT (day, series_id) "
                                     "DO UPDATE SET octets = excluded.octets"));
  row.bind(1, number).bind(2, series.series_id).bind(3, as_bytes(octets));
  return row.run();
}

// A month of which the page holds only some days: the others are as they are stored.
Result<std::vector<ValueVersion>> SeriesWriter::with_other_days(
    const Series& series, std::int64_t month, const Page& page,
    std::span<const ValueVersion> ours) {
  std::vector<ValueVersion> stored, merged;
  DISTRICT_CHECK(months(series, month, month,
                        [&](std::int64_t, ByteView octets) { return take_row(octets, stored); }));
  const auto before = first_from(stored, page.from), after = first_from(stored, page.to);
  merged.assign(stored.begin(), before);
  merged.insert(merged.end(), ours.begin(), ours.end());
  merged.insert(merged.end(), after, stored.end());
  return merged;
}

// Values of the months before the given one move from rows of days to rows of months.
Result<Ok> SeriesWriter::pack_until(Series& series, Instant month) {
  const auto end = std::min(month, start_of_month(month_of(series.last_start) + 1));
  for (auto at = series.packed_until; at < end;) {
    const auto next = start_of_month(month_of(at) + 1);
    std::vector<ValueVersion> versions;
    std::vector<std::int64_t> found;
    DISTRICT_CHECK(days(series, day_of(at), day_of(next) - 1,
                        [&](std::int64_t day, ByteView octets) -> Result<Ok> {
                          found.push_back(day);
                          return take_row(octets, versions);
                        }));
    if (!versions.empty()) DISTRICT_CHECK(put_row(series, true, month_of(at), versions));
    for (const auto day : found) DISTRICT_CHECK(put_row(series, false, day, {}));
    at = next;
  }
  series.packed_until = month;
  return Ok{};
}

Result<Ok> SeriesWriter::put_series(const Series& series) {
  DISTRICT_TRY(const auto stored, series_by_id(series.series_id));
  if (stored.longest == series.longest && stored.packed_until == series.packed_until &&
      stored.last_start == series.last_start) {
    return Ok{};
  }
  DISTRICT_TRY(auto row, db_.prepare("UPDATE series SET longest = ?, packed_until = ?, "
                                     "last_start = ? WHERE series_id = ?"));
  row.bind(1, series.longest.count()).bind(2, series.packed_until).bind(3, series.last_start);
  return row.bind(4, series.series_id).run();
}

Result<std::int64_t> SeriesWriter::kpi_id(const std::string& name, const std::string& unit) {
  const auto key = std::pair(name, unit);
  if (kpi_ids_.empty()) DISTRICT_CHECK(load_kpi_names());
  if (const auto found = kpi_ids_.find(key); found != kpi_ids_.end()) return found->second;
  DISTRICT_TRY(auto insert,
               db_.prepare("INSERT INTO kpi (kpi_id, name, unit) SELECT coalesce(max(kpi_id), 0) + "
                           "1, ?, ? FROM kpi RETURNING kpi_id"));
  insert.bind(1, name).bind(2, unit);
  DISTRICT_TRY(const bool made, insert.step());
  if (!made) return fail(ErrorCode::internal, "a new KPI got no id");
  const auto id = insert.integer(0);
  DISTRICT_CHECK(insert.run());
  kpi_ids_.emplace(key, id);
  kpi_names_.emplace(id, KpiName{name, unit});
  return id;
}

Result<Ok> SeriesWriter::put_kpi_chunk(std::int64_t meter_id, const KpiChunk& chunk) {
  if (chunk.windows.empty()) {
    DISTRICT_TRY(auto row, db_.prepare("DELETE FROM kpi_chunk WHERE meter_id = ? "
                                       "AND window_kind = ? AND chunk = ?"));
    row.bind(1, meter_id).bind(2, static_cast<int>(chunk.window)).bind(3, chunk.chunk);
    return row.run();
  }
  const auto octets = pack(chunk.windows);
  DISTRICT_TRY(auto row, db_.prepare("INSERT INTO kpi_chunk (meter_id, window_kind, chunk, octets) "
                                     "VALUES (?, ?, ?, ?) ON CONFLICT (meter_id, window_kind, "
                                     "chunk) DO UPDATE SET octets = excluded.octets"));
  row.bind(1, meter_id).bind(2, static_cast<int>(chunk.window)).bind(3, chunk.chunk);
  return row.bind(4, as_bytes(octets)).run();
}

}  // namespace district::store
