#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

using namespace std::chrono_literals;

// A register has enough digits for thousands of hours at full load, so that it rarely passes the
// end of them: 4,000 h by MID (2014/32/EU), annex V, 5.2. This is less, in case the number of
// digits was stated wrongly, and for readings that follow each other closely.
constexpr Duration kModulusLastsMin = 1000h;
constexpr Duration kShortestJudged = 24h;

// The register's growth between two readings.
struct Step {
  double growth = 0;
  bool rollover = false, anomaly = false, rise = false;
};

Step step_between(const Reading& before, const Reading& after) {
  const double difference = after.value - before.value;
  std::optional<double> most;  // how much it can have counted
  if (after.modulus && *after.modulus > 0) {
    const double time = hours(std::max(after.at - before.at, kShortestJudged));
    most = *after.modulus * std::min(0.5, time / hours(kModulusLastsMin));
  }
  if (difference >= 0)
    return {difference, false, false, after.rise || (most && difference > *most)};
  const double across = difference + after.modulus.value_or(0);
  if (most && across >= 0 && across <= *most) return {across, true, false, false};
  return {0, false, true, false};
}

// The share of a pair's growth that falls into the window. Growth is linear between the readings.
double share_in(const Window& window, Instant before, Instant after) {
  const auto part = overlap(before, after, window);
  if (part == after - before) return 1;  // exactly: no rounding for pairs inside the window
  return static_cast<double>(part.count()) / static_cast<double>((after - before).count());
}

bool within(Instant boundary, Instant before, Instant after) {
  return boundary > before && boundary < after;
}

void read_unit(RegisterSummary& summary, const Window& window, const MasterData& master) {
  const auto at_start = master.text("unit", window.start);
  summary.unit = master.text("unit", window.end - Duration{1});
  if (!summary.unit) summary.unit = at_start;
  summary.unit_changed = at_start && at_start != summary.unit;
}

// `second`: it is the second reading of an exchange, whose two registers count as one reading.
void take_note(WindowSummary& window_summary, const Reading& reading, bool second) {
  if (reading.implausible) {
    ++window_summary.noted.implausible;
    return;
  }
  if (!second) ++window_summary.registers.readings;
  if (reading.estimated) ++window_summary.noted.estimated;
  if (reading.disputed) ++window_summary.noted.disputed;
}

// Adds the time between two neighbouring readings, as far as it lies in the window, to the summary.
// Gives the growth in it.
double add_pair(RegisterSummary& summary, const Window& window, const Reading& before,
                const Reading& after, Duration gap_max) {
  const auto part = overlap(before.at, after.at, window);
  if (part <= Duration{}) return 0;
  const bool long_gap = after.at - before.at > gap_max;
  if (long_gap &&
      (within(window.start, before.at, after.at) || within(window.end, before.at, after.at))) {
    summary.boundary_in_gap = true;
  }
  if (after.new_meter) return 0;
  const auto step = step_between(before, after);
  if (step.rollover) ++summary.rollovers;
  if (step.anomaly) ++summary.anomalies;
  if (step.rise) ++summary.rises;
  const bool unexplained = step.anomaly || step.rise;
  if (unexplained) summary.unexplained += part;
  if (!long_gap && !unexplained) summary.covered += part;
  return step.growth * share_in(window, before.at, after.at);
}

}  // namespace

void summarise_register(WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  const auto& material = *window_summary.material;
  auto& summary = window_summary.registers;
  read_unit(summary, window, material.master);
  // From the last reading at or before the window to the first at or after its end.
  const auto& all = material.readings;
  const auto begin = std::partition_point(all.begin(), all.end(),
                                          [&](const Reading& r) { return r.at < window.start; });
  const Reading* previous = nullptr;
  for (auto r = begin; r != all.begin() && previous == nullptr;) {
    --r;
    if (!r->implausible) previous = &*r;
  }
  double total = 0;
  bool starts_inside = previous != nullptr, ends_inside = false;
  for (auto reading = begin; reading != all.end() && !ends_inside; ++reading) {
    const bool in_window = starts_in(reading->at, window);
    const bool second = reading->new_meter && previous != nullptr && previous->at == reading->at;
    if (in_window) take_note(window_summary, *reading, second);
    if (reading->implausible) continue;
    if (in_window && reading->new_meter && reading->at > window.start) summary.exchanged = true;
    if (previous != nullptr)
      total += add_pair(summary, window, *previous, *reading, material.standards.register_gap_max);
    starts_inside = starts_inside || reading->at == window.start;
    ends_inside = reading->at >= window.end;
    previous = &*reading;
  }
  summary.mostly_set_aside = window_summary.noted.implausible > summary.readings;
  if (starts_inside && ends_inside && !summary.unit_changed) summary.consumption = total;
  summary.continued = starts_inside && !ends_inside && !summary.unit_changed &&
                      material.successor && window.end > material.successor->exchanged_at;
}

}  // namespace district::kpi
