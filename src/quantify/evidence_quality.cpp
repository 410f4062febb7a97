#include "quantify/evidence_parts.h"

namespace district::quantify {
namespace {

using store::MeasurementState;
using store::Version;
using namespace std::chrono_literals;

// The step between periods: as master data states it, else the usual length of the intervals; of
// samples, what the standards' settings say.
std::optional<Duration> step_of(const Evidence& evidence, std::span<const Version> versions) {
  const auto& material = *evidence.material;
  const auto stated = material.master.step("nominal_step", evidence.window.end - Duration{1});
  if (stated) return stated;
  std::vector<Duration> lengths;
  for (const auto& version : versions)
    if (counts(version) && version.end > version.start && starts_in(version.start, evidence.window))
      lengths.push_back(version.end - version.start);
  if (lengths.empty() && evidence.quality.sampled) return material.standards.nominal_step;
  if (lengths.empty()) return std::nullopt;
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

}  // namespace

void summarise_quality(Evidence& evidence) {
  const auto& window = evidence.window;
  auto& summary = evidence.quality;
  const auto versions = evidence.material->inputs[0].overlapping(window.start, window.end);
  std::vector<double> latencies;
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
      if (starts_in(first.start, window)) take_note(evidence.noted, versions[end]);
    }
    i = end;
    // What another period overlaps is no period of its own.
    if (!starts_in(first.start, window) || excluded) continue;
    ++summary.received;
    if (superseded) ++summary.superseded;
    const auto latency = received - first.end;
    if (latency <= 1h) ++summary.within_1h;
    if (latency <= 24h) ++summary.within_24h;
    latencies.push_back(std::chrono::duration<double>(latency).count());
  }
  if (const auto step = step_of(evidence, versions))
    summary.expected =
        static_cast<double>(window.length().count()) / static_cast<double>(step->count());
  if (latencies.empty()) return;
  summary.latency_max_s = *std::max_element(latencies.begin(), latencies.end());
  summary.latency_median_s = percentile(latencies, 0.5);
  summary.latency_p95_s = percentile(latencies, 0.95);
}

void summarise_sampled_quality(Evidence& evidence) {
  evidence.quality.sampled = true;
  summarise_quality(evidence);
}

}  // namespace district::quantify
