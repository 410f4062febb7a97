#include "series/ingestion.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "kpi/catalogue.h"
#include "kpi/master_data.h"
#include "kpi/units.h"
#include "series/plausibility.h"
#include "series/supersession.h"

namespace district::series {
namespace {

using namespace std::chrono_literals;

// Values of a series that are further apart than this are merged separately. So only the stored
// rows around each group are read.
constexpr Duration kApart = 24h * 8;

auto place_of(const ValueVersion& version) {
  return std::tie(version.start, version.end, version.leaf_index, version.message_index);
}
bool before(const ValueVersion& a, const ValueVersion& b) { return place_of(a) < place_of(b); }

// Whether the sender said the same. Flags that follow from other values do not matter.
bool says_the_same(const ValueVersion& a, const ValueVersion& b) {
  return a.value == b.value && ((a.flags ^ b.flags) & ~kJudgedFlags) == 0;
}

// The stretch of the values that start in [first, last], of those that overlap them, of those that
// overlap these, and so on. `versions`: by start.
Stretch chain_of(std::span<const ValueVersion> versions, Instant first, Instant last,
                 Duration longest) {
  auto chain = stretch_of(first, last + longest);
  const auto begin = std::partition_point(
      versions.begin(), versions.end(), [first](const ValueVersion& v) { return v.start < first; });
  for (auto version = begin; version != versions.begin();) {
    --version;
    if (version->start < chain.start - longest) break;
    if (version->end > chain.start) chain.start = version->start;
  }
  for (auto version = begin; version != versions.end() && version->start < chain.end; ++version)
    chain.end = std::max(chain.end, version->end);
  return chain;
}

MeasurementState state_before_settling(const ValueVersion& version) {
  return (version.flags & kRuleFlags) != 0 ? MeasurementState::implausible
                                           : MeasurementState::current;
}

}  // namespace

Result<std::int64_t> Ingestion::meter_of(const std::string& tenant, const std::string& source,
                                         const std::string& meter) {
  MeterKey key{tenant, source, meter};
  if (const auto found = known_.meters.find(key); found != known_.meters.end())
    return found->second;
  DISTRICT_TRY(const auto id, store_.meter_id(key));
  known_.meters.emplace(std::move(key), id);
  return id;
}

Result<Ingestion::Incoming*> Ingestion::incoming_of(std::int64_t meter_id,
                                                    const Observation& like) {
  const KnownIds::SeriesKey key(meter_id, like.quantity, like.kind, like.unit);
  if (const auto found = known_.series.find(key); found != known_.series.end()) {
    const auto here = incoming_.find(found->second);
    if (here != incoming_.end()) return &here->second;
    DISTRICT_TRY(auto series, store_.series_by_id(found->second));
    const auto id = series.series_id;
    return &incoming_.emplace(id, Incoming{std::move(series), meter_id, {}}).first->second;
  }
  DISTRICT_TRY(auto made, store_.series(meter_id, like));
  // KPIs say when an input is missing. A new input changes that, so all windows of the meter
  // change.
  if (made.is_new && kpi::is_input(made.series)) touched_.meters[meter_id].all = true;
  const auto id = made.series.series_id;
  known_.series.emplace(key, id);
  return &incoming_.emplace(id, Incoming{std::move(made.series), meter_id, {}}).first->second;
}

Result<Ok> Ingestion::sort_in(const Batch& batch, const Origin& origin, Observation observation) {
  DISTRICT_TRY(const auto meter_id, meter_of(batch.tenant, observation.source, observation.meter));
  const auto converted = kpi::conversion(observation.quantity, observation.unit);
  if (converted) {
    observation.unit = converted->unit;
    observation.value *= converted->factor;
  }
  touched_.meters[meter_id].tenant = batch.tenant;
  DISTRICT_TRY(auto* incoming, incoming_of(meter_id, observation));
  const auto judgement = judge(observation, origin.received_at, converted.has_value());
  // Whether the source is known is decided when values are shown, because master data may come
  // later.
  const auto told = observation.flags & ~kJudgedFlags & ~std::uint32_t{flag_unknown_source};
  ValueVersion version{observation.start,         observation.end,    origin.leaf_index,
                       observation.message_index, origin.received_at, observation.value,
                       told | judgement.flags};
  if (judgement.has_window) {
    incoming->versions.push_back(version);
    return Ok{};
  }
  version.state = MeasurementState::unusable;
  DISTRICT_TRY(const bool is_new, store_.put_unusable(incoming->series.series_id, version));
  if (!is_new) return Ok{};
  ++counts_[std::string("state ") + name_of(version.state)];
  for (const auto& rule : rules()) {
    if (version.flags & rule.flag) ++counts_["rule " + std::string(rule.name)];
  }
  return Ok{};
}

Result<Ok> Ingestion::add(const Batch& batch, const Origin& origin) {
  std::optional<Instant> first, last;
  for (const auto& observation : batch.observations) {
    first = std::min(first.value_or(observation.start), observation.start);
    last = std::max(last.value_or(observation.start), observation.start);
  }
  DISTRICT_CHECK(store_.put_origin(origin, batch.tenant, first, last));
  for (const auto& observation : batch.observations)
    DISTRICT_CHECK(sort_in(batch, origin, observation));
  return take_facts(batch, origin);
}

Result<Ok> Ingestion::finish() {
  for (auto& [series_id, incoming] : incoming_) DISTRICT_CHECK(take_series(incoming));
  return store_.add_counts(counts_);
}

Result<Ok> Ingestion::take_series(Incoming& incoming) {
  auto& versions = incoming.versions;
  std::sort(versions.begin(), versions.end(), before);
  for (const auto& version : versions)
    incoming.series.longest = std::max(incoming.series.longest, version.end - version.start);
  for (auto begin = versions.begin(); begin != versions.end();) {
    auto end = begin + 1;
    while (end != versions.end() && end->start - std::prev(end)->start <= kApart) ++end;
    DISTRICT_CHECK(take_stretch(incoming, {begin, end}));
    begin = end;
  }
  return Ok{};
}

Result<Ok> Ingestion::take_stretch(Incoming& incoming, const std::vector<ValueVersion>& versions) {
  const auto first = versions.front().start, last = versions.back().start;
  DISTRICT_TRY(auto page, page_around(incoming.series, first, last));
  auto merged = put_together(incoming.meter_id, page.versions, versions);
  const auto changed = settle_anew(incoming, merged, first, last);
  if (!changed) return Ok{};
  page.versions = std::move(merged.versions);
  return store_.put_page(incoming.series, page, changed->start, changed->end);
}

// The stored rows of everything that affects values starting in [first, last]: the values around
// them, by which they are judged, and the whole chain of values that overlap them or each other.
Result<store::Page> Ingestion::page_around(const Series& series, Instant first, Instant last) {
  Surroundings around{first, last, first, last};
  if (const auto of_kind = surroundings_of(series.kind, first, last)) around = *of_kind;
  auto from = std::min(around.from, around.judged_from - series.longest);
  auto to = std::max(around.to, around.judged_to + series.longest);
  for (auto step = std::max<Duration>(2 * series.longest, 24h);; step *= 2) {
    DISTRICT_TRY(auto page, store_.page(series, from, to));
    const auto chain =
        chain_of(page.versions, around.judged_from, around.judged_to, series.longest);
    const bool begins = page.from <= Instant{} || chain.start >= page.from + series.longest;
    const bool ends = page.to > series.last_start || chain.end <= page.to;
    if (begins && ends) return page;
    if (!begins) from = page.from - step;
    if (!ends) to = page.to + step;
  }
}

// Values that start in [first, last] are new or gone. Judges and settles all values that this may
// affect. Gives the first and the last start of what has changed.
std::optional<Stretch> Ingestion::settle_anew(const Incoming& incoming, Merged& merged,
                                              Instant first, Instant last) {
  const auto& series = incoming.series;
  auto& versions = merged.versions;
  const auto around = surroundings_of(series.kind, first, last);
  if (around && judge_among_others(series.kind, versions, *around)) {
    // Whether a value is implausible affects the values that it overlaps.
    for (std::size_t i = 0; i < versions.size(); ++i) {
      if (merged.was[i].is_new || versions[i].flags == merged.was[i].flags) continue;
      first = std::min(first, versions[i].start);
      last = std::max(last, versions[i].start);
    }
  }
  const auto chain = chain_of(versions, first, last, series.longest);
  const auto begin =
      std::partition_point(versions.begin(), versions.end(),
                           [&](const ValueVersion& v) { return v.start < chain.start; });
  const auto end = std::partition_point(begin, versions.end(), [&](const ValueVersion& v) {
    return v.start < chain.end || v.start <= last;
  });
  for (auto version = begin; version != end; ++version)
    version->state = state_before_settling(*version);
  settle({begin, end});
  return note_changes(incoming, merged, static_cast<std::size_t>(begin - versions.begin()),
                      static_cast<std::size_t>(end - versions.begin()));
}

// Merges stored and new values, in their order.
Ingestion::Merged Ingestion::put_together(std::int64_t meter_id, std::vector<ValueVersion>& stored,
                                          const std::vector<ValueVersion>& versions) {
  Merged merged;
  merged.versions.reserve(stored.size() + versions.size());
  merged.was.reserve(stored.size() + versions.size());
  auto next = stored.begin();
  const auto take_stored = [&](auto until) {
    for (; next != stored.end() && until(*next); ++next) {
      merged.was.push_back({next->state, next->flags, false});
      merged.versions.push_back(*next);
    }
  };
  for (const auto& version : versions) {
    take_stored([&](const ValueVersion& other) { return before(other, version); });
    const bool there = next != stored.end() && place_of(*next) == place_of(version);
    if (there && !restoring_) {
      // It was ingested before, and the recomputation may have broken off. What that did is not
      // known.
      touched_.meters[meter_id].all = true;
      continue;
    }
    if (there && says_the_same(*next, version)) continue;
    if (restoring_) ++restored_;
    if (there) {
      next->value = version.value;
      next->flags = (next->flags & kJudgedFlags) | (version.flags & ~kJudgedFlags);
      merged.differs = true;
      continue;
    }
    merged.was.push_back({MeasurementState::unusable, 0, true});
    merged.versions.push_back(version);
  }
  take_stored([](const ValueVersion&) { return true; });
  return merged;
}

std::map<std::int64_t, std::vector<ValueVersion>> Ingestion::values() const {
  std::map<std::int64_t, std::vector<ValueVersion>> result;
  for (const auto& [series_id, incoming] : incoming_) result.emplace(series_id, incoming.versions);
  return result;
}

Result<Ok> Ingestion::remove(std::int64_t meter_id, const std::string& tenant, Series series,
                             std::vector<ValueVersion> gone) {
  touched_.meters[meter_id].tenant = tenant;
  std::sort(gone.begin(), gone.end(), before);
  Incoming incoming{std::move(series), meter_id, {}};
  for (auto begin = gone.begin(); begin != gone.end();) {
    auto end = begin + 1;
    while (end != gone.end() && end->start - std::prev(end)->start <= kApart) ++end;
    DISTRICT_CHECK(remove_stretch(incoming, {begin, end}));
    begin = end;
  }
  return store_.add_counts(counts_);
}

// Without the values that are gone, others may be judged otherwise, and values that they overlapped
// may count.
Result<Ok> Ingestion::remove_stretch(Incoming& incoming, std::span<const ValueVersion> gone) {
  auto& series = incoming.series;
  const auto first = gone.front().start, last = gone.back().start;
  DISTRICT_TRY(auto page, page_around(series, first, last));
  auto& stretches = touched_.meters[incoming.meter_id].series[series.series_id];
  Merged merged;
  for (const auto& version : page.versions) {
    if (!std::binary_search(gone.begin(), gone.end(), version, before)) {
      merged.was.push_back({version.state, version.flags, false});
      merged.versions.push_back(version);
      continue;
    }
    --counts_[std::string("state ") + name_of(version.state)];
    for (const auto& rule : rules())
      if ((version.flags & rule.flag) != 0) --counts_["rule " + std::string(rule.name)];
    stretches.add(stretch_of(version.start, version.end));
  }
  const auto changed = settle_anew(incoming, merged, first, last);
  page.versions = std::move(merged.versions);
  return store_.put_page(series, page, changed ? std::min(changed->start, first) : first,
                         changed ? std::max(changed->end, last) : last);
}

// Counts and notes what has changed among [begin, end). Gives the first and the last start of it.
std::optional<Stretch> Ingestion::note_changes(const Incoming& incoming, const Merged& merged,
                                               std::size_t begin, std::size_t end) {
  std::optional<Stretch> changed;
  auto& stretches = touched_.meters[incoming.meter_id].series;
  for (auto i = begin; i < end; ++i) {
    const auto& version = merged.versions[i];
    const auto& was = merged.was[i];
    const bool same = version.state == was.state && version.flags == was.flags;
    if (!was.is_new && same && !merged.differs) continue;
    if (!changed) changed = stretch_of(version.start, version.start);
    changed->end = version.start;
    count_change(version, was);
    // A value that was sent again changes no KPI.
    if (was.is_new && version.state == MeasurementState::duplicate) continue;
    stretches[incoming.series.series_id].add(stretch_of(version.start, version.end));
  }
  return changed;
}

void Ingestion::count_change(const ValueVersion& version, const Before& was) {
  if (!was.is_new) --counts_[std::string("state ") + name_of(was.state)];
  ++counts_[std::string("state ") + name_of(version.state)];
  if (((version.flags | was.flags) & kRuleFlags) == 0) return;
  for (const auto& rule : rules()) {
    const int change = ((version.flags & rule.flag) != 0) - ((was.flags & rule.flag) != 0);
    if (change != 0) counts_["rule " + std::string(rule.name)] += change;
  }
}

Result<Ok> Ingestion::take_facts(const Batch& batch, const Origin& origin) {
  std::map<std::int64_t, std::vector<const MasterFact*>> facts;
  for (const auto& fact : batch.master_facts) {
    DISTRICT_TRY(const auto meter_id, meter_of(batch.tenant, fact.source, fact.meter));
    facts[meter_id].push_back(&fact);
  }
  for (const auto& [meter_id, of_meter] : facts)
    DISTRICT_CHECK(take_facts(meter_id, batch.tenant, origin, of_meter));
  return Ok{};
}

// All statements of a batch on one meter. What is known of it is read once before and once after.
Result<Ok> Ingestion::take_facts(std::int64_t meter_id, const std::string& tenant,
                                 const Origin& origin,
                                 const std::vector<const MasterFact*>& facts) {
  DISTRICT_TRY(auto earlier, store_.facts(meter_id));
  bool relevant = false;
  std::set<std::string_view> references;
  for (const auto* fact : facts) {
    DISTRICT_CHECK(store_.put_fact(meter_id, *fact, origin));
    relevant = relevant || kpi::matters(fact->attribute);
    if (std::ranges::find(kReferences, fact->attribute) != kReferences.end())
      references.insert(fact->attribute);
  }
  for (const auto attribute : references) DISTRICT_CHECK(store_.put_link(meter_id, attribute));
  if (!relevant) return Ok{};
  DISTRICT_TRY(const auto now, store_.facts(meter_id));
  // If the envelope was ingested before, the recomputation may have broken off. What that did is
  // not known.
  const bool again = std::erase_if(earlier, [&origin](const StoredFact& stored) {
                       return stored.origin.leaf_index == origin.leaf_index;
                     }) > 0;
  const kpi::MasterData before(earlier), after(now);
  if (!again && before.says_the_same(after)) return Ok{};
  touched_.all(meter_id, tenant);
  // The windows of a replaced meter end where those of its successor begin, at the register reading
  // that the successor's master data state.
  for (const auto* master : {&before, &after}) {
    if (auto replaced = master->latest("replaces_meter"))
      DISTRICT_CHECK(touch_replaced({tenant, facts.front()->source, *std::move(replaced)}));
  }
  return Ok{};
}

Result<Ok> Ingestion::touch_replaced(const MeterKey& replaced) {
  DISTRICT_TRY(const auto meter_id, store_.find_meter(replaced));
  if (meter_id) touched_.all(*meter_id, replaced.tenant);
  return Ok{};
}

}  // namespace district::series
