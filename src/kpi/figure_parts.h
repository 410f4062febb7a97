// Small things that several figures need. Private to kpi/.
#pragma once

#include <array>
#include <charconv>
#include <string>

#include "kpi/figures.h"
#include "kpi/summary_parts.h"

namespace district::kpi::figures {

inline double share(Duration part, const Window& window) {
  return static_cast<double>(part.count()) / static_cast<double>(window.length().count());
}
inline std::string spell(double number) {
  std::array<char, 32> text{};
  const auto [end, problem] = std::to_chars(text.data(), text.data() + text.size(), number);
  return {text.data(), problem == std::errc() ? end : text.data()};
}
inline std::string spell(Instant at) {
  const bool whole = at == std::chrono::floor<std::chrono::seconds>(at);
  return format_instant(at, whole ? 0 : 6);
}
inline void note(Figure& figure, const char* name, std::size_t count) {
  if (count > 0) figure.attributes.emplace(name, std::to_string(count));
}
inline Figure by_completeness(std::optional<double> value, double completeness) {
  return {value, completeness, status_of(completeness), {}, {}, true};
}
// The figure of a KPI that lacks an attribute of master data or a quantity.
inline Figure missing(const std::string& what, double completeness) {
  return {std::nullopt, completeness, KpiStatus::insufficient, {{"missing", what}}, {}, true};
}
inline Figure not_applicable() {
  Figure figure;
  figure.applies = false;
  return figure;
}
// The same for a KPI of which hours have no row then: only days and months say what is missing.
inline Figure lacking(const WindowSummary& window_summary, const std::string& what,
                      double completeness) {
  if (window_summary.window.kind == WindowKind::hour) return not_applicable();
  return missing(what, completeness);
}
// A sum over no covered time is null, not zero.
inline std::optional<double> if_covered(Duration covered, double value) {
  return covered > Duration{} ? std::optional(value) : std::nullopt;
}
inline std::optional<double> ratio(double part, double whole) {
  return whole == 0 ? std::nullopt : std::optional(part / whole);
}
// The total divided by the completeness, if at most a tenth is missing (after CalTRACK 2.2.1.2).
inline std::optional<double> estimate(double total, double completeness) {
  if (completeness < kPartialCompleteness) return std::nullopt;
  return total / completeness;
}
// The number that master data state for the end of the window.
inline std::optional<double> stated(const WindowSummary& window_summary, const char* attribute) {
  return window_summary.material->master.number(attribute, window_summary.window.end - Duration{1});
}

}  // namespace district::kpi::figures
