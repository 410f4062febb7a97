// /kpis, /quality, /kpis/inputs, /kpis/catalogue
#include <algorithm>
#include <tuple>

#include "kpi/catalogue.h"
#include "quantify/engine.h"
#include "query/measurement_row.h"
#include "query/meter_page.h"
#include "store/series_reader.h"

namespace district::query {
namespace {

using store::PackedKpi;

struct Filter {
  std::optional<std::string> kpi;
  std::optional<WindowKind> window;
  std::optional<Instant> from, to;  // of the window's start, half-open
  bool quality_only = false;

  bool takes_chunk(WindowKind kind, std::int64_t number) const {
    return (!window || *window == kind) && (!from || number >= store::kpi_chunk_of(kind, *from)) &&
           (!to || number <= store::kpi_chunk_of(kind, *to));
  }
  bool takes_window(Instant start) const {
    return (!from || start >= *from) && (!to || start < *to);
  }
};

Result<Filter> filter_of(const Question& question) {
  Filter filter;
  filter.kpi = question.parameters.text("kpi");
  if (filter.kpi)
    DISTRICT_CHECK(kpi::check_name(*filter.kpi, "GET /api/v1/kpis/catalogue shows all"));
  if (const auto window = question.parameters.text("window")) {
    filter.window = window_kind_of(*window);
  }
  DISTRICT_TRY(const auto span, question.span());
  filter.from = span.from;
  filter.to = span.to;
  return filter;
}

bool is_quality(std::string_view kpi) {
  using kpi::Family;
  return std::ranges::any_of(kpi::catalogue(), [kpi](const auto& entry) {
    const bool quality = entry.family == Family::interval_quality ||
                         entry.family == Family::sampled_quality ||
                         entry.family == Family::register_quality;
    return quality && entry.id == kpi;
  });
}

// The place of a value among those of its meter. Within a window values are ordered by name, since
// a KPI that is added may change any other order.
struct Place {
  int window = -1;
  std::int64_t start = 0;  // microseconds
  std::string kpi;         // empty: before all KPIs of the window

  static Place from(const Json& after) {
    return {after.at(1).get<int>(), after.at(2).get<std::int64_t>(),
            after.at(3).get<std::string>()};
  }
  Json next(const MeterKey& meter) const { return {to_json(meter), window, start, kpi}; }
};

Row row_of(const Question& question, const MeterKey& meter, const std::string& kpi,
           const std::string& unit, WindowKind kind, Instant start, Instant end,
           const PackedKpi& packed) {
  Json attributes = Json::object();
  for (const auto& [name, value] : packed.attributes) attributes[name] = value;
  return {meter.tenant,
          meter.source,
          meter.meter,
          kpi,
          name_of(kind),
          question.spell(start),
          question.spell(end),
          packed.value ? Json(*packed.value) : Json(nullptr),
          unit,
          packed.completeness,
          name_of(packed.status),
          packed.revision,
          question.spell(packed.computed_at),
          attributes};
}

// Fills a page with the values of one meter after the other.
class Reader {
 public:
  Reader(const Question& question, Filter filter)
      : question_(question), filter_(std::move(filter)), store_(question.series), page_(question) {}

  Result<RowPage> read() {
    return page_.fill([this](const store::StoredMeter& meter) { return read_meter(meter); });
  }

 private:
  Result<Ok> read_meter(const store::StoredMeter& meter) {
    DISTRICT_TRY(const auto chunks, store_.kpi_chunks(meter.meter_id));
    for (const auto& [kind, number] : chunks) {
      if (page_.ended()) break;
      if (!filter_.takes_chunk(kind, number) || is_before_after(kind, number)) continue;
      if (!page_.may_read()) break;
      DISTRICT_TRY(const auto chunk, store_.kpi_chunk(meter.meter_id, kind, number));
      for (const auto& [start, window] : chunk.windows) {
        if (page_.ended()) break;
        DISTRICT_CHECK(read_window(meter.key, kind, start, window));
      }
    }
    return Ok{};
  }

  bool is_before_after(WindowKind kind, std::int64_t number) const {
    const auto& after = page_.after();
    if (!after) return false;
    const auto place = std::pair(static_cast<int>(kind), number);
    return place < std::pair(after->window, store::kpi_chunk_of(
                                                static_cast<WindowKind>(std::max(after->window, 0)),
                                                from_micros(after->start)));
  }

