// KPI values: one row a meter, KPI and window (docs/reference/kpi-rules.md section 15).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"

namespace district {

// baseline and reporting: the periods of a model, as master data states them.
enum class WindowKind : std::uint8_t { hour, day, month, year, baseline, reporting };
inline constexpr WindowKind kLastWindowKind = WindowKind::reporting;

enum class KpiStatus : std::uint8_t { complete, partial, estimated, insufficient };

struct MeterKey {
  std::string tenant;
  std::string source;
  std::string meter;  // empty where the source is the meter
  auto operator<=>(const MeterKey&) const = default;
};

struct KpiValue {
  MeterKey meter;
  std::string kpi;  // identifier of the catalogue, e.g. energy_kwh
  WindowKind window = WindowKind::day;
  Instant start{};
  Instant end{};
  std::optional<double> value;  // empty: null
  std::string unit;
  double completeness = 0;  // 0 to 1
  KpiStatus status = KpiStatus::insufficient;
  std::uint32_t revision = 1;  // grows by one each time that the value changes
  Instant computed_at{};
  std::map<std::string, std::string> attributes;  // e.g. peak_at_utc, readings
};

const char* name_of(WindowKind kind);
const char* name_of(KpiStatus status);
std::optional<WindowKind> window_kind_of(std::string_view name);
std::optional<KpiStatus> kpi_status_of(std::string_view name);

}  // namespace district
