#include "store/series_writer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <tuple>

#include "../support/engine.h"
#include "store/transaction.h"

using namespace district;
using namespace district::store;
using namespace std::chrono_literals;

namespace {

const Instant kStart = *parse_date_time("2018-03-01T00:00:00Z");

struct Scratch {
  test::TemporaryFolder folder;
  std::unique_ptr<SeriesDatabase> database = test::open_series(test::new_location(folder));
  SeriesTransaction transaction = SeriesTransaction::begin(*database).value();
  SeriesWriter store{transaction};
  std::int64_t meter = store.meter_id({"20", "SHOP", ""}).value();

  Series series() {
    const Observation like{"SHOP", "", "active_energy", "kWh", ValueKind::interval, {}, {}, 0,
                           1,      0};
    return store.series(meter, like).value().series;
  }
  // Stores one value of an envelope of its own, with the state.
  void put(std::uint64_t leaf, Duration offset, double value,
           MeasurementState state = MeasurementState::current) {
    const auto start = kStart + offset;
    BOOST_REQUIRE(
        store.put_origin({leaf, "R" + std::to_string(leaf), kStart + 48h}, "20", start, start));
    auto of_meter = series();
    auto page = store.page(of_meter, start, start).value();
    page.versions.push_back({start, start + 1h, leaf, 1, kStart + 48h, value, 0, state});
    std::sort(page.versions.begin(), page.versions.end(), [](const auto& one, const auto& other) {
      return std::tie(one.start, one.leaf_index) < std::tie(other.start, other.leaf_index);
    });
    of_meter.longest = 1h;
    BOOST_REQUIRE(store.put_page(of_meter, page, start, start));
  }
};

PackedKpi packed(std::int64_t kpi_id, std::optional<double> value) {
  return {kpi_id, value, 0.5, KpiStatus::insufficient, 3, kStart, {{"valid_days", "7"}}};
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

BOOST_AUTO_TEST_CASE(visible_values_are_found_before_and_after_an_instant) {
  Scratch scratch;
  scratch.put(1, 0h, 1);
  scratch.put(2, 1h, 2, MeasurementState::superseded);
  scratch.put(3, 1h, 3);
  scratch.put(4, 2h, 4, MeasurementState::excluded);
  const auto series = scratch.series();
  BOOST_TEST(scratch.store.versions(series, kStart, kStart + 2h)->size() == 4U);
  BOOST_TEST((*scratch.store.value_before(series, kStart + 1h))->value == 1);
  BOOST_TEST(!*scratch.store.value_before(series, kStart));
  BOOST_TEST((*scratch.store.value_after(series, kStart))->value == 3);
  BOOST_TEST(!(*scratch.store.value_after(series, kStart + 1h))->counts());
  BOOST_TEST(!*scratch.store.value_after(series, kStart + 2h));
}

BOOST_AUTO_TEST_CASE(values_stay_whatever_rows_they_move_to) {
  // Days of several months, in an order that makes rows of days become rows of months and back.
  Scratch scratch;
  const std::vector<Duration> offsets = {24h * 40, 0h,       24h * 3,  24h * 100, 24h * 41,
                                         24h * 30, 24h * 31, 24h * 99, 24h * 2,   24h * 400};
  std::uint64_t leaf = 0;
  for (const auto offset : offsets) {
    ++leaf;
    scratch.put(leaf, offset, static_cast<double>(leaf));
  }
  const auto series = scratch.series();
  const auto all = scratch.store.versions(series, kStart, kStart + 24h * 500).value();
  BOOST_REQUIRE_EQUAL(all.size(), offsets.size());
  for (const auto& version : all)
    BOOST_TEST((version.start == kStart + offsets[version.leaf_index - 1]));
  std::size_t in_rows = 0;
  BOOST_REQUIRE(scratch.store.each_row(series, [&](const auto& versions) -> Result<Ok> {
    in_rows += versions.size();
    return Ok{};
  }));
  BOOST_TEST(in_rows == offsets.size());
  BOOST_TEST(
      ((*scratch.store.value_after(series, kStart + 24h * 100))->start == kStart + 24h * 400));
  BOOST_TEST(
      ((*scratch.store.value_before(series, kStart + 24h * 400))->start == kStart + 24h * 100));
}

BOOST_AUTO_TEST_CASE(packed_versions_come_back_as_they_were) {
  std::vector<ValueVersion> versions;
  const double values[] = {0,        -0.0, 18.4, 18.4, 1e300,   -17.123456789,
                           5347.614, 1e-9, 42,   0.1,  -300.25, 1234567.875};
  for (std::uint32_t i = 0; i < 200; ++i) {
    ValueVersion version;
    version.start = kStart + 1h * i + (i % 17 == 0 ? Duration{i} : Duration{});
    version.end = version.start + (i % 5 == 0 ? 30min : 1h);
    version.leaf_index = 1000 - i / 3;
    version.message_index = i % 24;
    version.received_at = version.end + 1s * (i % 4);
    version.value = values[i % std::size(values)];
    version.flags = i % 11 == 0 ? 5U : 0U;
    version.state = static_cast<MeasurementState>(i % 6);
    versions.push_back(version);
  }
  std::vector<ValueVersion> read;
  const auto octets = pack(versions);
  BOOST_REQUIRE(unpack(as_bytes(octets), read));
  BOOST_TEST((read == versions));
  // Whatever is damaged is an error, not nonsense without end.
  for (std::size_t length = 0; length < octets.size(); ++length) {
    std::vector<ValueVersion> some;
    BOOST_TEST(!unpack(as_bytes(octets).first(length), some));
  }
}

BOOST_AUTO_TEST_CASE(packed_kpis_come_back_as_they_were) {
  PackedWindows windows;
  for (int day = 0; day < 4; ++day) {
    auto& window = windows[kStart + 24h * day];
    window.end = kStart + 24h * (day + 1);
    for (int id = 1; id < 9; ++id) {
      auto kpi = packed(id, id % 4 == 0 ? std::nullopt : std::optional(id / 3.0));
      kpi.computed_at += 1s * (id / 3);
      kpi.revision = static_cast<std::uint32_t>(1 + id % 2);
      if (id % 3 == 0) kpi.attributes = {{"peak_at_utc", "2018-03-01T07:00:00Z"}, {"x", "y"}};
      if (id % 5 == 0) kpi.completeness = 1;
      window.kpis.push_back(kpi);
    }
  }
  const auto octets = pack(windows);
  const auto read = unpack_windows(as_bytes(octets)).value();
  BOOST_REQUIRE_EQUAL(read.size(), windows.size());
  for (const auto& [start, window] : windows) {
    BOOST_TEST((read.at(start).end == window.end));
    for (std::size_t i = 0; i < window.kpis.size(); ++i) {
      BOOST_TEST(read.at(start).kpis[i].says_the_same(window.kpis[i]));
      BOOST_TEST(read.at(start).kpis[i].revision == window.kpis[i].revision);
      BOOST_TEST((read.at(start).kpis[i].computed_at == window.kpis[i].computed_at));
    }
  }
  for (std::size_t length = 0; length < octets.size(); ++length)
    BOOST_TEST(!unpack_windows(as_bytes(octets).first(length)));
}

BOOST_AUTO_TEST_CASE(kpis_are_found_by_each_filter) {
  Scratch scratch;
  const auto energy = scratch.store.kpi_id("energy_kwh", "kWh").value();
  const auto peak = scratch.store.kpi_id("peak_kw", "kW").value();
  for (const auto* tenant : {"10", "20"}) {
    const auto meter = scratch.store.meter_id({tenant, "HOUSE", "W1"}).value();
    KpiChunk chunk{WindowKind::hour, kpi_chunk_of(WindowKind::hour, kStart), {}};
    for (int hour = 0; hour < 3; ++hour) {
      auto& window = chunk.windows[kStart + 1h * hour];
      window = {kStart + 1h * (hour + 1), {packed(energy, hour), packed(peak, hour)}};
    }
    BOOST_REQUIRE(scratch.store.put_kpi_chunk(meter, chunk));
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
  const auto one = scratch.store.kpis({}).value().front();
  BOOST_TEST(one.unit == "kWh");
  BOOST_TEST(one.attributes.at("valid_days") == "7");
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

BOOST_AUTO_TEST_CASE(a_measurement_takes_few_octets) {
  std::vector<ValueVersion> versions;
  for (std::uint32_t hour = 0; hour < 744; ++hour) {
    const auto start = kStart + 1h * hour;
    versions.push_back({start, start + 1h, 100'000 + hour / 24, hour % 24 + 1,
                        kStart + 24h * (hour / 24 + 1), 17.12 + hour % 100, 0,
                        MeasurementState::current});
  }
  BOOST_TEST(pack(versions).size() / versions.size() <= 5U);
}

BOOST_AUTO_TEST_SUITE_END()
