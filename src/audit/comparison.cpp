#include "audit/comparison.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <map>
#include <tuple>
#include <utility>

namespace district::audit {
namespace {

template <typename Value>
using Pairs = std::vector<std::pair<const Value*, const Value*>>;

// Pairs the values of both lists by key. A pointer is null when a list has none, or fewer than the
// other.
template <typename Value, typename KeyOf>
Pairs<Value> paired(const std::vector<Value>& recorded, const std::vector<Value>& replayed,
                    KeyOf key_of) {
  using Values = std::vector<const Value*>;
  std::map<decltype(key_of(recorded.front())), std::pair<Values, Values>> by_key;
  for (const auto& value : recorded) by_key[key_of(value)].first.push_back(&value);
  for (const auto& value : replayed) by_key[key_of(value)].second.push_back(&value);
  Pairs<Value> pairs;
  for (const auto& [key, values] : by_key) {
    const auto& [before, now] = values;
    for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
      pairs.emplace_back(i < before.size() ? before[i] : nullptr,
                         i < now.size() ? now[i] : nullptr);
    }
  }
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

std::string describe(const Measurement* measurement) {
  if (measurement == nullptr) return {};
  const auto& observation = measurement->observation;
  return exact(observation.value) + " " + observation.unit + ", " + name_of(measurement->state) +
         flags_of(observation.flags) + ", received " +
         format_instant(measurement->origin.received_at);
}

bool same(const Measurement& a, const Measurement& b, std::uint32_t flags) {
  return same_bits(a.observation.value, b.observation.value) && a.state == b.state &&
         (a.observation.flags & flags) == (b.observation.flags & flags) && a.origin == b.origin;
}

std::string place_of(const Measurement& measurement) {
  const auto& observation = measurement.observation;
  auto place = name_of(measurement.meter) + ", " + observation.quantity + " of " +
               format_instant(observation.start, 0);
  if (observation.end != observation.start) place += " to " + format_instant(observation.end, 0);
  return place + ", message " + std::to_string(observation.message_index);
}

std::string describe(const StoredFact* fact) {
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
    case DifferenceKind::replay_key:
      return "replay key";
    case DifferenceKind::failure:
      return "failure";
    case DifferenceKind::registry:
      return "registry";
    case DifferenceKind::count:
      return "count";
    case DifferenceKind::place:
      return "place";
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

std::vector<Difference> compare_measurements(const std::vector<Measurement>& recorded,
                                             const std::vector<Measurement>& replayed,
                                             bool with_unknown_source) {
  const std::uint32_t flags = with_unknown_source ? ~0U : ~std::uint32_t{flag_unknown_source};
  const auto pairs = paired(recorded, replayed, [](const Measurement& m) {
    const auto& o = m.observation;
    return std::make_tuple(o.quantity, o.start, o.end, m.origin.leaf_index, o.message_index, o.unit,
                           o.kind);
  });
  std::vector<Difference> differences;
  for (const auto& [before, now] : pairs) {
    if (before != nullptr && now != nullptr && same(*before, *now, flags)) continue;
    // Either will do, since the replay takes the origin of a value from the archive.
    const auto& one = now != nullptr ? *now : *before;
    differences.push_back({DifferenceKind::measurement,
                           {one.origin.receipt_id},
                           place_of(one),
                           describe(before),
                           describe(now)});
  }
  return differences;
}

Difference unreadable(const Measurement& replayed, const Error& error) {
  return {DifferenceKind::measurement,
          {replayed.origin.receipt_id},
          place_of(replayed),
          "cannot be read: " + error.detail,
          describe(&replayed)};
}

std::vector<Difference> compare_facts(const MeterKey& meter,
                                      const std::vector<StoredFact>& recorded,
                                      const std::vector<StoredFact>& replayed) {
  const auto pairs = paired(recorded, replayed, [](const StoredFact& stored) {
    return std::make_tuple(stored.fact.attribute, stored.fact.valid_from, stored.origin.leaf_index,
                           stored.fact.message_index);
  });
  std::vector<Difference> differences;
  for (const auto& [before, now] : pairs) {
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

std::vector<Difference> compare_named(DifferenceKind kind, const Named& recorded,
                                      const Named& replayed) {
  std::vector<Difference> differences;
  const auto text_of = [](const Named& all, const std::string& name) {
    const auto found = all.find(name);
    return found == all.end() ? std::string() : found->second;
  };
  auto names = replayed;
  names.insert(recorded.begin(), recorded.end());
  for (const auto& [name, text] : names) {
    auto before = text_of(recorded, name), now = text_of(replayed, name);
    if (before != now) differences.push_back({kind, {}, name, std::move(before), std::move(now)});
  }
  return differences;
}

void compare_kpis(const std::vector<KpiValue>& recorded, const std::vector<KpiValue>& replayed,
                  const KpiDifference& each) {
  const auto pairs = paired(recorded, replayed, [](const KpiValue& kpi) {
    return std::make_tuple(kpi.meter, kpi.kpi, kpi.window, kpi.start);
  });
  for (const auto& [before, now] : pairs) {
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
