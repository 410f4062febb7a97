// Values of series in the rows that hold them: by the day for the present, by the month before it.
#include <date/date.h>
#include <algorithm>

#include "store/rows.h"
#include "store/series_reader.h"
#include "store/stored_form.h"
#include "store/value_rows.h"

namespace district::store {
namespace {

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
  return all_rows(row, [](const Statement& found) { return found.integer(0); });
}

using Sought = SeriesReader::Sought;

// The first one that starts after `after` and before `bound`.
std::optional<VisibleValue> first_of(const std::vector<ValueVersion>& versions, Instant after,
                                     Sought sought, Instant bound) {
  for (const auto& version : versions) {
    if (version.start <= after) continue;
    if (version.start >= bound) break;
    if (auto value = sought_value(version, sought)) return value;
  }
  return std::nullopt;
}

// The last one that starts before `before` and after `bound`.
std::optional<VisibleValue> last_of(const std::vector<ValueVersion>& versions, Instant before,
                                    Sought sought, Instant bound) {
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    if (version->start >= before) continue;
    if (version->start <= bound) break;
    if (auto value = sought_value(*version, sought)) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<VisibleValue> sought_value(const ValueVersion& version, Sought sought) {
  auto value = visible(version);
  if (value && sought == Sought::counting && !value->counts()) value.reset();
  return value;
}

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

Result<Ok> SeriesReader::months(const Series& series, std::int64_t first, std::int64_t last,
                                const RowVisitor& visit) {
  constexpr std::size_t kReadAtOnce = 64;
  const auto base = series.series_id * kMonthsPerSeries;
  while (first <= last) {
    DISTRICT_TRY(auto row, db_.prepare("SELECT series_month, octets FROM packed_month "
                                       "WHERE series_month BETWEEN ? AND ? "
                                       "ORDER BY series_month LIMIT ?"));
    row.bind(1, base + first).bind(2, base + last).bind(3, kReadAtOnce);
    DISTRICT_TRY(const auto rows, all_rows(row, [&](const Statement& found) {
                   return std::pair(found.integer(0) - base, to_bytes(found.blob(1)));
                 }));
    for (const auto& [month, octets] : rows) DISTRICT_CHECK(visit(month, octets));
    if (rows.size() < kReadAtOnce) return Ok{};
    first = rows.back().first + 1;
  }
  return Ok{};
}

Result<Ok> SeriesReader::days(const Series& series, std::int64_t first, std::int64_t last,
                              const RowVisitor& visit) {
  DISTRICT_TRY(const auto known, days_between(db_, series, first, last));
  for (const auto day : known) {
    Bytes octets;
    {
      DISTRICT_TRY(auto row,
                   db_.prepare("SELECT octets FROM packed_day WHERE day = ? AND series_id = ?"));
      row.bind(1, day).bind(2, series.series_id);
      DISTRICT_TRY(const bool found, row.step());
      if (!found) continue;
      octets = to_bytes(row.blob(0));
    }
    DISTRICT_CHECK(visit(day, octets));
  }
  return Ok{};
}

Result<Ok> SeriesReader::take_row(ByteView octets, std::vector<ValueVersion>& versions) {
  const auto before = versions.size();
  auto unpacked = unpack(octets, versions);
  db_.count_unpacked(versions.size() - before);
  return unpacked;
}

// Where the rows of [from, to] are: months before packed_until, then days up to the last value.
Result<Page> SeriesReader::page(const Series& series, Instant from, Instant to) {
  Page page;
  const auto take = [&](std::int64_t, ByteView octets) { return take_row(octets, page.versions); };
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

Result<std::vector<ValueVersion>> SeriesReader::versions(const Series& series, Instant from,
                                                         Instant to) {
  DISTRICT_TRY(auto page, this->page(series, from, to));
  auto& versions = page.versions;
  versions.erase(first_from(versions, to + Duration{1}), versions.end());
  versions.erase(versions.begin(), first_from(versions, from));
  return std::move(versions);
}

// The last, or else the first, of the months from `first` to `last` that there is.
Result<std::optional<SeriesReader::PackedMonth>> SeriesReader::month_near(const Series& series,
                                                                          std::int64_t first,
                                                                          std::int64_t last,
                                                                          bool from_the_end) {
  DISTRICT_TRY(auto row, db_.prepare(std::string("SELECT series_month, octets FROM packed_month "
                                                 "WHERE series_month BETWEEN ? AND ? "
                                                 "ORDER BY series_month ") +
                                     (from_the_end ? "DESC LIMIT 1" : "LIMIT 1")));
  const auto base = series.series_id * kMonthsPerSeries;
  row.bind(1, base + first).bind(2, base + last);
  return one_row(row, [&](const Statement& found) {
    return PackedMonth{found.integer(0) - base, to_bytes(found.blob(1))};
  });
}

Result<std::optional<VisibleValue>> SeriesReader::value_before(const Series& series, Instant at,
                                                               Sought sought, Instant bound) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) { return take_row(octets, versions); };
  const auto earliest = std::max(bound, Instant{});
  DISTRICT_TRY(const auto before,
               days_between(db_, series, day_of(std::max(earliest, series.packed_until)),
                            day_of(std::min(at, series.last_start))));
  for (auto day = before.rbegin(); day != before.rend(); ++day) {
    versions.clear();
    DISTRICT_CHECK(days(series, *day, *day, take));
    if (auto value = last_of(versions, at, sought, bound)) return value;
  }
  const auto first = month_of(earliest);
  for (auto last = month_of(std::max(at, Instant{})); last >= first;) {
    DISTRICT_TRY(const auto month, month_near(series, first, last, true));
    if (!month) break;
    versions.clear();
    DISTRICT_CHECK(take_row(month->octets, versions));
    if (auto value = last_of(versions, at, sought, bound)) return value;
    last = month->month - 1;
  }
  return std::nullopt;
}

Result<std::optional<VisibleValue>> SeriesReader::value_after(const Series& series, Instant at,
                                                              Sought sought, Instant bound) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) { return take_row(octets, versions); };
  const auto latest = std::min(bound, series.last_start);
  const auto last = month_of(std::max(std::min(bound, series.packed_until), Instant{}));
  auto first = month_of(std::max(at, Instant{}));
  while (at < series.packed_until && first <= last) {
    DISTRICT_TRY(const auto month, month_near(series, first, last, false));
    if (!month) break;
    versions.clear();
    DISTRICT_CHECK(take_row(month->octets, versions));
    if (auto value = first_of(versions, at, sought, bound)) return value;
    first = month->month + 1;
  }
  DISTRICT_TRY(
      const auto after,
      days_between(db_, series, day_of(std::max(at, series.packed_until)), day_of(latest)));
  for (const auto day : after) {
    versions.clear();
    DISTRICT_CHECK(days(series, day, day, take));
    if (auto value = first_of(versions, at, sought, bound)) return value;
  }
  return std::nullopt;
}

