// Measurements and statements of master data made by hand, in few words.
#pragma once

#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/time.h"
#include "model/batch.h"
#include "model/measurement.h"

namespace district::test {

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

inline Origin origin(std::uint64_t leaf, Instant received_at) {
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

}  // namespace district::test
