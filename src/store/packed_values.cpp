// Values of series in the rows that hold them: by the day for the present, by the month before it.
#include <date/date.h>
#include <algorithm>

#include "store/series_store.h"
#include "store/stored_form.h"

namespace district::store {
namespace {

std::int64_t day_of(Instant at) {
  return std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
}
Instant start_of_day(std::int64_t day) { return Instant{std::chrono::days{day}}; }

// The days in which rows may be, of a span that is usually one of some days in the present month.
// Where the bounds of a series say that it is a long one, those that there are.
Result<std::vector<std::int64_t>> days_between(SeriesDatabase& database, const Series& series,
                                               std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kUsual = 62;
  std::vector<std::int64_t> days;
  if (last - first < kUsual) {
    for (auto day = first; day <= last; ++day) days.push_back(day);
    return days;
  }
  DISTRICT_TRY(auto row, database.prepare("SELECT day FROM packed_day WHERE series_id = ?1 "
                                          "AND day BETWEEN ?2 AND ?3 ORDER BY day"));
  row.bind(1, series.series_id).bind(2, first).bind(3, last);
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return days;
    days.push_back(row.integer(0));
  }
}

auto first_from(std::vector<ValueVersion>& versions, Instant at) {
  return std::partition_point(versions.begin(), versions.end(),
                              [at](const ValueVersion& version) { return version.start < at; });
}

template <typename Versions>
std::optional<VisibleValue> first_visible(const Versions& versions, Instant after) {
  for (const auto& version : versions) {
    if (version.start <= after) continue;
    if (auto value = visible(version)) return value;
  }
  return std::nullopt;
}

std::optional<VisibleValue> last_visible(const std::vector<ValueVersion>& versions,
                                         Instant before) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->start >= before) continue;
    if (auto value = visible(*version)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::int64_t month_of(Instant at) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(at));
  const auto month = (static_cast<int>(date.year()) - 1970) * std::int64_t{12} +
                     static_cast<unsigned>(date.month()) - 1;
  return std::clamp<std::int64_t>(month, 0, kMonthMax);
}

Instant start_of_month(std::int64_t month) {
  const auto first = std::chrono::year{1970} / 1 / 1 + std::chrono::months(month);
  return std::chrono::sys_days(first);
}

Result<Ok> SeriesStore::months(const Series& series, std::int64_t first, std::int64_t last,
                               const RowVisitor& visit) {
  if (first > last) return Ok{};
  DISTRICT_TRY(auto row, db_.prepare("SELECT series_month, octets FROM packed_month "
                                     "WHERE series_month BETWEEN ? AND ? ORDER BY series_month"));
  const auto base = series.series_id * kMonthsPerSeries;
  row.bind(1, base + first).bind(2, base + last);
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return Ok{};
    DISTRICT_CHECK(visit(row.integer(0) - base, row.blob(1)));
  }
}

Result<Ok> SeriesStore::days(const Series& series, std::int64_t first, std::int64_t last,
                             const RowVisitor& visit) {
  DISTRICT_TRY(const auto known, days_between(db_, series, first, last));
  for (const auto day : known) {
    DISTRICT_TRY(auto row,
                 db_.prepare("SELECT octets FROM packed_day WHERE day = ? AND series_id = ?"));
    row.bind(1, day).bind(2, series.series_id);
    DISTRICT_TRY(const bool found, row.step());
    if (found) DISTRICT_CHECK(visit(day, row.blob(0)));
  }
  return Ok{};
}

