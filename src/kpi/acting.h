// Which inputs and facts of its family act on a KPI, and over what time. `kpi explain` shows them.
// Threads: any.
#pragma once

#include <string_view>
#include <vector>

#include "kpi/calendar.h"
#include "kpi/catalogue.h"
#include "kpi/master_data.h"
#include "model/standards.h"

namespace district::kpi {

struct ActingFact {
  // Which statements act: all that hold in the window, the one at its end, or the latest of all.
  enum class When : std::uint8_t { over, at_end, latest };
  std::string_view attribute;
  When when = When::over;
};
struct Acting {
  std::vector<std::size_t> inputs;  // indexes into those of the family
  std::vector<ActingFact> facts;
};
Acting acting_on(const KpiDefinition& definition, WindowKind window);

// The half-open times in which values of an input act on a window, in order, without overlap.
struct Span {
  Instant from{}, to{};
};
std::vector<Span> acting_times(const KpiDefinition& definition, const Input& input,
                               const Window& window, const Calendar& calendar,
                               const MasterData& master);

// The versions that act on [from, to), or would if they counted. `versions`: by start.
std::vector<ValueVersion> acting_versions(std::span<const ValueVersion> versions,
                                          const KpiDefinition& definition, ValueKind kind,
                                          const Span& span, const MasterData& master,
                                          const Standards& standards);

}  // namespace district::kpi
