#include "audit/comparison.h"

#include <array>
#include <bit>
#include <charconv>
#include <map>
#include <tuple>
#include <utility>

namespace district::audit {
namespace {

// Both lists by key, paired; null where one of them has none.
template <typename Value, typename KeyOf>
auto paired(const std::vector<Value>& recorded, const std::vector<Value>& replayed, KeyOf key_of) {
  std::map<decltype(key_of(recorded.front())), std::pair<const Value*, const Value*>> pairs;
  for (const auto& value : recorded) pairs[key_of(value)].first = &value;
  for (const auto& value : replayed) pairs[key_of(value)].second = &value;
  return pairs;
}

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool same_bits(const std::optional<double>& a, const std::optional<double>& b) {
  return a.has_value() == b.has_value() && (!a || same_bits(*a, *b));
}

std::string flags_of(std::uint32_t flags) {
  std::string text;
  if ((flags & flag_unknown_source) != 0) text += ", unknown source";
  if ((flags & flag_future) != 0) text += ", in the future";
  if ((flags & flag_estimated) != 0) text += ", estimated";
  return text;
}

std::string describe(const store::Measurement* measurement) {
  if (measurement == nullptr) return {};
  const auto& observation = measurement->observation;
  return exact(observation.value) + " " + observation.unit + ", " + name_of(measurement->state) +
         flags_of(observation.flags) + ", received " +
         format_instant(measurement->origin.received_at);
}

bool same(const store::Measurement& a, const store::Measurement& b, std::uint32_t flags) {
  return same_bits(a.observation.value, b.observation.value) && a.state == b.state &&
         (a.observation.flags & flags) == (b.observation.flags & flags) && a.origin == b.origin;
}

std::string place_of(const store::Measurement& measurement) {
  const auto& observation = measurement.observation;
  auto place = name_of(measurement.meter) + ", " + observation.quantity + " of " +
               format_instant(observation.start, 0);
  if (observation.end != observation.start) place += " to " + format_instant(observation.end, 0);
  return place + ", message " + std::to_string(observation.message_index);
}

std::string describe(const store::StoredFact* fact) {
  if (fact == nullptr) return {};
  auto text = fact->fact.value;
  if (fact->fact.valid_to) text += ", until " + format_instant(*fact->fact.valid_to, 0);
  return text;
}

std::string describe(const KpiValue* kpi) {
  if (kpi == nullptr) return {};
  auto text = kpi->value ? exact(*kpi->value) + " " + kpi->unit : std::string("null");
  text += ", " + std::string(name_of(kpi->status)) + ", completeness " + exact(kpi->completeness);
  for (const auto& [name, value] : kpi->attributes) text += ", " + name + " " + value;
  return text;
}

bool same(const KpiValue& a, const KpiValue& b) {
  return same_bits(a.value, b.value) && same_bits(a.completeness, b.completeness) &&
         a.status == b.status && a.unit == b.unit && a.end == b.end && a.attributes == b.attributes;
}

}  // namespace

const char* name_of(DifferenceKind kind) {
  switch (kind) {
    case DifferenceKind::octets:
      return "octets";
    case DifferenceKind::log_entry:
      return "log entry";
    case DifferenceKind::verdict:
      return "verdict";
    case DifferenceKind::sender:
      return "sender";
    case DifferenceKind::content:
      return "content";
    case DifferenceKind::measurement:
      return "measurement";
    case DifferenceKind::master_data:
      return "master data";
    case DifferenceKind::kpi:
      return "KPI";
  }
  return "";
}

std::string exact(double value) {
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string name_of(const MeterKey& meter) {
  auto name = "tenant " + meter.tenant + ", " + meter.source;
  if (!meter.meter.empty()) name += " " + meter.meter;
  return name;
}

std::vector<Difference> compare_measurements(const std::vector<store::Measurement>& recorded,
                                             const std::vector<store::Measurement>& replayed,
                                             bool with_unknown_source) {
  const std::uint32_t flags = with_unknown_source ? ~0U : ~std::uint32_t{flag_unknown_source};
  const auto pairs = paired(recorded, replayed, [](const store::Measurement& m) {
    const auto& o = m.observation;
    return std::make_tuple(o.quantity, o.start, o.end, m.origin.leaf_index, o.message_index, o.unit,
                           o.kind);
  });
  std::vector<Difference> differences;
  for (const auto& [key, pair] : pairs) {
    const auto [before, now] = pair;
    if (before != nullptr && now != nullptr && same(*before, *now, flags)) continue;
    // The replay's origin is that of the archive.
    const auto& one = now != nullptr ? *now : *before;
    differences.push_back({DifferenceKind::measurement,
                           {one.origin.receipt_id},
                           place_of(one),
                           describe(before),
                           describe(now)});
  }
  return differences;
}

Difference unreadable(const store::Measurement& replayed, const Error& error) {
  return {DifferenceKind::measurement,
          {replayed.origin.receipt_id},
          place_of(replayed),
          "cannot be read: " + error.detail,
          describe(&replayed)};
}

std::vector<Difference> compare_facts(const MeterKey& meter,
                                      const std::vector<store::StoredFact>& recorded,
                                      const std::vector<store::StoredFact>& replayed) {
  const auto pairs = paired(recorded, replayed, [](const store::StoredFact& stored) {
    return std::make_tuple(stored.fact.attribute, stored.fact.valid_from, stored.origin.leaf_index,
                           stored.fact.message_index);
  });
  std::vector<Difference> differences;
  for (const auto& [key, pair] : pairs) {
    const auto [before, now] = pair;
    if (before != nullptr && now != nullptr && before->fact.value == now->fact.value &&
        before->fact.valid_to == now->fact.valid_to && before->origin == now->origin) {
      continue;
    }
    const auto& one = now != nullptr ? *now : *before;
    differences.push_back({DifferenceKind::master_data,
                           {one.origin.receipt_id},
                           name_of(meter) + ", " + one.fact.attribute + " from " +
                               format_instant(one.fact.valid_from, 0),
                           describe(before),
                           describe(now)});
  }
  return differences;
}

void compare_kpis(const std::vector<KpiValue>& recorded, const std::vector<KpiValue>& replayed,
                  const KpiDifference& each) {
  const auto pairs = paired(recorded, replayed, [](const KpiValue& kpi) {
    return std::make_tuple(kpi.meter, kpi.kpi, kpi.window, kpi.start);
  });
  for (const auto& [key, pair] : pairs) {
    const auto [before, now] = pair;
    if (before == nullptr || now == nullptr || !same(*before, *now)) each(before, now);
  }
}

Difference describe(const KpiValue* recorded, const KpiValue* replayed,
                    std::vector<std::string> receipt_ids) {
  const auto& one = replayed != nullptr ? *replayed : *recorded;
  return {DifferenceKind::kpi, std::move(receipt_ids),
          name_of(one.meter) + ", " + one.kpi + " of the " + name_of(one.window) + " from " +
              format_instant(one.start, 0) + " to " + format_instant(one.end, 0),
          describe(recorded), describe(replayed)};
}

}  // namespace district::audit