Result<Ok> SeriesReader::each_row(
    const Series& series,
    const std::function<Result<Ok>(const std::vector<ValueVersion>&)>& visit) {
  std::vector<ValueVersion> versions;
  const auto take = [&](std::int64_t, ByteView octets) -> Result<Ok> {
    versions.clear();
    DISTRICT_CHECK(take_row(octets, versions));
    return visit(versions);
  };
  DISTRICT_CHECK(months(series, 0, kMonthMax, take));
  return days(series, day_of(series.packed_until), day_of(series.last_start), take);
}

Result<std::vector<ValueVersion>> SeriesReader::unusable(std::int64_t series_id) {
  DISTRICT_TRY(
      auto row,
      db_.prepare(
          "SELECT u.start, u.length, u.leaf_index, u.message_index, o.received_at, u.value, "
          "u.flags FROM unusable_value u JOIN origin o ON o.leaf_index = u.leaf_index "
          "WHERE u.series_id = ? ORDER BY u.start, u.length, u.leaf_index, "
          "u.message_index"));
  row.bind(1, series_id);
  return all_rows(row, [](const Statement& found) {
    ValueVersion version;
    version.start = found.instant(0);
    version.end = version.start + Duration{found.integer(1)};
    version.leaf_index = found.count(2);
    version.message_index = static_cast<std::uint32_t>(found.integer(3));
    version.received_at = found.instant(4);
    version.value = found.real(5);
    version.flags = static_cast<std::uint32_t>(found.integer(6));
    version.state = MeasurementState::unusable;
    return version;
  });
}

}  // namespace district::store
