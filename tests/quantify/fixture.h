// A scratch database with an engine, and batches made by hand.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>

#include "quantify/engine.h"
#include "store/database.h"
#include "store/series_store.h"

namespace district::quantify::testing {

inline Instant at(const char* text) {
  const auto parsed = parse_day_or_instant(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

template <typename T>
T must(Result<T> result) {
  const auto problem = result ? std::string() : result.error().detail;
  BOOST_REQUIRE_MESSAGE(result.has_value(), problem);
  return std::move(*result);
}

inline store::Origin origin(std::uint64_t leaf, Instant received_at) {
  return {leaf, "RECEIPT-" + std::to_string(leaf), received_at};
}

inline Observation energy(const char* start, const char* end, double kwh,
                          std::uint32_t message = 1) {
  return {"SHOP",  "",  "active_energy", "kWh", ValueKind::interval, at(start),
          at(end), kwh, message,         0};
}
inline Observation price(const char* start, const char* end, double eur,
                         std::uint32_t message = 1) {
  return {"SHOP",  "",  "energy_price", "EUR/kWh", ValueKind::mean, at(start),
          at(end), eur, message,        0};
}
inline Observation power(const char* when, double watts, std::uint32_t message = 1) {
  return {"LAMPS",  "",       "active_power", "W",     ValueKind::instant,
          at(when), at(when), watts,          message, 0};
}
inline Observation reading(const char* when, double value, std::uint32_t message = 1) {
  return {"HOUSE",  "W1",     "register", "meter", ValueKind::reading,
          at(when), at(when), value,      message, 0};
}
inline MasterFact fact(const char* source, const char* meter, const char* attribute,
                       const char* value, const char* from = "2010-01-01") {
  return {source, meter, attribute, value, at(from), std::nullopt, 1};
}

struct Scratch {
  std::unique_ptr<store::Database> database =
      must(store::Database::open(":memory:", store::OpenMode::create));
  Engine engine{*database, [](std::string_view tenant) -> std::optional<std::string> {
                  if (tenant == "10") return "Europe/Copenhagen";
                  if (tenant == "20" || tenant == "30") return "Europe/Madrid";
                  return std::nullopt;
                }};
  store::SeriesStore store{*database};
  std::uint64_t next_leaf = 1;

  Result<Ok> try_apply(const Batch& batch, const store::Origin& from) {
    auto transaction = must(store::Transaction::begin(*database));
    DISTRICT_CHECK(engine.apply(batch, from, from.received_at));
    return transaction.commit();
  }
  void apply(const Batch& batch, const store::Origin& from) {
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
