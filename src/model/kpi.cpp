#include "model/kpi.h"

namespace district {

const char* name_of(WindowKind kind) {
  switch (kind) {
    case WindowKind::hour:
      return "hour";
    case WindowKind::day:
      return "day";
    case WindowKind::month:
      return "month";
    case WindowKind::year:
      return "year";
    case WindowKind::baseline:
      return "baseline";
    case WindowKind::reporting:
      return "reporting";
  }
  return "";
}

const char* name_of(KpiStatus status) {
  switch (status) {
    case KpiStatus::complete:
      return "complete";
    case KpiStatus::partial:
      return "partial";
    case KpiStatus::estimated:
      return "estimated";
    case KpiStatus::insufficient:
      return "insufficient";
  }
  return "";
}

std::optional<WindowKind> window_kind_of(std::string_view name) {
  for (const auto kind : {WindowKind::hour, WindowKind::day, WindowKind::month, WindowKind::year,
                          WindowKind::baseline, WindowKind::reporting}) {
    if (name == name_of(kind)) return kind;
  }
  return std::nullopt;
}

std::optional<KpiStatus> kpi_status_of(std::string_view name) {
  for (const auto status :
       {KpiStatus::complete, KpiStatus::partial, KpiStatus::estimated, KpiStatus::insufficient}) {
    if (name == name_of(status)) return status;
  }
  return std::nullopt;
}

}  // namespace district
