#include "quantify/evidence_parts.h"

namespace district::quantify {
namespace {

// The register's growth between two readings.
struct Step {
  double growth = 0;
  bool rollover = false, anomaly = false;
};

Step step_between(const Reading& before, const Reading& after) {
  if (after.new_meter) return {};
  const double difference = after.value - before.value;
  if (difference >= 0) return {difference, false, false};
  if (after.modulus && *after.modulus > 0) {
    const double across = difference + *after.modulus;
    if (across >= 0 && across <= *after.modulus / 2) return {across, true, false};
  }
  return {0, false, true};
}

// The share of the pair's growth that falls into the window, linear between the readings.
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

}  // namespace

void summarise_register(Evidence& evidence) {
  const auto& window = evidence.window;
  const auto& material = *evidence.material;
  auto& summary = evidence.registers;
  read_unit(summary, window, material.master);
  // From the last reading at or before the window to the first at or after its end.
  const auto& all = material.readings;
  const auto begin = std::partition_point(all.begin(), all.end(),
                                          [&](const Reading& r) { return r.at <= window.start; });
  const Reading* previous = nullptr;
  for (auto r = begin; r != all.begin() && previous == nullptr;) {
    --r;
    if (!r->implausible) previous = &*r;
  }
  // A reading at the very start is one of the window's.
  if (previous != nullptr && previous->at == window.start) ++summary.readings;
  double total = 0;
  bool starts_inside = previous != nullptr, ends_inside = false;
  for (auto reading = begin; reading != all.end(); ++reading) {
    const bool in_window = starts_in(reading->at, window);
    if (reading->implausible) {
      if (in_window) ++evidence.noted.implausible;
      continue;
    }
    if (in_window && !reading->new_meter) ++summary.readings;
    if (in_window && reading->estimated) ++evidence.noted.estimated;
    if (in_window && reading->new_meter) summary.exchanged = true;
    if (previous != nullptr && !reading->new_meter) {
      const auto from = previous->at, to = reading->at;
      if (overlap(from, to, window) > Duration{}) {
        const auto step = step_between(*previous, *reading);
        total += step.growth * share_in(window, from, to);
        if (step.rollover) ++summary.rollovers;
        if (step.anomaly) ++summary.anomalies;
        if (to - from <= material.standards.register_gap_max) {
          summary.covered += overlap(from, to, window);
        } else if (within(window.start, from, to) || within(window.end, from, to)) {
          summary.boundary_in_gap = true;
        }
      }
    }
    previous = &*reading;
    if (reading->at >= window.end) {
      ends_inside = true;
      break;
    }
  }
  if (starts_inside && ends_inside && !summary.unit_changed) summary.consumption = total;
}

}  // namespace district::quantify
