#include "store/stored_form.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "store/rows.h"
#include "store/series_reader.h"

namespace district::store {
namespace {

constexpr std::size_t kMisplacedMax = 1000;

std::string day_name(Instant at) { return format_instant(at, 0).substr(0, 10); }

auto place_of(const ValueVersion& version) {
  return std::tie(version.start, version.end, version.leaf_index, version.message_index);
}

std::string name_of(const MeterKey& meter) {
  return "tenant " + meter.tenant + ", " + meter.source +
         (meter.meter.empty() ? "" : " " + meter.meter);
}

class FormCheck {
 public:
  explicit FormCheck(SeriesDatabase& database) : db_(database), store_(database) {}

  Result<std::vector<Misplaced>> run() {
    DISTRICT_CHECK(load_meters());
    DISTRICT_CHECK(load_series());
    DISTRICT_CHECK(load_origins());
    DISTRICT_CHECK(check_months());
    DISTRICT_CHECK(check_days());
    DISTRICT_CHECK(check_kpis());
    DISTRICT_CHECK(check_links());
    return std::move(misplaced_);
  }

 private:
  void note(std::string where, std::string what) {
    if (misplaced_.size() < kMisplacedMax)
      misplaced_.push_back({std::move(where), std::move(what)});
  }

  std::string meter_name(std::int64_t meter_id) const {
    const auto found = meters_.find(meter_id);
    return found == meters_.end() ? "no meter" : name_of(found->second);
  }

  Result<Ok> load_meters() {
    DISTRICT_TRY(auto row, db_.prepare("SELECT meter_id, tenant, source, meter FROM meter"));
    return for_each_row(row, [this](const Statement& found) {
      meters_.emplace(found.integer(0), MeterKey{found.text(1), found.text(2), found.text(3)});
    });
  }

  Result<Ok> load_series() {
    for (const auto& [meter_id, key] : meters_) {
      const auto all_series = store_.series_of(meter_id);
      if (!all_series && all_series.error().code == ErrorCode::archive_corrupt) continue;
      if (!all_series) return fail(all_series.error());
      for (const auto& series : *all_series) {
        const auto where = name_of(key) + ", " + series.quantity;
        if (series.packed_until != start_of_month(month_of(series.packed_until)))
          note(where, "values are packed until within a month");
        series_.emplace(series.series_id, Known{series, where});
      }
    }
    return Ok{};
  }

  Result<Ok> load_origins() {
    DISTRICT_TRY(auto row, db_.prepare("SELECT leaf_index, received_at FROM origin"));
    return for_each_row(row, [this](const Statement& found) {
      received_.emplace(found.count(0), found.instant(1));
    });
  }

  Result<Ok> check_months() {
    DISTRICT_TRY(auto row, db_.prepare("SELECT series_month, octets FROM packed_month "
                                       "ORDER BY series_month"));
    return for_each_row(row, [this](const Statement& found) {
      const auto key = found.integer(0);
      const auto month = start_of_month(key % kMonthsPerSeries);
      check_values(key / kMonthsPerSeries, "month " + day_name(month), found.blob(1), month,
                   start_of_month(key % kMonthsPerSeries + 1), true);
    });
  }

  Result<Ok> check_days() {
    DISTRICT_TRY(auto row, db_.prepare("SELECT day, series_id, octets FROM packed_day "
                                       "ORDER BY day, series_id"));
    return for_each_row(row, [this](const Statement& found) {
      // In any other year no calendar has it.
      const auto number = std::clamp<std::int64_t>(found.integer(0), -200'000, 200'000);
      const Instant day{std::chrono::days{number}};
      check_values(found.integer(1), "day " + day_name(day), found.blob(2), day,
                   day + std::chrono::days(1), false);
    });
  }