  Result<Ok> read_window(const MeterKey& meter, WindowKind kind, Instant start,
                         const store::PackedWindow& window) {
    if (!filter_.takes_window(start)) return Ok{};
    const auto& after = page_.after();
    const auto at = std::pair(static_cast<int>(kind), to_micros(start));
    const auto past = after ? std::pair(after->window, after->start) : std::pair(-1, at.second);
    if (at < past) return Ok{};
    auto first = window.kpis.begin();
    if (at == past) {
      for (auto kpi = first; kpi != window.kpis.end(); ++kpi) {
        DISTRICT_TRY(const auto name, store_.kpi_name(kpi->kpi_id));
        if (name.name == after->kpi) first = kpi + 1;
      }
    }
    for (auto kpi = first; kpi != window.kpis.end(); ++kpi) {
      DISTRICT_TRY(const auto name, store_.kpi_name(kpi->kpi_id));
      const Place place{at.first, at.second, name.name};
      const bool wanted = (!filter_.kpi || *filter_.kpi == name.name) &&
                          (!filter_.quality_only || is_quality(name.name));
      if (!wanted) {
        page_.pass(place);
        continue;
      }
      if (!page_.has_room()) return Ok{};
      page_.add(row_of(question_, meter, name.name, name.unit, kind, start, window.end, *kpi),
                place);
    }
    return Ok{};
  }

  const Question& question_;
  const Filter filter_;
  store::SeriesReader store_;
  MeterPage<Place> page_;
};

Result<KpiValue> find_kpi(const Question& question) {
  DISTRICT_TRY(const auto start, question.instant("start"));
  DISTRICT_TRY(const auto tenants, question.tenants());
  store::KpiFilter filter;
  filter.tenant = tenants.front();
  filter.source = question.parameters.text("source");
  filter.meter = question.parameters.text("meter").value_or("");
  filter.kpi = question.parameters.text("kpi");
  filter.window = window_kind_of(question.parameters.text("window").value_or(""));
  filter.from = start;
  filter.to = *start + Duration{1};
  DISTRICT_TRY(auto found, store::SeriesReader(question.series).kpis(filter));
  if (!found.empty()) return std::move(found.front());
  return fail(ErrorCode::not_found, "there is no such KPI value",
              "GET /api/v1/kpis shows those that there are; start is the beginning of its window");
}

quantify::Engine::ZoneLookup zones_of(const Question& question) {
  return [&question](std::string_view code) -> std::optional<std::string> {
    const auto* tenant = question.trust.tenant(code);
    return tenant == nullptr ? std::nullopt : std::optional(tenant->zone);
  };
}

}  // namespace

Result<RowPage> read_kpis(const Question& question) {
  DISTRICT_TRY(auto filter, filter_of(question));
  return Reader(question, std::move(filter)).read();
}

Result<RowPage> read_quality(const Question& question) {
  DISTRICT_TRY(auto filter, filter_of(question));
  filter.quality_only = true;
  return Reader(question, std::move(filter)).read();
}

// All inputs of one KPI are found together, and a page is a part of them.
Result<RowPage> read_kpi_inputs(const Question& question) {
  DISTRICT_TRY(const auto kpi, find_kpi(question));
  quantify::Engine engine(question.series, zones_of(question));
  DISTRICT_TRY(const auto explanation, engine.explain(kpi));
  std::size_t begin = question.after.is_number_unsigned() ? question.after.get<std::size_t>() : 0;
  const auto& inputs = explanation.inputs;
  begin = std::min(begin, inputs.size());
  const auto end = std::min(inputs.size(), begin + question.limit);
  RowPage page;
  for (auto i = begin; i < end; ++i) page.rows.push_back(row_of(question, inputs[i]));
  if (end < inputs.size()) page.next = end;
  return page;
}

Result<RowPage> read_kpi_catalogue(const Question& question) {
  const auto& all = kpi::catalogue();
  const std::size_t begin =
      question.after.is_number_unsigned() ? question.after.get<std::size_t>() : 0;
  const auto end = std::min(all.size(), begin + question.limit);
  RowPage page;
  for (auto i = std::min(begin, all.size()); i < end; ++i) {
    std::vector<std::string> windows;
    for (const auto window : all[i].windows) windows.emplace_back(name_of(window));
    page.rows.push_back({all[i].id, all[i].formula, all[i].unit,
                         kpi::definition_of(all[i].family).name, windows,
                         kpi::text_of(all[i].completeness), all[i].source});
  }
  if (end < all.size()) page.next = end;
  return page;
}

}  // namespace district::query
