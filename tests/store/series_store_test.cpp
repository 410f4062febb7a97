#include "store/series_store.h"

#include <boost/test/unit_test.hpp>

using namespace district;
using namespace district::store;
using namespace std::chrono_literals;

namespace {

const Instant kStart = *parse_date_time("2018-03-01T00:00:00Z");

struct Scratch {
  std::unique_ptr<Database> database = Database::open(":memory:", OpenMode::create).value();
  SeriesStore store{*database};
  std::int64_t meter = store.meter_id({"20", "SHOP", ""}).value();

  // Stores one value of an envelope of its own, with the state.
  void put(std::uint64_t leaf, Duration offset, double value,
           MeasurementState state = MeasurementState::current) {
    Observation observation{"SHOP",
                            "",
                            "active_energy",
                            "kWh",
                            ValueKind::interval,
                            kStart + offset,
                            kStart + offset + 1h,
                            value,
                            1,
                            0};
    const Origin origin{leaf, "R" + std::to_string(leaf), kStart + 48h};
    const auto series = store.series(meter, observation).value().series;
    BOOST_REQUIRE(store.put_origin(origin, "20", observation.start, observation.start));
    BOOST_TEST(store.put_measurement(series.series_id, origin, observation, state).value());
    BOOST_TEST(
        !store.put_measurement(series.series_id, origin, observation, state).value());  // once only
  }
};

KpiValue kpi(std::optional<double> value, Instant computed_at) {
  return {{"20", "SHOP", ""},
          "energy_kwh",
          WindowKind::day,
          kStart,
          kStart + 24h,
          value,
          "kWh",
          0.5,
          KpiStatus::insufficient,
          1,
          computed_at,
          {{"peak_at_utc", "2018-03-01T07:00:00Z"}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(series_store)

BOOST_AUTO_TEST_CASE(ids_are_given_once_for_each_meter_and_series) {
  Scratch scratch;
  BOOST_TEST(scratch.store.meter_id({"20", "SHOP", ""}).value() == scratch.meter);
  const auto other = scratch.store.meter_id({"20", "SHOP", "LIGHTS"}).value();
  BOOST_TEST(other != scratch.meter);
  BOOST_TEST(scratch.store.meter_key(other)->meter == "LIGHTS");
  Observation like{"SHOP", "", "active_energy", "kWh", ValueKind::interval, {}, {}, 0, 1, 0};
  const auto first = scratch.store.series(other, like).value();
  BOOST_TEST(first.is_new);
  BOOST_TEST(!scratch.store.series(other, like)->is_new);
  like.unit = "therm";
  BOOST_TEST(scratch.store.series(other, like)->is_new);
  BOOST_TEST(scratch.store.series_of(other)->size() == 2U);
}

BOOST_AUTO_TEST_CASE(values_are_those_that_count) {
  Scratch scratch;
  scratch.put(1, 0h, 1);
  scratch.put(2, 1h, 2, MeasurementState::superseded);
  scratch.put(3, 1h, 3);
  scratch.put(4, 2h, 4, MeasurementState::excluded);
  const auto series = scratch.store.series_of(scratch.meter)->front().series_id;
  const auto values = scratch.store.values(series, kStart, kStart + 2h).value();
  BOOST_REQUIRE_EQUAL(values.size(), 3U);
  BOOST_TEST(values[1].value == 3);
  BOOST_TEST(values[2].excluded);
  BOOST_TEST(scratch.store.versions(series, kStart, kStart + 2h)->size() == 4U);
  BOOST_TEST((*scratch.store.value_before(series, kStart + 1h))->value == 1);
  BOOST_TEST(!*scratch.store.value_before(series, kStart));
  BOOST_TEST((*scratch.store.value_after(series, kStart))->value == 3);
  BOOST_TEST(!*scratch.store.value_after(series, kStart + 2h));
}

BOOST_AUTO_TEST_CASE(a_kpi_row_changes_only_when_something_in_it_does) {
  Scratch scratch;
  const auto stored = [&] { return scratch.store.kpis({}).value().front(); };
  BOOST_REQUIRE(scratch.store.put_kpi(scratch.meter, kpi(5, kStart)));
  BOOST_REQUIRE(scratch.store.put_kpi(scratch.meter, kpi(5, kStart + 1h)));
  BOOST_TEST(stored().revision == 1U);
  BOOST_TEST((stored().computed_at == kStart));
  auto other_status = kpi(5, kStart + 2h);
  other_status.status = KpiStatus::partial;
  BOOST_REQUIRE(scratch.store.put_kpi(scratch.meter, other_status));
  BOOST_TEST(stored().revision == 1U);
  BOOST_TEST((stored().computed_at == kStart + 2h));
  BOOST_REQUIRE(scratch.store.put_kpi(scratch.meter, kpi(std::nullopt, kStart + 3h)));
  BOOST_TEST(stored().revision == 2U);
  BOOST_TEST(!stored().value.has_value());
  BOOST_REQUIRE(scratch.store.put_kpi(scratch.meter, kpi(5, kStart + 4h)));
  BOOST_TEST(stored().revision == 3U);
  BOOST_TEST(stored().attributes.at("peak_at_utc") == "2018-03-01T07:00:00Z");
  BOOST_REQUIRE(scratch.store.remove_kpi(scratch.meter, WindowKind::day, kStart, "energy_kwh"));
  BOOST_TEST(scratch.store.kpis({})->empty());
}

BOOST_AUTO_TEST_CASE(kpis_are_found_by_each_filter) {
  Scratch scratch;
  for (const auto* tenant : {"10", "20"}) {
    const auto meter = scratch.store.meter_id({tenant, "HOUSE", "W1"}).value();
    for (int hour = 0; hour < 3; ++hour) {
      auto row = kpi(hour, kStart);
      row.window = WindowKind::hour;
      row.start = kStart + hour * 1h;
      BOOST_REQUIRE(scratch.store.put_kpi(meter, row));
      row.kpi = "peak_kw";
      BOOST_REQUIRE(scratch.store.put_kpi(meter, row));
    }
  }
  const auto found = [&](auto set) {
    KpiFilter filter;
    set(filter);
    return scratch.store.kpis(filter)->size();
  };
  BOOST_TEST(found([](auto&) {}) == 12U);
  BOOST_TEST(found([](auto& f) { f.tenant = "10"; }) == 6U);
  BOOST_TEST(found([](auto& f) { f.source = "SHOP"; }) == 0U);
  BOOST_TEST(found([](auto& f) { f.meter = "W1"; }) == 12U);
  BOOST_TEST(found([](auto& f) { f.kpi = "peak_kw"; }) == 6U);
  BOOST_TEST(found([](auto& f) { f.window = WindowKind::day; }) == 0U);
  BOOST_TEST(found([](auto& f) { f.from = kStart + 1h; }) == 8U);
  BOOST_TEST(found([](auto& f) { f.to = kStart + 1h; }) == 4U);
  BOOST_TEST(found([](auto& f) { f.tenant = "10' OR '1' = '1"; }) == 0U);
}

BOOST_AUTO_TEST_CASE(measurements_are_found_by_their_envelope_and_by_time) {
  Scratch scratch;
  scratch.put(1, 0h, 1);
  scratch.put(2, 1h, 2);
  MeasurementFilter filter;
  filter.leaf_index = 2;
  const auto found = scratch.store.measurements(filter).value();
  BOOST_REQUIRE_EQUAL(found.size(), 1U);
  BOOST_TEST(found[0].observation.value == 2);
  BOOST_TEST(found[0].origin.receipt_id == "R2");
  BOOST_TEST((found[0].origin.received_at == kStart + 48h));
  MeasurementFilter by_time;
  by_time.to = kStart + 1h;
  BOOST_TEST(scratch.store.measurements(by_time)->front().origin.leaf_index == 1U);
}

BOOST_AUTO_TEST_CASE(failures_are_kept_with_their_reason) {
  Scratch scratch;
  BOOST_REQUIRE(scratch.store.put_failure(
      {{7, "R7", kStart}, "20", ErrorCode::archive_corrupt, "bad octets", kStart}));
  const auto failures = scratch.store.failures().value();
  BOOST_REQUIRE_EQUAL(failures.size(), 1U);
  BOOST_TEST(failures[0].origin.leaf_index == 7U);
  BOOST_TEST((failures[0].code == ErrorCode::archive_corrupt));
  BOOST_TEST(failures[0].reason == "bad octets");
}

BOOST_AUTO_TEST_CASE(a_measurement_takes_at_most_50_octets) {
  Scratch scratch;
  const Observation like{
      "SHOP", "", "active_energy", "kWh", ValueKind::interval, kStart, kStart + 1h, 0, 1, 0};
  const auto series = scratch.store.series(scratch.meter, like).value().series;
  const Origin origin{100'000, "01J00000000000000000000000", kStart};
  BOOST_REQUIRE(scratch.store.put_origin(origin, "20", kStart, kStart));
  const auto pages = [&] {
    auto statement = scratch.database->prepare(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    BOOST_REQUIRE(statement->step().value());
    return statement->integer(0);
  };
  const auto before = pages();
  constexpr int kCount = 5000;
  for (int i = 0; i < kCount; ++i) {
    auto observation = like;
    observation.start += i * 1h;
    observation.end += i * 1h;
    observation.value = 17.123 + i;
    BOOST_REQUIRE(scratch.store.put_measurement(series.series_id, origin, observation,
                                                MeasurementState::current));
  }
  BOOST_TEST((pages() - before) / kCount <= 50);
}

BOOST_AUTO_TEST_SUITE_END()
