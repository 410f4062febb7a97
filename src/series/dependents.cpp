#include "series/dependents.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "series/meter_data.h"

namespace district::series {
namespace {

using store::SeriesReader;

// A graph of meters, which are numbered: for each one, the numbers of those that depend on it.
struct Graph {
  std::vector<std::int64_t> meter_ids;
  std::vector<std::string> tenants;
  std::vector<std::vector<std::size_t>> dependents;
};

// All meters that can be reached from the first ones.
Result<Graph> graph_from(SeriesReader& store, const std::vector<std::int64_t>& first) {
  Graph graph;
  std::map<std::int64_t, std::size_t> numbers;
  const auto number_of = [&](std::int64_t meter_id) {
    const auto [found, is_new] = numbers.emplace(meter_id, graph.meter_ids.size());
    if (is_new) graph.meter_ids.push_back(meter_id);
    return found->second;
  };
  for (const auto meter_id : first) number_of(meter_id);
  for (std::size_t at = 0; at < graph.meter_ids.size(); ++at) {
    DISTRICT_TRY(const auto key, store.meter_key(graph.meter_ids[at]));
    graph.tenants.push_back(key.tenant);
    DISTRICT_TRY(const auto dependents, dependents_of(store, key));
    auto& edges = graph.dependents.emplace_back();
    for (const auto dependent : dependents) edges.push_back(number_of(dependent));
  }
  return graph;
}

// Meters that depend on each other, in a circle of any length, are one component: a change of one
// is a change for all. Numbers the components so that the dependents of each come before it.
class Components {
 public:
  explicit Components(const Graph& graph)
      : graph_(graph), of_(graph.meter_ids.size(), kNone), seen_(of_), low_(of_) {
    for (std::size_t meter = 0; meter < of_.size(); ++meter)
      if (seen_[meter] == kNone) visit(meter);
  }
  std::size_t count() const { return count_; }
  std::size_t of(std::size_t meter) const { return of_[meter]; }

 private:
  static constexpr auto kNone = std::numeric_limits<std::size_t>::max();
  struct Step {
    std::size_t meter = 0, next = 0;  // the next of its dependents to look at
  };

  // Tarjan's algorithm, with a stack of its own: chains of statements may be of any length.
  void visit(std::size_t root) {
    std::vector<Step> way = {enter(root)};
    while (!way.empty()) {
      auto& [meter, next] = way.back();
      const auto& edges = graph_.dependents[meter];
      if (next < edges.size()) {
        const auto other = edges[next++];
        if (seen_[other] == kNone) {
          way.push_back(enter(other));
        } else if (of_[other] == kNone) {
          low_[meter] = std::min(low_[meter], seen_[other]);
        }
        continue;
      }
      if (low_[meter] == seen_[meter]) close(meter);
      const auto low = low_[meter];
      way.pop_back();
      if (!way.empty()) low_[way.back().meter] = std::min(low_[way.back().meter], low);
    }
  }
  Step enter(std::size_t meter) {
    seen_[meter] = low_[meter] = entered_++;
    open_.push_back(meter);
    return {meter, 0};
  }
  void close(std::size_t first) {
    while (true) {
      const auto meter = open_.back();
      open_.pop_back();
      of_[meter] = count_;
      if (meter == first) break;
    }
    ++count_;
  }

  const Graph& graph_;
  std::vector<std::size_t> of_, seen_, low_;
  std::vector<std::size_t> open_;  // entered, but not yet in a component
  std::size_t entered_ = 0, count_ = 0;
};

}  // namespace

Result<Ok> Dependents::touch(SeriesReader& store, Touched& touched) {
  std::vector<std::int64_t> changed;
  for (const auto& [meter_id, changes] : touched.meters)
    if (changes.all || !changes.series.empty()) changed.push_back(meter_id);
  DISTRICT_TRY(const auto graph, graph_from(store, changed));
  const Components components(graph);
  const auto add = [](Touched::Meter& to, const Touched::Meter& from) {
    to.all = to.all || from.all;
    to.series.insert(from.series.begin(), from.series.end());
  };
  std::vector<Touched::Meter> of_component(components.count());
  std::vector<std::set<std::size_t>> dependents(components.count());
  for (std::size_t meter = 0; meter < graph.meter_ids.size(); ++meter) {
    const auto component = components.of(meter);
    const auto own = touched.meters.find(graph.meter_ids[meter]);
    if (own != touched.meters.end()) add(of_component[component], own->second);
    for (const auto dependent : graph.dependents[meter])
      dependents[component].insert(components.of(dependent));
  }
  for (auto component = components.count(); component-- > 0;) {
    for (const auto dependent : dependents[component])
      if (dependent != component) add(of_component[dependent], of_component[component]);
  }
  for (std::size_t meter = 0; meter < graph.meter_ids.size(); ++meter) {
    auto& changes = touched.meters[graph.meter_ids[meter]];
    changes.tenant = graph.tenants[meter];
    add(changes, of_component[components.of(meter)]);
  }
  return Ok{};
}

}  // namespace district::series
