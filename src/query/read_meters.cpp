// /sites, /meters, /series
#include <algorithm>
#include <set>

#include "kpi/master_data.h"
#include "query/measurement_row.h"
#include "query/meter_page.h"
#include "store/series_reader.h"

namespace district::query {
namespace {

constexpr std::string_view kAtSite = "at_site";
// Attributes that only sites and buildings have.
constexpr std::array<std::string_view, 5> kOfSites{"site_name", "address", "site_zone",
                                                   "building_use", "construction_year"};

// What is known of a meter or of a site. Master data keep a site like a meter.
struct Known {
  MeterKey key;
  std::vector<Series> series;
  std::vector<StoredFact> facts;
  std::vector<std::string> meters_at;  // only of a site

  bool is_site() const {
    return series.empty() &&
           (!meters_at.empty() || std::ranges::any_of(facts, [](const auto& stated) {
             return std::ranges::find(kOfSites, stated.fact.attribute) != kOfSites.end();
           }));
  }
};

Result<std::vector<std::string>> meters_at(store::SeriesReader& store, const MeterKey& site) {
  std::vector<std::string> meters;
  if (site.meter.empty()) return meters;
  DISTRICT_TRY(const auto ids,
               store.meters_that_state(site.tenant, std::string(kAtSite), site.meter));
  for (const auto id : ids) {
    DISTRICT_TRY(const auto key, store.meter_key(id));
    if (key.source == site.source) meters.push_back(key.meter.empty() ? key.source : key.meter);
  }
  std::ranges::sort(meters);
  return meters;
}

Result<Known> known_of(store::SeriesReader& store, const store::StoredMeter& meter) {
  Known known{meter.key, {}, {}, {}};
  DISTRICT_TRY(known.series, store.series_of(meter.meter_id));
  DISTRICT_TRY(known.facts, store.facts(meter.meter_id));
  if (known.series.empty()) {
    DISTRICT_TRY(known.meters_at, meters_at(store, meter.key));
  }
  return known;
}

// What master data say as of the instant.
Json attributes_at(const std::vector<StoredFact>& facts, Instant at) {
  const kpi::MasterData data(facts);
  Json attributes = Json::object();
  for (const auto& stated : facts) {
    const auto& name = stated.fact.attribute;
    const auto value = data.text(name, at);
    if (value && !attributes.contains(name)) attributes[name] = *value;
  }
  return attributes;
}

Result<Instant> at_of(const Question& question) {
  DISTRICT_TRY(const auto at, question.instant("at"));
  return at.value_or(question.now);
}

// A place among the rows of a meter: the number of rows before it.
struct Place {
  std::size_t given = 0;

  static Place from(const Json& after) { return {after.at(1).get<std::size_t>()}; }
  Json next(const MeterKey& meter) const { return {to_json(meter), given}; }
};

// Fills a page with the rows of each meter.
template <typename RowsOf>
Result<RowPage> read_each(const Question& question, RowsOf rows_of) {
  store::SeriesReader store(question.series);
  MeterPage<Place> page(question);
  return page.fill([&](const store::StoredMeter& meter) -> Result<Ok> {
    DISTRICT_TRY(auto rows, rows_of(store, meter));
    const std::size_t given = page.after().value_or(Place{}).given;
    for (std::size_t i = std::min(given, rows.size()); i < rows.size(); ++i) {
      if (!page.has_room()) break;
      page.add(std::move(rows[i]), {i + 1});
    }
    return Ok{};
  });
}

Row row_of(const Question& question, const MeterKey& key, const Series& series) {
  return {key.tenant,
          key.source,
          key.meter,
          series.quantity,
          name_of(series.kind),
          series.unit,
          question.spell(series.last_start)};
}

}  // namespace

Result<RowPage> read_sites(const Question& question) {
  DISTRICT_TRY(const auto at, at_of(question));
  return read_each(question, [&](auto& store, const auto& meter) -> Result<std::vector<Row>> {
    DISTRICT_TRY(const auto known, known_of(store, meter));
    if (!known.is_site()) return std::vector<Row>{};
    const auto& key = known.key;
    return std::vector<Row>{
        {key.tenant, key.source, key.meter, known.meters_at, attributes_at(known.facts, at)}};
  });
}

Result<RowPage> read_meters(const Question& question) {
  DISTRICT_TRY(const auto at, at_of(question));
  return read_each(question, [&](auto& store, const auto& meter) -> Result<std::vector<Row>> {
    DISTRICT_TRY(const auto known, known_of(store, meter));
    if (known.is_site()) return std::vector<Row>{};
    std::set<std::string> quantities;
    for (const auto& series : known.series) quantities.insert(series.quantity);
    const auto& key = known.key;
    return std::vector<Row>{
        {key.tenant, key.source, key.meter, quantities, attributes_at(known.facts, at)}};
  });
}

Result<RowPage> read_series(const Question& question) {
  const auto quantity = question.parameters.text("quantity");
  return read_each(question, [&](auto& store, const auto& meter) -> Result<std::vector<Row>> {
    DISTRICT_TRY(const auto all, store.series_of(meter.meter_id));
    std::vector<Row> rows;
    for (const auto& series : all) {
      if (!quantity || series.quantity == *quantity) {
        rows.push_back(row_of(question, meter.key, series));
      }
    }
    return rows;
  });
}

}  // namespace district::query
