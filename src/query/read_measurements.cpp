// /measurements
#include <algorithm>
#include <tuple>

#include "query/measurement_row.h"
#include "query/meter_walk.h"
#include "series/plausibility.h"
#include "store/series_reader.h"

namespace district::query {
namespace {

// Values are read in spans of so long, as the database has them in rows of a month.
constexpr auto kSpan = std::chrono::hours(24 * 31);

struct Filter {
  std::optional<std::string> quantity;
  std::optional<Instant> from, to;  // of the start, half-open
  std::optional<MeasurementState> state;
  std::uint32_t flag = 0;  // 0: any or none

  bool takes(const ValueVersion& version) const {
    return (!from || version.start >= *from) && (!to || version.start < *to) &&
           (!state || version.state == *state) && (flag == 0 || (version.flags & flag) != 0);
  }
};

// Where a value stands among those of its meter.
using Place = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::uint64_t, std::uint32_t>;

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

// Goes through the values of one meter after the other and fills a page.
class Reader {
 public:
  Reader(const Question& question, Filter filter)
      : question_(question), filter_(std::move(filter)), store_(question.series) {}

  Result<Page> read() {
    MeterKey begin;
    if (!question_.after.is_null()) {
      begin = meter_from(question_.after.at(0)).value_or(begin);
      after_ = question_.after.at(1).get<Place>();
    }
    DISTRICT_TRY(auto walk, MeterWalk::from(question_, begin));
    while (!full_) {
      DISTRICT_TRY(const auto meter, walk.next());
      if (!meter) return std::move(page_);
      if (meter->key != begin) after_.reset();
      DISTRICT_CHECK(read_meter(*meter));
    }
    return std::move(page_);
  }

 private:
  Result<Ok> read_meter(const store::StoredMeter& meter) {
    last_ = after_.value_or(Place{});
    if (!may_read(meter.key, last_)) return Ok{};
    DISTRICT_TRY(const auto all, store_.series_of(meter.meter_id));
    for (const auto& series : all) {
      if (full_) break;
      if (filter_.quantity && series.quantity != *filter_.quantity) continue;
      if (after_ && series.series_id < std::get<0>(*after_)) continue;
      DISTRICT_CHECK(read_series(meter.key, series));
    }
    return Ok{};
  }

  Result<Ok> read_series(const MeterKey& meter, const Series& series) {
    if (filter_.state == MeasurementState::unusable) {
      if (!may_read(meter, last_)) return Ok{};
      DISTRICT_TRY(auto odd, store_.unusable(series.series_id));
      std::ranges::sort(odd, {}, [&](const ValueVersion& v) { return place_of(series, v); });
      return take(meter, series, odd);
    }
    auto begin = filter_.from.value_or(Instant{});
    if (after_ && std::get<0>(*after_) == series.series_id) {
      begin = std::max(begin, from_micros(std::get<1>(*after_)));
    }
    while (!full_ && (!filter_.to || begin < *filter_.to)) {
      if (!may_read(meter, {series.series_id, to_micros(begin), 0, 0, 0})) return Ok{};
      // Whatever is not visible has a visible one with the same start.
      DISTRICT_TRY(const auto first, store_.value_after(series, begin - Duration{1}));
      if (!first) return Ok{};
      begin = first->start;
      DISTRICT_TRY(const auto versions, store_.versions(series, begin, begin + kSpan));
      DISTRICT_CHECK(take(meter, series, versions));
      begin += kSpan + Duration{1};
    }
    return Ok{};
  }

  // false: so much has been read that the page ends here; the next one begins after `last`.
  bool may_read(const MeterKey& meter, const Place& last) {
    if (parts_++ < kPartsMax) return true;
    end_page(meter, last);
    return false;
  }

  void end_page(const MeterKey& meter, const Place& last) {
    page_.next = {to_json(meter), last};
    full_ = true;
  }

  Result<Ok> take(const MeterKey& meter, const Series& series,
                  const std::vector<ValueVersion>& versions) {
    for (const auto& version : versions) {
      const auto place = place_of(series, version);
      if ((after_ && place <= *after_) || !filter_.takes(version)) continue;
      if (page_.rows.size() == question_.limit) {
        end_page(meter, last_);
        return Ok{};
      }
      Measurement measurement;
      measurement.meter = meter;
      measurement.observation = {
          meter.source,  meter.meter, series.quantity, series.unit,           series.kind,
          version.start, version.end, version.value,   version.message_index, version.flags};
      measurement.state = version.state;
      DISTRICT_TRY(measurement.origin, store_.origin(version.leaf_index));
      page_.rows.push_back(row_of(question_, measurement));
      last_ = place;
    }
    return Ok{};
  }

  const Question& question_;
  const Filter filter_;
  store::SeriesReader store_;
  std::optional<Place> after_;  // of the meter that the page before ended in
  Place last_{};                // of the last row of this meter
  Page page_;
  std::size_t parts_ = 0;
  bool full_ = false;
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

Result<Page> read_measurements(const Question& question) {
  DISTRICT_TRY(auto filter, filter_of(question));
  return Reader(question, std::move(filter)).read();
}

}  // namespace district::query
