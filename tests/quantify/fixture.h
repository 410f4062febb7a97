// A scratch database with an engine, and batches made by hand.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

#include "../support/measurements.h"
#include "quantify/engine.h"
#include "store/database.h"
#include "store/series_reader.h"
#include "store/transaction.h"

namespace district::quantify::testing {

using namespace district::kpi;
using namespace district::series;
using namespace district::test;

struct Scratch {
  std::unique_ptr<store::SeriesDatabase> database =
      must(store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create));
  // For imports of master data, which come by way of it.
  std::unique_ptr<store::ArchiveDatabase> archive =
      must(store::ArchiveDatabase::open(store::Location::scratch(), store::OpenMode::create));
  Engine engine{*database, [](std::string_view tenant) -> std::optional<std::string> {
                  if (tenant == "10") return "Europe/Copenhagen";
                  if (tenant == "20" || tenant == "30") return "Europe/Madrid";
                  return std::nullopt;
                }};
  store::SeriesReader store{*database};
  std::uint64_t next_leaf = 1;

  Result<Ok> try_apply(const Batch& batch, const Origin& from) {
    auto transaction = must(store::SeriesTransaction::begin(*database));
    DISTRICT_CHECK(engine.apply(transaction, batch, from, from.received_at));
    return transaction.commit();
  }
  void apply(const Batch& batch, const Origin& from) {
    static_cast<void>(must(try_apply(batch, from)));
  }
  // One envelope, received at the instant.
  void send(const char* received, std::vector<Observation> observations,
            std::vector<MasterFact> facts = {}) {
    apply({"20", {}, std::move(observations), std::move(facts)}, origin(next_leaf++, at(received)));
  }

  std::optional<KpiValue> find(const char* kpi, WindowKind window, const char* start) {
    store::KpiFilter filter;
    filter.kpi = kpi;
    filter.window = window;
    filter.from = at(start);
    filter.to = at(start) + Duration{1};
    const auto found = must(store.kpis(filter));
    BOOST_REQUIRE_LE(found.size(), 1U);
    return found.empty() ? std::nullopt : std::optional(found.front());
  }
  KpiValue get(const char* kpi, WindowKind window, const char* start) {
    const auto found = find(kpi, window, start);
    BOOST_REQUIRE_MESSAGE(found.has_value(), kpi << " at " << start << " has no row");
    return *found;
  }
  double value(const char* kpi, WindowKind window, const char* start) {
    const auto found = get(kpi, window, start);
    BOOST_REQUIRE_MESSAGE(found.value.has_value(), kpi << " at " << start << " is null");
    return *found.value;
  }
};

}  // namespace district::quantify::testing
