// Changes stored measurements and KPI values behind the programs' back, as somebody with write
// access to the database could.
#pragma once

#include <boost/test/unit_test.hpp>
#include <functional>

#include "store/inventory.h"
#include "store/series_writer.h"
#include "store/transaction.h"

namespace district::test {

// Calls `change` for every stored version; one for which it returns false is removed.
inline void tamper_with_measurements(store::SeriesDatabase& database,
                                     const std::function<bool(ValueVersion&)>& change) {
  auto transaction = store::SeriesTransaction::begin(database).value();
  store::SeriesWriter series_store(transaction);
  const auto meters = store::all_meters(database).value();
  for (const auto& meter : meters) {
    const auto meter_id = series_store.find_meter(meter).value().value();
    const auto all_series = series_store.series_of(meter_id).value();
    for (auto series : all_series) {
      auto page = series_store.page(series, Instant{}, series.last_start).value();
      if (page.versions.empty()) continue;
      const auto from = page.versions.front().start, to = page.versions.back().start;
      std::erase_if(page.versions, [&](ValueVersion& version) { return !change(version); });
      BOOST_REQUIRE(series_store.put_page(series, page, from, to));
    }
  }
  BOOST_REQUIRE(transaction.commit());
}

// Calls `change` for every stored value of a KPI and kind of window.
inline void tamper_with_kpis(store::SeriesDatabase& database, const std::string& kpi,
                             WindowKind window,
                             const std::function<void(store::PackedKpi&)>& change) {
  auto transaction = store::SeriesTransaction::begin(database).value();
  store::SeriesWriter series_store(transaction);
  const auto meters = store::all_meters(database).value();
  for (const auto& meter : meters) {
    const auto meter_id = series_store.find_meter(meter).value().value();
    const auto chunks = series_store.kpi_chunks(meter_id).value();
    for (const auto& [kind, number] : chunks) {
      if (kind != window) continue;
      auto chunk = series_store.kpi_chunk(meter_id, kind, number).value();
      for (auto& [start, row] : chunk.windows) {
        for (auto& packed : row.kpis)
          if (series_store.kpi_name(packed.kpi_id)->name == kpi) change(packed);
      }
      BOOST_REQUIRE(series_store.put_kpi_chunk(meter_id, chunk));
    }
  }
  BOOST_REQUIRE(transaction.commit());
}

}  // namespace district::test
