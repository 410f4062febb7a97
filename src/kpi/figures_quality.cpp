#include "kpi/figure_parts.h"

namespace district::kpi::figures {
namespace {

double completeness_of(const WindowSummary& window_summary) {
  return share(window_summary.quality.covered.value_or(Duration{}), window_summary.window);
}

Figure of_received(const WindowSummary& window_summary, std::optional<double> value) {
  return by_completeness(value, completeness_of(window_summary));
}

Figure share_of_received(const WindowSummary& window_summary, std::size_t part) {
  return of_received(window_summary, ratio(static_cast<double>(part),
                                           static_cast<double>(window_summary.quality.received)));
}

}  // namespace

Figure availability(const WindowSummary& window_summary) {
  const auto& quality = window_summary.quality;
  if (!quality.covered) return missing("nominal_step", 0);
  auto figure = of_received(window_summary, completeness_of(window_summary));
  figure.attributes.emplace("periods_received", std::to_string(quality.received));
  figure.attributes.emplace("hours_covered", spell(hours(*quality.covered)));
  figure.attributes.emplace("hours_expected", spell(hours(window_summary.window.length())));
  return figure;
}
Figure timeliness_1h(const WindowSummary& window_summary) {
  return share_of_received(window_summary, window_summary.quality.within_1h);
}
Figure timeliness_24h(const WindowSummary& window_summary) {
  return share_of_received(window_summary, window_summary.quality.within_24h);
}
Figure latency_median(const WindowSummary& window_summary) {
  return of_received(window_summary, window_summary.quality.latency_median_s);
}
Figure latency_p95(const WindowSummary& window_summary) {
  return of_received(window_summary, window_summary.quality.latency_p95_s);
}
Figure latency_max(const WindowSummary& window_summary) {
  return of_received(window_summary, window_summary.quality.latency_max_s);
}
Figure correction_rate(const WindowSummary& window_summary) {
  return share_of_received(window_summary, window_summary.quality.superseded);
}

}  // namespace district::kpi::figures
