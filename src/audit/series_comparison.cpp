#include "audit/series_comparison.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "audit/meter_rows.h"
#include "store/inventory.h"
#include "store/stored_form.h"

namespace district::audit {

Result<Ok> SeriesComparison::run() {
  const auto all = replayed_series_.meters();
  std::uint64_t done = 0;
  for (const auto& meter : all) {
    const auto compared = compare_meter(meter);
    if (!compared && compared.error().code != ErrorCode::archive_corrupt) return compared;
    if (!compared) {
      report_.differences.push_back({DifferenceKind::measurement,
                                     {},
                                     name_of(meter),
                                     "cannot be read: " + compared.error().detail,
                                     ""});
    }
    progress_("comparing meters", ++done, all.size());
  }
  if (!replayed_series_.is_everything()) return Ok{};
  DISTRICT_CHECK(compare_counts());
  DISTRICT_CHECK(check_places());
  const auto compared = compare_registry(all);
  if (compared || compared.error().code != ErrorCode::archive_corrupt) return compared;
  report_.differences.push_back(
      {DifferenceKind::registry, {}, "", "cannot be read: " + compared.error().detail, ""});
  return Ok{};
}

template <typename Value>
void SeriesComparison::keep_selected(std::vector<Value>& values) const {
  if (replayed_series_.is_everything()) return;
  std::erase_if(values, [this](const Value& value) {
    return !replayed_series_.was_replayed(value.origin.leaf_index);
  });
}

Result<Ok> SeriesComparison::compare_meter(const MeterKey& meter) {
  {
    DISTRICT_TRY(auto replayed, replayed_.measurements(filter_of(meter)));
    DISTRICT_TRY(auto recorded, recorded_measurements(meter, replayed));
    keep_selected(recorded);
    keep_selected(replayed);
    report_.measurements += replayed.size();
    add(compare_measurements(recorded, replayed, replayed_series_.is_everything()));
  }
  DISTRICT_TRY(auto recorded, facts_of(recorded_, meter));
  DISTRICT_TRY(auto replayed, facts_of(replayed_, meter));
  keep_selected(recorded);
  keep_selected(replayed);
  report_.master_facts += replayed.size();
  add(compare_facts(meter, recorded, replayed));
  return compare_kpis_of(meter);
}

Result<Ok> SeriesComparison::compare_kpis_of(const MeterKey& meter) {
  store::KpiFilter filter;
  filter.tenant = meter.tenant;
  filter.source = meter.source;
  filter.meter = meter.meter;
  DISTRICT_TRY(auto replayed, replayed_.kpis(filter));
  DISTRICT_TRY(const auto recorded, recorded_kpis(filter, replayed));
  report_.kpis += replayed.size();
  std::vector<std::pair<const KpiValue*, const KpiValue*>> different;
  compare_kpis(recorded, replayed, [&different](const KpiValue* before, const KpiValue* now) {
    different.emplace_back(before, now);
  });
  for (const auto& [before, now] : different) {
    DISTRICT_TRY(auto receipt_ids, contributors(now != nullptr ? *now : *before));
    if (receipt_ids) report_.differences.push_back(describe(before, now, *std::move(receipt_ids)));
  }
  return Ok{};
}

// The envelopes that a value came from; nullopt when none of them was selected.
Result<std::optional<std::vector<std::string>>> SeriesComparison::contributors(
    const KpiValue& kpi) {
  DISTRICT_TRY(const auto origins, replayed_series_.origins_of(kpi));
  const bool concerned = replayed_series_.is_everything() || origins.empty() ||
                         std::any_of(origins.begin(), origins.end(), [this](const auto& origin) {
                           return replayed_series_.was_replayed(origin.leaf_index);
                         });
  if (!concerned) return std::nullopt;
  std::vector<std::string> receipt_ids;
  for (const auto& origin : origins) receipt_ids.push_back(origin.receipt_id);
  return std::optional(std::move(receipt_ids));
}

void SeriesComparison::add(std::vector<Difference> differences) {
  std::move(differences.begin(), differences.end(), std::back_inserter(report_.differences));
}

// When a row is damaged, all are read one by one. Those that cannot be read are differences, and
// are taken out of `replayed`, so that they are not reported twice.
Result<std::vector<Measurement>> SeriesComparison::recorded_measurements(
    const MeterKey& meter, std::vector<Measurement>& replayed) {
  auto all = recorded_.measurements(filter_of(meter));
  if (all || all.error().code != ErrorCode::archive_corrupt) return all;
  std::vector<Measurement> readable;
  std::vector<Measurement> compared;
  for (auto& measurement : replayed) {
    auto filter = filter_of(meter);
    filter.leaf_index = measurement.origin.leaf_index;
    filter.quantity = measurement.observation.quantity;
    filter.from = measurement.observation.start;
    filter.to = *filter.from + Duration{1};
    auto one = recorded_.measurements(filter);
    if (one) {
      std::move(one->begin(), one->end(), std::back_inserter(readable));
      compared.push_back(std::move(measurement));
      continue;
    }
    if (one.error().code != ErrorCode::archive_corrupt) return one;
    report_.differences.push_back(unreadable(measurement, one.error()));
  }
  replayed = std::move(compared);
  return readable;
}

Result<std::vector<KpiValue>> SeriesComparison::recorded_kpis(const store::KpiFilter& of_meter,
                                                              std::vector<KpiValue>& replayed) {
  auto all = recorded_.kpis(of_meter);
  if (all || all.error().code != ErrorCode::archive_corrupt) return all;
  std::vector<KpiValue> readable;
  std::vector<KpiValue> compared;
  for (auto& kpi : replayed) {
    auto filter = of_meter;
    filter.kpi = kpi.kpi;
    filter.window = kpi.window;
    filter.from = kpi.start;
    filter.to = kpi.start + Duration{1};
    auto one = recorded_.kpis(filter);
    if (one) {
      std::move(one->begin(), one->end(), std::back_inserter(readable));
      compared.push_back(std::move(kpi));
      continue;
    }
    if (one.error().code != ErrorCode::archive_corrupt) return one;
    DISTRICT_TRY(auto receipt_ids, contributors(kpi));
    if (!receipt_ids) continue;
    auto difference = describe(nullptr, &kpi, *std::move(receipt_ids));
    difference.recorded = "cannot be read: " + one.error().detail;
    report_.differences.push_back(std::move(difference));
  }
  replayed = std::move(compared);
  return readable;
}

// Both must have the same meters with the same series, and the same envelopes that gave values.
Result<Ok> SeriesComparison::compare_registry(const std::vector<MeterKey>& meters) {
  Named before, now;
  const auto add_meters = [&meters](store::SeriesReader& store, Named& named) -> Result<Ok> {
    for (const auto& meter : meters) {
      DISTRICT_TRY(const auto id, store.find_meter(meter));
      if (!id) continue;
      named.emplace(name_of(meter), "a meter");
      DISTRICT_TRY(const auto all_series, store.series_of(*id));
      for (const auto& series : all_series) {
        named.emplace(name_of(meter) + ", " + series.quantity + " in " + series.unit + ", " +
                          name_of(series.kind),
                      "a series");
      }
    }
    return Ok{};
  };
  const auto add_origins = [](store::SeriesDatabase& database, Named& named) -> Result<Ok> {
    const auto text_of = [](const std::optional<Instant>& at) {
      return at ? format_instant(*at) : std::string("none");
    };
    DISTRICT_TRY(const auto origins, store::all_origins(database));
    for (const auto& [origin, tenant, first, last] : origins) {
      named.emplace("leaf " + std::to_string(origin.leaf_index),
                    origin.receipt_id + " of tenant " + tenant + ", received " +
                        format_instant(origin.received_at) + ", values from " + text_of(first) +
                        " to " + text_of(last));
    }
    return Ok{};
  };
  DISTRICT_CHECK(add_meters(recorded_, before));
  DISTRICT_CHECK(add_meters(replayed_, now));
  DISTRICT_CHECK(add_origins(recorded_database_, before));
  DISTRICT_CHECK(add_origins(replayed_series_.database(), now));
  add(compare_named(DifferenceKind::registry, before, now));
  for (const auto& [leaf_index, failure] : replayed_series_.failures_left()) {
    report_.differences.push_back({DifferenceKind::failure,
                                   {failure.origin.receipt_id},
                                   "leaf " + std::to_string(leaf_index),
                                   "could not be quantified: " + failure.reason,
                                   ""});
  }
  return Ok{};
}

Result<Ok> SeriesComparison::compare_counts() {
  const auto named = [](const store::SeriesCounts& counts) {
    Named texts;
    const auto add = [&texts](const std::string& what, std::uint64_t number) {
      if (number != 0) texts.emplace(what, std::to_string(number));
    };
    for (const auto& [state, number] : counts.measurements)
      add(std::string("values ") + name_of(state), number);
    for (const auto& [rule, number] : counts.rules) add("rule " + rule, number);
    return texts;
  };
  DISTRICT_TRY(const auto before, recorded_.counts());
  DISTRICT_TRY(const auto now, replayed_.counts());
  add(compare_named(DifferenceKind::count, named(before), named(now)));
  return Ok{};
}

Result<Ok> SeriesComparison::check_places() {
  DISTRICT_TRY(auto problems, recorded_database_.damages());
  for (auto& problem : problems) {
    report_.differences.push_back(
        {DifferenceKind::place, {}, recorded_database_.name(), std::move(problem), "intact"});
  }
  DISTRICT_TRY(auto misplaced, store::misplaced_rows(recorded_database_));
  for (auto& [where, what] : misplaced) {
    report_.differences.push_back(
        {DifferenceKind::place, {}, std::move(where), std::move(what), "a place of its own"});
  }
  return Ok{};
}

}  // namespace district::audit
