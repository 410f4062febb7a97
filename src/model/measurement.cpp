#include "model/measurement.h"

namespace district {

const char* name_of(MeasurementState state) {
  switch (state) {
    case MeasurementState::current:
      return "current";
    case MeasurementState::superseded:
      return "superseded";
    case MeasurementState::duplicate:
      return "duplicate";
    case MeasurementState::excluded:
      return "excluded";
    case MeasurementState::unusable:
      return "unusable";
    case MeasurementState::implausible:
      return "implausible";
  }
  return "";
}

std::optional<VisibleValue> visible(const ValueVersion& version) {
  const auto state = version.state;
  if (state != MeasurementState::current && state != MeasurementState::excluded &&
      state != MeasurementState::implausible) {
    return std::nullopt;
  }
  return VisibleValue{version.start, version.end, version.value, version.flags, state};
}

}  // namespace district
