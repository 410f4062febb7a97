// /measurements
#include <algorithm>
#include <compare>

#include "query/measurement_row.h"
#include "query/meter_page.h"
#include "series/plausibility.h"
#include "store/series_reader.h"

namespace district::query {
namespace {

// Values are read in spans of this length, since the database has them in rows of a month.
constexpr auto kSpan = std::chrono::hours(24 * 31);

struct Filter {
  std::optional<std::string> quantity;
  std::optional<Instant> from, to;  // of the start, half-open
  std::optional<MeasurementState> state;
  std::uint32_t flag = 0;  // 0: all values

  bool takes(const ValueVersion& version) const {
    return (!from || version.start >= *from) && (!to || version.start < *to) &&
           (!state || version.state == *state) && (flag == 0 || (version.flags & flag) != 0);
  }
};

// The place of a value among those of its meter. Instants are in microseconds.
struct Place {
  std::int64_t series_id = 0, start = 0, end = 0;
  std::uint64_t leaf_index = 0;
  std::uint32_t message_index = 0;

  auto operator<=>(const Place&) const = default;

  static Place from(const Json& after) {
    const auto& place = after.at(1);
    return {place.at(0).get<std::int64_t>(), place.at(1).get<std::int64_t>(),
            place.at(2).get<std::int64_t>(), place.at(3).get<std::uint64_t>(),
            place.at(4).get<std::uint32_t>()};
  }
  Json next(const MeterKey& meter) const {
    return {to_json(meter), {series_id, start, end, leaf_index, message_index}};
  }
};

Place place_of(const Series& series, const ValueVersion& version) {
  return {series.series_id, to_micros(version.start), to_micros(version.end), version.leaf_index,
          version.message_index};
}

Result<Filter> filter_of(const Question& question) {
  Filter filter;
  filter.quantity = question.parameters.text("quantity");
  DISTRICT_TRY(const auto span, question.span());
  filter.from = span.from;
  filter.to = span.to;
  const auto rule = question.parameters.text("rule");
  for (const auto& known : series::rules()) {
    if (rule && known.name == *rule) filter.flag = known.flag;
  }
  if (rule && filter.flag == 0) {
    return fail(ErrorCode::admin_invalid, "there is no rule '" + *rule + "'",
                "docs/reference/kpis.md lists the rules of plausibility");
  }
  const auto state = question.parameters.text("state").value_or(rule ? "any" : "current");
  if (state == "any") return filter;
  for (const auto known : kMeasurementStates) {
    if (state == name_of(known)) filter.state = known;
  }
  return filter;
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
    DISTRICT_TRY(const auto all, store_.series_of(meter.meter_id));
    const auto& after = page_.after();
    for (const auto& series : all) {
      if (page_.ended()) break;
      if (filter_.quantity && series.quantity != *filter_.quantity) continue;
      if (after && series.series_id < after->series_id) continue;
      DISTRICT_CHECK(read_series(meter.key, series));
    }
    return Ok{};
  }

  Result<Ok> read_series(const MeterKey& meter, const Series& series) {
    if (filter_.state == MeasurementState::unusable) {
      if (!page_.may_read()) return Ok{};
      DISTRICT_TRY(auto odd, store_.unusable(series.series_id));
      std::ranges::sort(odd, {}, [&](const ValueVersion& v) { return place_of(series, v); });
      return take(meter, series, odd);
    }
    auto begin = filter_.from.value_or(Instant{});
    const auto& after = page_.after();
    if (after && after->series_id == series.series_id)
      begin = std::max(begin, from_micros(after->start));
    while (!page_.ended() && (!filter_.to || begin < *filter_.to)) {
      if (!page_.may_read({series.series_id, to_micros(begin), 0, 0, 0})) return Ok{};
      // A value that is not visible has a visible one with the same start.
      DISTRICT_TRY(const auto first, store_.value_after(series, begin - Duration{1}));
      if (!first) return Ok{};
      begin = first->start;
      DISTRICT_TRY(const auto versions, store_.versions(series, begin, begin + kSpan));
      DISTRICT_CHECK(take(meter, series, versions));
      begin += kSpan + Duration{1};
    }
    return Ok{};
  }

  Result<Ok> take(const MeterKey& meter, const Series& series,
                  const std::vector<ValueVersion>& versions) {
    const auto& after = page_.after();
    for (const auto& version : versions) {
      const auto place = place_of(series, version);
      if ((after && place <= *after) || !filter_.takes(version)) continue;
      if (!page_.has_room()) return Ok{};
      Measurement measurement;
      measurement.meter = meter;
      measurement.observation = {
          meter.source,  meter.meter, series.quantity, series.unit,           series.kind,
          version.start, version.end, version.value,   version.message_index, version.flags};
      measurement.state = version.state;
      DISTRICT_TRY(measurement.origin, store_.origin(version.leaf_index));
      page_.add(row_of(question_, measurement), place);
    }
    return Ok{};
  }

  const Question& question_;
  const Filter filter_;
  store::SeriesReader store_;
  MeterPage<Place> page_;
};

}  // namespace

std::vector<Column> measurement_columns() {
  return {
      {"tenant", Type::text, "tenantCode"},
      {"source", Type::text, "messageSourceElement"},
      {"meter", Type::text, "The meter's name; empty where the source is the meter"},
      {"quantity", Type::text, "As the content schema's annotation names it"},
      {"kind", Type::text, "interval, mean, instant or register"},
      {"start", Type::instant, "Of its period, or its instant"},
      {"end", Type::instant, "Of its period, not included; of an instant the same as start"},
      {"value", Type::number, ""},
      {"unit", Type::text, ""},
      {"state", Type::text,
       "current: it counts; superseded, duplicate, excluded, unusable, implausible: it does not"},
      {"rules", Type::texts, "Rules of plausibility that it breaks"},
      {"estimated", Type::boolean, "The gateway says that it estimated the value"},
      {"receipt_id", Type::text, "Of the envelope that it came in"},
      {"received_at", Type::instant, "When that envelope came"},
      {"message_index", Type::integer, "Of its message in that envelope, from 1"},
  };
}

Row row_of(const Question& question, const Measurement& measurement) {
  const auto& o = measurement.observation;
  std::vector<std::string> rules;
  for (const auto& rule : series::rules()) {
    if ((o.flags & rule.flag) != 0) rules.emplace_back(rule.name);
  }
  return {measurement.meter.tenant,
          o.source,
          o.meter,
          o.quantity,
          name_of(o.kind),
          question.spell(o.start),
          question.spell(o.end),
          o.value,
          o.unit,
          name_of(measurement.state),
          rules,
          (o.flags & flag_estimated) != 0,
          measurement.origin.receipt_id,
          question.spell(measurement.origin.received_at),
          o.message_index};
}

Result<RowPage> read_measurements(const Question& question) {
  DISTRICT_TRY(auto filter, filter_of(question));
  return Reader(question, std::move(filter)).read();
}

}  // namespace district::query
