#include "quantify/kpi_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace district::quantify {
namespace {

using store::PackedKpi;

bool same_value(const PackedKpi& a, const PackedKpi& b) {
  if (!a.value || !b.value) return a.value.has_value() == b.value.has_value();
  return std::bit_cast<std::uint64_t>(*a.value) == std::bit_cast<std::uint64_t>(*b.value);
}

}  // namespace

Result<KpiRows::Loaded*> KpiRows::load(WindowKind kind, Instant start) {
  const ChunkKey key(kind, store::kpi_chunk_of(kind, start));
  if (const auto found = loaded_.find(key); found != loaded_.end()) return &found->second;
  Loaded loaded;
  DISTRICT_TRY(loaded.chunk, store_.kpi_chunk(meter_id_, key.first, key.second));
  visited_.insert(key);
  return &loaded_.emplace(key, std::move(loaded)).first->second;
}

Result<bool> KpiRows::has_any(std::span<const kpi::KpiDefinition* const> kpis,
                              const kpi::Window& window) {
  DISTRICT_TRY(const auto* loaded, load(window.kind, window.start));
  const auto found = loaded->chunk.windows.find(window.start);
  if (found == loaded->chunk.windows.end()) return false;
  for (const auto& packed : found->second.kpis) {
    DISTRICT_TRY(const auto name, store_.kpi_name(packed.kpi_id));
    for (const auto* kpi : kpis)
      if (kpi->id == name.name) return true;
  }
  return false;
}

Result<Ok> KpiRows::put(const kpi::Window& window, std::vector<ComputedKpi> computed) {
  DISTRICT_TRY(auto* loaded, load(window.kind, window.start));
  auto& row = loaded->chunk.windows[window.start];
  if (row.end != window.end) loaded->changed = true;
  row.end = window.end;
  std::set<std::string_view> absent;
  for (auto& one : computed) {
    if (!one.figure.applies) {
      absent.insert(one.definition->id);
      continue;
    }
    DISTRICT_CHECK(put_figure(*loaded, window, *one.definition, std::move(one.figure)));
  }
  return absent.empty() ? Result<Ok>(Ok{}) : remove(*loaded, window.start, absent);
}

Result<Ok> KpiRows::put_figure(Loaded& loaded, const kpi::Window& window,
                               const kpi::KpiDefinition& kpi, kpi::Figure figure) {
  // A sum of values near the largest double may overflow. No value is better than an infinite one.
  if (figure.value && !std::isfinite(*figure.value)) {
    figure.value.reset();
    figure.attributes.emplace("overflow", "true");
  }
  PackedKpi packed;
  const auto unit = figure.unit.empty() ? std::string(kpi.unit) : figure.unit;
  DISTRICT_TRY(packed.kpi_id, store_.kpi_id(std::string(kpi.id), unit));
  packed.value = figure.value;
  packed.completeness = figure.completeness;
  packed.status = figure.status;
  packed.computed_at = computed_at_;
  packed.attributes.assign(figure.attributes.begin(), figure.attributes.end());
  if (touched_.is_cleared(window.start, window.end))
    loaded.fresh.emplace(window.start, packed.kpi_id);

  auto& row = loaded.chunk.windows[window.start].kpis;
  auto place = std::partition_point(
      row.begin(), row.end(), [&](const PackedKpi& other) { return other.kpi_id < packed.kpi_id; });
  const bool there = place != row.end() && place->kpi_id == packed.kpi_id;
  if (there && place->says_the_same(packed)) return Ok{};
  loaded.changed = true;
  if (there) {
    packed.revision = place->revision + (same_value(*place, packed) ? 0 : 1);
    *place = std::move(packed);
    return Ok{};
  }
  // Some KPIs have no unit of their own. In another unit it is still the same KPI, and is replaced.
  for (auto other = row.begin(); other != row.end() && kpi.unit.empty(); ++other) {
    DISTRICT_TRY(const auto name, store_.kpi_name(other->kpi_id));
    if (name.name != kpi.id) continue;
    packed.revision = other->revision + (same_value(*other, packed) ? 0 : 1);
    row.erase(other);
    break;
  }
  place = std::partition_point(
      row.begin(), row.end(), [&](const PackedKpi& other) { return other.kpi_id < packed.kpi_id; });
  row.insert(place, std::move(packed));
  return Ok{};
}

Result<Ok> KpiRows::remove(Loaded& loaded, Instant start,
                           const std::set<std::string_view>& absent) {
  auto& row = loaded.chunk.windows[start].kpis;
  for (auto packed = row.begin(); packed != row.end();) {
    DISTRICT_TRY(const auto name, store_.kpi_name(packed->kpi_id));
    const bool gone = absent.contains(name.name);
    loaded.changed = loaded.changed || gone;
    packed = gone ? row.erase(packed) : packed + 1;
  }
  return Ok{};
}

Result<Ok> KpiRows::write_until(Instant done_until) { return write(done_until); }

Result<Ok> KpiRows::write_rest() {
  DISTRICT_CHECK(write(std::nullopt));
  return touched_.all || touched_.cleared ? remove_unvisited() : Result<Ok>(Ok{});
}

// Without an instant, all chunks.
Result<Ok> KpiRows::write(std::optional<Instant> done_until) {
  for (auto at = loaded_.begin(); at != loaded_.end();) {
    const auto& [kind, chunk] = at->first;
    if (done_until &&
        (!kpi::by_calendar(kind) || chunk >= store::kpi_chunk_of(kind, *done_until))) {
      ++at;
      continue;
    }
    DISTRICT_CHECK(write(at->second));
    at = loaded_.erase(at);
  }
  return Ok{};
}

Result<Ok> KpiRows::write(Loaded& loaded) {
  remove_stale_rows(loaded);
  return loaded.changed ? store_.put_kpi_chunk(meter_id_, loaded.chunk) : Result<Ok>(Ok{});
}

Result<Ok> KpiRows::remove_unvisited() {
  DISTRICT_TRY(const auto chunks, store_.kpi_chunks(meter_id_));
  for (const auto& [kind, chunk] : chunks) {
    if (visited_.contains({kind, chunk})) continue;
    Loaded loaded;
    DISTRICT_TRY(loaded.chunk, store_.kpi_chunk(meter_id_, kind, chunk));
    DISTRICT_CHECK(write(loaded));
  }
  return Ok{};
}

// Removes values of cleared windows that were stored before and have not been computed now: if all
// that is known had been known from the start, they would never have been stored.
void KpiRows::remove_stale_rows(Loaded& loaded) const {
  for (auto row = loaded.chunk.windows.begin(); row != loaded.chunk.windows.end();) {
    if (touched_.is_cleared(row->first, row->second.end)) {
      loaded.changed |= std::erase_if(row->second.kpis, [&](const PackedKpi& kpi) {
                          return !loaded.fresh.contains({row->first, kpi.kpi_id});
                        }) > 0;
    }
    row = row->second.kpis.empty() ? loaded.chunk.windows.erase(row) : std::next(row);
  }
}

}  // namespace district::quantify