  void check_values(std::int64_t series_id, const std::string& row_name, ByteView octets,
                    Instant from, Instant to, bool month) {
    const auto found = series_.find(series_id);
    if (found == series_.end()) return note("no series", "values under the " + row_name);
    const auto& [series, where] = found->second;
    const auto say = [&, &place = where](const std::string& what) {
      note(place, "the row of the " + row_name + " " + what);
    };
    std::vector<ValueVersion> versions;
    if (!unpack(octets, versions)) return;
    if (month != (from < series.packed_until)) say("lies where no reader looks for that time");
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const auto& version = versions[i];
      const auto at = " at " + format_instant(version.start, 0);
      if (version.start < from || version.start >= to) say("has a value" + at);
      if (version.start > series.last_start || version.end - version.start > series.longest)
        say("has a value" + at + " beyond the bounds of its series");
      if (i > 0 && !(place_of(versions[i - 1]) < place_of(version)))
        say("has its values out of order or twice" + at);
      const auto origin = received_.find(version.leaf_index);
      if (origin == received_.end() || origin->second != version.received_at)
        say("has a value" + at + " with another time of receipt than its envelope");
    }
  }

  Result<Ok> check_kpis() {
    DISTRICT_TRY(auto row, db_.prepare("SELECT meter_id, window_kind, chunk, octets "
                                       "FROM kpi_chunk ORDER BY meter_id, window_kind, chunk"));
    return for_each_row(row, [this](const Statement& found) {
      const auto kind = found.integer(1);
      if (kind < 0 || kind > static_cast<std::int64_t>(kLastWindowKind)) return;
      const auto windows = unpack_windows(found.blob(3));
      if (!windows) return;
      check_windows(meter_name(found.integer(0)), static_cast<WindowKind>(kind), found.integer(2),
                    *windows);
    });
  }

  void check_windows(const std::string& meter, WindowKind kind, std::int64_t chunk,
                     const PackedWindows& windows) {
    for (const auto& [start, window] : windows) {
      const auto where =
          meter + ", the " + district::name_of(kind) + " from " + format_instant(start, 0);
      if (kpi_chunk_of(kind, start) != chunk)
        note(where,
             "lies in chunk " + std::to_string(chunk) + ", where no reader looks for that time");
      const auto again =
          std::adjacent_find(window.kpis.begin(), window.kpis.end(),
                             [](const auto& a, const auto& b) { return a.kpi_id >= b.kpi_id; });
      if (again != window.kpis.end()) note(where, "has a KPI twice or out of order");
    }
  }

  // Links follow from the master data.
  Result<Ok> check_links() {
    DISTRICT_TRY(
        auto fact,
        db_.prepare("SELECT f.meter_id, f.attribute, f.value FROM master_fact f LEFT JOIN origin o "
                    "USING (leaf_index) ORDER BY f.meter_id, f.attribute, f.valid_from, "
                    "o.received_at, f.leaf_index, f.message_index"));
    std::map<std::pair<std::int64_t, std::string>, std::string> stated;  // the last one of each
    DISTRICT_CHECK(for_each_row(fact, [&](const Statement& found) {
      auto attribute = found.text(1);
      if (std::ranges::find(kReferences, attribute) == kReferences.end()) return;
      stated[{found.integer(0), std::move(attribute)}] = found.text(2);
    }));
    DISTRICT_TRY(auto link, db_.prepare("SELECT meter_id, attribute, value FROM meter_link"));
    DISTRICT_CHECK(for_each_row(link, [&](const Statement& found) {
      const auto meter_id = found.integer(0);
      const auto attribute = found.text(1);
      const auto fact_of = stated.find({meter_id, attribute});
      if (fact_of == stated.end() || fact_of->second != found.text(2)) {
        note(meter_name(meter_id), "is linked by " + attribute + " to '" + found.text(2) +
                                       "', which its master data do not state last");
      }
      if (fact_of != stated.end()) stated.erase(fact_of);
    }));
    for (const auto& [key, value] : stated)
      note(meter_name(key.first), "lacks the link by " + key.second + " to '" + value + "'");
    return Ok{};
  }

  struct Known {
    Series series;
    std::string where;
  };
  SeriesDatabase& db_;
  SeriesReader store_;
  std::map<std::int64_t, MeterKey> meters_;
  std::map<std::int64_t, Known> series_;
  std::map<std::uint64_t, Instant> received_;
  std::vector<Misplaced> misplaced_;
};

}  // namespace

Result<std::vector<Misplaced>> misplaced_rows(SeriesDatabase& database) {
  return FormCheck(database).run();
}

}  // namespace district::store
