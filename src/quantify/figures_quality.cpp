#include "quantify/figure_parts.h"

namespace district::quantify::figures {
namespace {

double completeness_of(const Evidence& evidence) {
  return share(evidence.quality.covered.value_or(Duration{}), evidence.window);
}

Figure of_received(const Evidence& evidence, std::optional<double> value) {
  return by_completeness(value, completeness_of(evidence));
}

Figure share_of_received(const Evidence& evidence, std::size_t part) {
  return of_received(
      evidence, ratio(static_cast<double>(part), static_cast<double>(evidence.quality.received)));
}

}  // namespace

Figure availability(const Evidence& evidence) {
  const auto& quality = evidence.quality;
  if (!quality.covered) return missing("nominal_step", 0);
  auto figure = of_received(evidence, completeness_of(evidence));
  figure.attributes.emplace("periods_received", std::to_string(quality.received));
  figure.attributes.emplace("hours_covered", spell(hours(*quality.covered)));
  figure.attributes.emplace("hours_expected", spell(hours(evidence.window.length())));
  return figure;
}
Figure timeliness_1h(const Evidence& evidence) {
  return share_of_received(evidence, evidence.quality.within_1h);
}
Figure timeliness_24h(const Evidence& evidence) {
  return share_of_received(evidence, evidence.quality.within_24h);
}
Figure latency_median(const Evidence& evidence) {
  return of_received(evidence, evidence.quality.latency_median_s);
}
Figure latency_p95(const Evidence& evidence) {
  return of_received(evidence, evidence.quality.latency_p95_s);
}
Figure latency_max(const Evidence& evidence) {
  return of_received(evidence, evidence.quality.latency_max_s);
}
Figure correction_rate(const Evidence& evidence) {
  return share_of_received(evidence, evidence.quality.superseded);
}

}  // namespace district::quantify::figures
