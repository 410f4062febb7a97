// The KPIs that the engine computes. It runs from this table, and docs/reference/kpis.md is
// generated from it (districtctl kpi catalogue). A new KPI is a new entry; new inputs are a new
// family.
// Source: docs/reference/kpi-rules.md; each entry names its own.
// Threads: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kpi/summary.h"
#include "model/batch.h"
#include "model/kpi.h"

namespace district::kpi {

// KPIs that are computed from the same values.
enum class Family : std::uint8_t {
  interval_energy,
  instant_power,
  register_reading,
  weather,
  comfort,
  interval_quality,
  sampled_quality,
  register_quality,
  model,
};

struct Input {
  std::string_view quantity;
  ValueKind kind;
  std::string_view unit;
  Duration acts_on{};  // how long after its end a value still matters
};

struct FamilyDefinition {
  Family family;
  std::string_view name;
  std::vector<Input> inputs;            // a window has a row if the first one has values
  std::vector<std::string_view> facts;  // attributes of master data that its KPIs depend on
  std::vector<WindowKind> windows;
  Duration looks_back{};  // how long before a window a value still matters
  void (*summarise)(WindowSummary&);
};
// In the order of precedence: when two families of a meter have a KPI of the same name (metered
// energy, and energy from sampled power), the first family gives it.
const std::vector<FamilyDefinition>& families();
const FamilyDefinition& definition_of(Family family);

// What completeness means for a KPI.
enum class CompletenessRule : std::uint8_t {
  covered_time,   // share of the window that values cover
  priced_time,    // share that energy with a price covers
  price_time,     // share that prices cover
  factored_time,  // share that energy with a CO2 factor covers
  valid_days,     // share of days that are valid
  reading_gaps,   // share in reading gaps of at most 6 h; status by the window's boundaries
  periods,        // share of the time for which values were received
};
const char* text_of(CompletenessRule rule);

// A computed value, not yet bound to its meter and window.
struct Figure {
  std::optional<double> value;
  double completeness = 0;
  KpiStatus status = KpiStatus::insufficient;
  std::map<std::string, std::string> attributes;
  std::string unit;     // empty: that of the definition
  bool applies = true;  // false: such a meter has no row of this KPI
};

struct KpiDefinition {
  std::string_view id;       // docs/reference/kpi-rules.md section 15
  std::string_view formula;  // in words
  std::string_view unit;     // empty: that of the meter
  Family family;
  std::vector<WindowKind> windows;
  CompletenessRule completeness;
  std::string_view source;
  Figure (*evaluate)(const WindowSummary&);

  bool has(WindowKind window) const;
};
const std::vector<KpiDefinition>& catalogue();

bool is_input(const Input& input, const Series& series);
bool is_input(const Series& series);  // of some family
// Whether some KPI depends on this attribute of master data.
bool matters(std::string_view attribute);

// Completeness from which a value is partial; below it is insufficient (after CalTRACK 2.2.1.2).
inline constexpr double kPartialCompleteness = 0.9;
KpiStatus status_of(double completeness);

// Checks that there is a KPI of this name, so that a misspelt one is not taken for one without
// values.
// Errors: not_found, with the name that is near and with `hint`.
Result<Ok> check_name(const std::string& kpi, const char* hint);

}  // namespace district::kpi
