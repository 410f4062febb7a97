#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

// The part of [start, end) that lies in the local hours of the day in which no lamp should burn.
Duration by_day(Instant start, Instant end, const Material& material) {
  Duration total{};
  const auto& standards = material.standards;
  each_day({WindowKind::day, start, end}, material.calendar, [&](const Window& day) {
    const Window bright{WindowKind::day,
                        material.calendar.at_hour(day.start, standards.day_burning_start_hour),
                        material.calendar.at_hour(day.start, standards.day_burning_end_hour)};
    total += overlap(start, end, bright);
  });
  return total;
}

// Calls `each` for every sample that counts, with the part of the window that it covers: until the
// next sample, and at most for its hold.
template <typename Each>
void each_sample(const InputValues& input, const Window& window, const Material& material,
                 Each&& each) {
  const auto hold = [&](Instant at) { return hold_at(material.master, material.standards, at); };
  const auto samples = input.overlapping(window.start - kHoldMax, window.end);
  const ValueVersion* previous = nullptr;
  const auto give = [&](const ValueVersion& sample, Instant next) {
    const auto start = std::max(sample.start, window.start);
    const auto end = std::min({sample.start + hold(sample.start), next, window.end});
    if (end > start) each(sample, start, end);
  };
  for (const auto& sample : samples) {
    if (!counts(sample)) continue;
    if (previous != nullptr) give(*previous, sample.start);
    previous = &sample;
  }
  if (previous != nullptr) give(*previous, window.end);
}

}  // namespace

Duration hold_at(const MasterData& master, const Standards& standards, Instant at) {
  const auto step = master.step("nominal_step", at).value_or(standards.nominal_step);
  return std::min(kHoldMax, std::chrono::round<Duration>(standards.hold_steps * step));
}

void summarise_power(WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  const auto& material = *window_summary.material;
  auto& summary = window_summary.power;
  for (const auto& sample : material.inputs[0].overlapping(window.start, window.end))
    if (!counts(sample)) take_note(window_summary.noted, sample);
  std::vector<Window> lit;
  const auto stated = material.master.constant("on_threshold_w", window.start, window.end);
  each_sample(material.inputs[0], window, material,
              [&](const ValueVersion& sample, Instant start, Instant end) {
                const double energy = sample.value * hours(end - start) / 1000;
                summary.energy_kwh += energy;
                summary.covered += end - start;
                take_note(window_summary.noted, sample);
                if (!summary.peak || sample.value > summary.peak->value)
                  summary.peak = Peak{sample.value, start};
                const auto threshold = stated && sample.start >= window.start
                                           ? stated->number
                                           : material.master.number("on_threshold_w", sample.start);
                if (!threshold) summary.threshold_known = false;
                if (!threshold || sample.value <= *threshold) return;
                summary.on += end - start;
                summary.on_kwh += energy;
                if (window.kind != WindowKind::hour) summary.day_on += by_day(start, end, material);
                if (material.inputs[1].there) lit.push_back({window.kind, start, end});
              });
  if (lit.empty()) return;
  auto from = lit.begin();
  each_sample(material.inputs[1], window, material,
              [&](const ValueVersion& sample, Instant start, Instant end) {
                while (from != lit.end() && from->end <= start) ++from;
                for (auto at = from; at != lit.end() && at->start < end; ++at) {
                  const auto both = hours(overlap(start, end, *at));
                  summary.lit_hours += both;
                  summary.illuminance_lx_h += both * sample.value;
                }
              });
}

}  // namespace district::kpi
