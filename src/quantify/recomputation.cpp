#include "quantify/recomputation.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace district::quantify {
namespace {

void add_notes(kpi::Figure& figure, const kpi::Noted& noted) {
  const auto note = [&figure](const char* name, std::size_t count) {
    if (count > 0) figure.attributes.emplace(name, std::to_string(count));
  };
  note("estimated_values", noted.estimated);
  note("excluded_overlaps", noted.excluded);
  note("implausible", noted.implausible);
  note("disputed", noted.disputed);
  // One of two values is wrong, and nobody knows which.
  if (noted.disputed > 0 && figure.status == KpiStatus::complete)
    figure.status = KpiStatus::partial;
}

std::vector<ComputedKpi> evaluate(const FamilyWindows& planned,
                                  kpi::WindowSummary& window_summary) {
  std::vector<ComputedKpi> computed;
  for (const auto* kpi : planned.kpis) {
    if (!kpi->has(window_summary.window.kind)) continue;
    auto figure = kpi->evaluate(window_summary);
    if (figure.applies) add_notes(figure, window_summary.noted);
    computed.push_back({kpi, std::move(figure)});
  }
  return computed;
}

}  // namespace

Result<Ok> Recomputation::run() {
  WindowPlan plan(store_, meter_, calendar_, standards_, touched_, shelf_, rows_);
  DISTRICT_TRY(auto families, plan.make());
  // Year by year the windows of all families; at the end those of models, which have no year.
  std::map<Instant, std::vector<std::vector<kpi::Window>>> years;  // by end; one for each family
  std::vector<std::vector<kpi::Window>> of_models(families.size());
  std::optional<kpi::Window> year;
  for (std::size_t i = 0; i < families.size(); ++i) {
    for (const auto& window : families[i].windows) {
      if (!kpi::by_calendar(window.kind)) {
        of_models[i].push_back(window);
        continue;
      }
      if (!year || window.start < year->start || window.start >= year->end)
        year = calendar_.window(WindowKind::year, window.start);
      auto& of_year = years[year->end];
      of_year.resize(families.size());
      of_year[i].push_back(window);
    }
    families[i].windows.clear();
  }
  for (const auto& [end, windows] : years) {
    DISTRICT_CHECK(compute(families, windows));
    shelf_.clear();
    DISTRICT_CHECK(rows_.write_until(end));
    if (pause_) DISTRICT_CHECK(pause_());
  }
  DISTRICT_CHECK(compute(families, of_models));
  return rows_.write_rest();
}

// `windows`: for each family.
Result<Ok> Recomputation::compute(const std::vector<FamilyWindows>& families,
                                  const std::vector<std::vector<kpi::Window>>& windows) {
  for (std::size_t i = 0; i < families.size(); ++i)
    DISTRICT_CHECK(compute(families[i], windows[i]));
  return Ok{};
}

Result<Ok> Recomputation::compute(const FamilyWindows& planned,
                                  std::span<const kpi::Window> windows) {
  if (windows.empty()) return Ok{};
  const auto& family = *planned.inputs.family;
  const bool of_model = family.family == kpi::Family::model;
  auto from = windows.front().start, to = from;
  const auto include = [&](const std::optional<kpi::Window>& window) {
    if (!window || (of_model && !kpi::has_model(*window))) return;
    from = std::min(from, window->start);
    to = std::max(to, window->end);
  };
  for (const auto& window : windows) include(window);
  if (of_model) {
    for (const auto* attribute : {"baseline", "normal_period"}) {
      const auto stated = meter_.master.latest(attribute);
      if (stated) include(calendar_.days(WindowKind::baseline, *stated));
    }
  }
  kpi::Material material{calendar_, meter_.master, standards_, {}, {}, {}};
  material.successor = meter_.successor;
  for (const auto* series : planned.inputs.inputs) {
    auto& input = material.inputs.emplace_back();
    if (series == nullptr) continue;
    input.there = true;
    input.longest = series->longest;
    if (family.family == kpi::Family::register_reading) continue;
    DISTRICT_TRY(input.versions,
                 shelf_.get(*series, from - series->longest - family.looks_back, to));
  }
  if (family.family == kpi::Family::register_reading) {
    DISTRICT_TRY(material.readings,
                 series::readings_of(shelf_, meter_, *planned.inputs.inputs.front(), from, to));
  }
  for (const auto& window : windows) {
    kpi::WindowSummary window_summary;
    window_summary.window = window;
    window_summary.material = &material;
    family.summarise(window_summary);
    DISTRICT_CHECK(rows_.put(window, evaluate(planned, window_summary)));
  }
  return Ok{};
}

}  // namespace district::quantify