Result<Ok> SeriesStore::put_row(const Series& series, bool month, std::int64_t number,
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

// Where the rows of [from, to] are: months before packed_until, then days up to the last value.
Result<Page> SeriesStore::page(const Series& series, Instant from, Instant to) {
  Page page;
  const auto take = [&](std::int64_t, ByteView octets) { return unpack(octets, page.versions); };
  from = std::max(from, Instant{});
  to = std::max(to, from);
  const bool begins_in_past = from < series.packed_until;
  const bool ends_in_past = to < series.packed_until;
  page.from = begins_in_past ? start_of_month(month_of(from)) : start_of_day(day_of(from));
  page.to = ends_in_past ? start_of_month(month_of(to) + 1) : start_of_day(day_of(to) + 1);
  if (begins_in_past) {
    const auto last = ends_in_past ? month_of(to) : month_of(series.packed_until) - 1;
    DISTRICT_CHECK(months(series, month_of(from), last, take));
  }
  if (!ends_in_past) {
    DISTRICT_CHECK(days(series, day_of(std::max(from, series.packed_until)),
                        day_of(std::min(to, series.last_start)), take));
  }
  return page;
}

// Values of the months before the given one move from rows of days to rows of months.
Result<Ok> SeriesStore::pack_until(Series& series, Instant month) {
  const auto end = std::min(month, start_of_month(month_of(series.last_start) + 1));
  for (auto at = series.packed_until; at < end;) {
    const auto next = start_of_month(month_of(at) + 1);
    std::vector<ValueVersion> versions;
    std::vector<std::int64_t> found;
    DISTRICT_CHECK(days(series, day_of(at), day_of(next) - 1,
                        [&](std::int64_t day, ByteView octets) -> Result<Ok> {
                          found.push_back(day);
                          return unpack(octets, versions);
                        }));
    if (!versions.empty()) DISTRICT_CHECK(put_row(series, true, month_of(at), versions));
    for (const auto day : found) DISTRICT_CHECK(put_row(series, false, day, {}));
    at = next;
  }
  series.packed_until = month;
  return Ok{};
}

Result<Ok> SeriesStore::put_series(const Series& series) {
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

// A month of which the page holds only some days: the others are as they are stored.
Result<std::vector<ValueVersion>> SeriesStore::with_other_days(const Series& series,
                                                               std::int64_t month, const Page& page,
                                                               std::span<const ValueVersion> ours) {
  std::vector<ValueVersion> stored, merged;
  DISTRICT_CHECK(months(series, month, month,
                        [&](std::int64_t, ByteView octets) { return unpack(octets, stored); }));
  const auto before = first_from(stored, page.from), after = first_from(stored, page.to);
  merged.assign(stored.begin(), before);
  merged.insert(merged.end(), ours.begin(), ours.end());
  merged.insert(merged.end(), after, stored.end());
  return merged;
}

Result<Ok> SeriesStore::put_page(Series& series, Page& page, Instant from, Instant to) {
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

Result<std::vector<ValueVersion>> SeriesStore::versions(const Series& series, Instant from,
                                                        Instant to) {
  DISTRICT_TRY(auto page, this->page(series, from, to));
  auto& versions = page.versions;
  versions.erase(first_from(versions, to + Duration{1}), versions.end());
  versions.erase(versions.begin(), first_from(versions, from));
  return std::move(versions);
}

Result<std::optional<VisibleValue>> SeriesStore::value_before(const Series& series, Instant at) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) { return unpack(octets, versions); };
  DISTRICT_TRY(const auto before, days_between(db_, series, day_of(series.packed_until),
                                               day_of(std::min(at, series.last_start))));
  for (auto day = before.rbegin(); day != before.rend(); ++day) {
    versions.clear();
    DISTRICT_CHECK(days(series, *day, *day, take));
    if (auto value = last_visible(versions, at)) return value;
  }
  DISTRICT_TRY(auto row, db_.prepare("SELECT octets FROM packed_month WHERE series_month "
                                     "BETWEEN ? AND ? ORDER BY series_month DESC"));
  const auto base = series.series_id * kMonthsPerSeries;
  row.bind(1, base).bind(2, base + month_of(std::max(at, Instant{})));
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return std::nullopt;
    versions.clear();
    DISTRICT_CHECK(unpack(row.blob(0), versions));
    if (auto value = last_visible(versions, at)) return value;
  }
}

Result<std::optional<VisibleValue>> SeriesStore::value_after(const Series& series, Instant at) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) { return unpack(octets, versions); };
  if (at < series.packed_until) {
    DISTRICT_TRY(auto row, db_.prepare("SELECT octets FROM packed_month WHERE series_month "
                                       "BETWEEN ? AND ? ORDER BY series_month"));
    const auto base = series.series_id * kMonthsPerSeries;
    row.bind(1, base + month_of(std::max(at, Instant{}))).bind(2, base + kMonthMax);
    while (true) {
      DISTRICT_TRY(const bool more, row.step());
      if (!more) break;
      versions.clear();
      DISTRICT_CHECK(unpack(row.blob(0), versions));
      if (auto value = first_visible(versions, at)) return value;
    }
  }
  DISTRICT_TRY(const auto after,
               days_between(db_, series, day_of(std::max(at, series.packed_until)),
                            day_of(series.last_start)));
  for (const auto day : after) {
    versions.clear();
    DISTRICT_CHECK(days(series, day, day, take));
    if (auto value = first_visible(versions, at)) return value;
  }
  return std::nullopt;
}

Result<Ok> SeriesStore::each_row(
    const Series& series,
    const std::function<Result<Ok>(const std::vector<ValueVersion>&)>& visit) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) -> Result<Ok> {
    versions.clear();
    DISTRICT_CHECK(unpack(octets, versions));
    return visit(versions);
  };
  DISTRICT_CHECK(months(series, 0, kMonthMax, take));
  return days(series, day_of(series.packed_until), day_of(series.last_start), take);
}

Result<bool> SeriesStore::put_unusable(std::int64_t series_id, const ValueVersion& version) {
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

Result<std::vector<ValueVersion>> SeriesStore::unusable(std::int64_t series_id) {
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT u.start, u.length, u.leaf_index, u.message_index, o.received_at, u.value, "
          "u.flags FROM unusable_value u JOIN origin o ON o.leaf_index = u.leaf_index "
          "WHERE u.series_id = ? ORDER BY u.start, u.length, u.leaf_index, "
          "u.message_index"));
  row.bind(1, series_id);
  std::vector<ValueVersion> found;
  while (true) {
    DISTRICT_TRY(const bool more, row.step());
    if (!more) return found;
    auto& version = found.emplace_back();
    version.start = row.instant(0);
    version.end = version.start + Duration{row.integer(1)};
    version.leaf_index = row.count(2);
    version.message_index = static_cast<std::uint32_t>(row.integer(3));
    version.received_at = row.instant(4);
    version.value = row.real(5);
    version.flags = static_cast<std::uint32_t>(row.integer(6));
    version.state = MeasurementState::unusable;
  }
}

}  // namespace district::store
