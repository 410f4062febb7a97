// Data quality for oracle.h, docs/reference/kpi-rules.md section 14: the same for every kind of
// series.
#pragma once

#include "oracle.h"

namespace district::quantify::testing {

inline double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double position = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
}

// Of the periods that start in the window.
struct Periods {
  int received = 0, superseded = 0, within_hour = 0, within_day = 0;
  std::vector<double> latencies;
};

inline Periods periods_of(const Sheet& sheet, const std::vector<Heard>& values) {
  Periods periods;
  std::map<std::pair<Minute, Minute>, std::vector<Heard>> by_key;
  for (const auto& one : values)
    if (sheet.has(one.start) && one.fate != Fate::exchange)
      by_key[{one.start, one.end}].push_back(one);
  for (const auto& [key, versions] : by_key) {
    const auto some = [&, &all = versions](Fate fate) {
      return std::any_of(all.begin(), all.end(), [&](const auto& v) { return v.fate == fate; });
    };
    if (some(Fate::excluded)) continue;  // no period of its own
    const auto first =
        std::min_element(versions.begin(), versions.end(),
                         [](const auto& a, const auto& b) { return a.received < b.received; });
    const auto latency = first->received_at() - key.second;
    ++periods.received;
    periods.superseded += some(Fate::superseded);
    periods.within_hour += latency <= 60;
    periods.within_day += latency <= kDay;
    periods.latencies.push_back(60.0 * latency);
  }
  return periods;
}

// Minutes of the window that what was received covers; none where it is not known how long one
// stands for.
inline std::optional<Minute> minutes_covered(const Sheet& sheet, const Memory& memory,
                                             const std::vector<Heard>& values,
                                             std::optional<Minute> usual,
                                             const std::string& meter) {
  const auto step_at = [&](Minute at) {
    auto step = minutes_of(memory.text("nominal_step", at, meter));
    if (!step) step = minutes_of(memory.text("nominal_step", sheet.end - 1, meter));
    return step ? step : usual;
  };
  const auto key = [](const Heard& one) { return std::pair(one.start, one.end); };
  std::set<std::pair<Minute, Minute>> excluded, received;
  for (const auto& one : values)
    if (one.fate == Fate::excluded) excluded.insert(key(one));
  for (const auto& one : values)
    if (one.fate != Fate::exchange && !excluded.contains(key(one))) received.insert(key(one));
  std::vector<bool> covered(static_cast<std::size_t>(sheet.length()));
  const auto cover = [&](Minute from, Minute to) {
    for (auto at = std::max(from, sheet.start); at < std::min(to, sheet.end); ++at)
      covered[static_cast<std::size_t>(at - sheet.start)] = true;
  };
  bool known = false;
  Minute until = sheet.start;  // no reading stands for what is before
  for (const auto& [start, end] : received) {
    if (end > start) {
      known = true;
      cover(start, end);
      continue;
    }
    const auto step = sheet.has(start) ? step_at(start) : std::nullopt;
    if (!step) continue;
    known = true;
    const auto from = std::min(std::max(start - *step, until), start);
    cover(std::max(from, until), from + *step);
    until = std::max(until, std::min(from + *step, sheet.end));
  }
  const bool lasting = std::any_of(values.begin(), values.end(), [](const auto& one) {
    return one.fate != Fate::exchange && one.end > one.start;
  });
  if (!known && !lasting && !step_at(sheet.end - 1)) return std::nullopt;
  return static_cast<Minute>(std::count(covered.begin(), covered.end(), true));
}

template <typename Reach>
void put_quality(Rows& rows, const Memory& memory, const WallClock& clock,
                 const std::vector<Heard>& values, Reach&& reach, std::optional<Minute> usual,
                 const std::string& meter = "") {
  for (const auto kind : {WindowKind::day, WindowKind::month}) {
    for (const auto& [start, end] : windows_of(clock, kind, values, reach)) {
      Sheet sheet{rows, kind, start, end, {}};
      const auto count = [&](auto&& which) {
        return static_cast<int>(std::count_if(values.begin(), values.end(), [&](const auto& one) {
          return sheet.has(one.start) && which(one);
        }));
      };
      sheet.note("excluded_overlaps",
                 count([](const auto& v) { return v.fate == Fate::excluded; }));
      sheet.note("implausible", count([](const auto& v) { return v.fate == Fate::implausible; }));
      sheet.note("estimated_values",
                 count([](const auto& v) { return v.fate == Fate::counts && v.estimated; }));
      sheet.note("disputed",
                 count([](const auto& v) { return v.fate == Fate::counts && v.disputed; }));
      const auto periods = periods_of(sheet, values);
      const auto covered = minutes_covered(sheet, memory, values, usual, meter);
      const double c = covered ? static_cast<double>(*covered) / (end - start) : 0;
      if (covered) {
        auto& row = sheet.put("availability", c, c);
        row.attributes["periods_received"] = std::to_string(periods.received);
        row.attributes["hours_covered"] = spelled(in_hours(*covered));
        row.attributes["hours_expected"] = spelled(in_hours(end - start));
      } else {
        sheet.lacks("availability", "nominal_step", 0);
      }
      const auto put = [&](const char* kpi, auto&& value) {
        sheet.put(kpi, periods.received > 0 ? std::optional<double>(value()) : std::nullopt, c);
      };
      const auto& latencies = periods.latencies;
      put("timeliness_1h", [&] { return 1.0 * periods.within_hour / periods.received; });
      put("timeliness_24h", [&] { return 1.0 * periods.within_day / periods.received; });
      put("latency_median_s", [&] { return quantile(latencies, 0.5); });
      put("latency_p95_s", [&] { return quantile(latencies, 0.95); });
      put("latency_max_s", [&] { return quantile(latencies, 1); });
      put("correction_rate", [&] { return 1.0 * periods.superseded / periods.received; });
    }
  }
}

}  // namespace district::quantify::testing
