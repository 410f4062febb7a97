#include "kpi/summary_parts.h"

namespace district::kpi {
namespace {

using namespace std::chrono_literals;

// For how long a reading or a sample stands: as master data state it for its instant, or else for
// the end of the window. If they state nothing, samples have the default of the settings.
std::optional<Duration> step_at(const WindowSummary& window_summary, Instant at) {
  const auto& material = *window_summary.material;
  auto step = material.master.step("nominal_step", at);
  if (!step) step = material.master.step("nominal_step", window_summary.window.end - Duration{1});
  if (!step && window_summary.quality.sampled) step = material.standards.nominal_step;
  return step;
}

// The time for which there is a value, counted once. An interval covers its own time. A reading or
// a sample stands for one step, since nobody reads to the second: it covers the earliest time that
// is not covered yet, within a step before and after its instant.
class CoveredTime {
 public:
  explicit CoveredTime(const Window& window) : window_(window), until_(window.start) {}
  void add(Instant start, Instant end) {
    start = std::max(start, until_);
    end = std::min(end, window_.end);
    if (end <= start) return;
    covered_ += end - start;
    until_ = end;
  }
  void add_step(Instant at, Duration step) {
    const auto start = std::max(at - step, until_);
    add(start, std::min(start, at) + step);
  }
  Duration covered() const { return covered_; }

 private:
  const Window& window_;
  Instant until_;
  Duration covered_{};
};

}  // namespace

void summarise_quality(WindowSummary& window_summary) {
  const auto& window = window_summary.window;
  auto& summary = window_summary.quality;
  const auto versions = window_summary.material->inputs[0].overlapping(window.start, window.end);
  std::vector<double> latencies;
  CoveredTime time(window);
  bool step_known = !summary.instants || step_at(window_summary, window.end - Duration{1});
  for (std::size_t i = 0; i < versions.size();) {
    const auto& first = versions[i];
    auto received = first.received_at;
    bool superseded = false, excluded = false;
    auto end = i;
    for (; end < versions.size() && versions[end].start == first.start &&
           versions[end].end == first.end;
         ++end) {
      received = std::min(received, versions[end].received_at);
      superseded = superseded || versions[end].state == MeasurementState::superseded;
      excluded = excluded || versions[end].state == MeasurementState::excluded;
      if (starts_in(first.start, window)) take_note(window_summary.noted, versions[end]);
    }
    i = end;
    // A period that was left out because another overlaps it is not counted.
    if (excluded) continue;
    if (first.end > first.start) time.add(first.start, first.end);
    if (!starts_in(first.start, window)) continue;
    if (first.end == first.start) {
      const auto step = step_at(window_summary, first.start);
      step_known = step_known || step;
      if (step) time.add_step(first.start, *step);
    }
    ++summary.received;
    if (superseded) ++summary.superseded;
    const auto latency = received - first.end;
    if (latency <= 1h) ++summary.within_1h;
    if (latency <= 24h) ++summary.within_24h;
    latencies.push_back(std::chrono::duration<double>(latency).count());
  }
  if (step_known) summary.covered = time.covered();
  if (latencies.empty()) return;
  summary.latency_max_s = *std::max_element(latencies.begin(), latencies.end());
  summary.latency_median_s = percentile(latencies, 0.5);
  summary.latency_p95_s = percentile(latencies, 0.95);
}

void summarise_register_quality(WindowSummary& window_summary) {
  window_summary.quality.instants = true;
  summarise_quality(window_summary);
}

void summarise_sampled_quality(WindowSummary& window_summary) {
  window_summary.quality.instants = window_summary.quality.sampled = true;
  summarise_quality(window_summary);
}

}  // namespace district::kpi
