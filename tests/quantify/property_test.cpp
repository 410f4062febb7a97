// Whatever the order and grouping in which envelopes are ingested, what comes out is the same.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

#include "fixture.h"
#include "store/transaction.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

constexpr unsigned kSeeds = 6;

struct Envelope {
  Batch batch;
  Origin origin;
};

Instant some_time(std::mt19937& random, Duration step) {
  const auto span = 48h / step;  // short: many keys come again
  return at("2018-03-10") + step * static_cast<int>(random() % static_cast<unsigned>(span));
}

// Sometimes far away from the others, before and behind gaps of every length.
Instant some_start(std::mt19937& random, Duration step) {
  auto start = some_time(random, step);
  if (random() % 15 == 0) start += 24h * 29 * static_cast<int>(random() % 20);
  return start;
}

Observation some_observation(std::mt19937& random) {
  Observation observation;
  observation.value = static_cast<double>(random() % 4) * 1000;  // few values: many duplicates
  // Some that cannot be true: below zero, or a spike among its day's others.
  if (random() % 12 == 0) observation.value = random() % 2 == 0 ? -5 : 4e8;
  switch (random() % 4) {
    case 0:
    case 1: {
      const bool price = random() % 3 == 0;
      observation = {"SHOP",
                     "",
                     price ? "energy_price" : "active_energy",
                     price ? "EUR/kWh" : "kWh",
                     price ? ValueKind::mean : ValueKind::interval,
                     {},
                     {},
                     observation.value,
                     0,
                     0};
      observation.start = some_start(random, 30min);
      observation.end = observation.start + 30min * (1 + random() % 5);  // many overlaps
      if (random() % 20 == 0) observation.end = observation.start + 24h * (random() % 60);
      break;
    }
    case 2:
      observation = {random() % 4 == 0 ? "SHOP" : "LAMPS",
                     "",
                     "active_power",
                     "W",
                     ValueKind::instant,
                     {},
                     {},
                     observation.value,
                     0,
                     0};
      observation.start = observation.end = some_start(random, 20min);
      break;
    default:
      observation = {"HOUSE", "W1", "register",        "meter", ValueKind::reading,
                     {},      {},   observation.value, 0,       0};
      observation.start = observation.end = some_start(random, 45min);
  }
  return observation;
}

MasterFact some_fact(std::mt19937& random) {
  static const MasterFact kFacts[] = {fact("HOUSE", "W1", "register_modulus", "4000"),
                                      fact("HOUSE", "W1", "unit", "L"),
                                      fact("HOUSE", "W1", "unit", "kWh"),
                                      fact("LAMPS", "", "on_threshold_w", "500"),
                                      fact("LAMPS", "", "nominal_step", "PT5M"),
                                      fact("LAMPS", "", "nominal_step", "PT3H"),
                                      fact("SHOP", "", "zone", "Asia/Kolkata"),
                                      fact("SHOP", "", "installed_power_w", "2000"),
                                      fact("LAMPS", "", "on_threshold_w", "x"),
                                      fact("HOUSE", "W1", "name", "cellar")};
  auto chosen = kFacts[random() % std::size(kFacts)];
  if (random() % 2 == 0) chosen.valid_from = some_time(random, 6h);
  if (random() % 4 == 0) chosen.valid_to = chosen.valid_from + 6h * (random() % 20);
  return chosen;
}

std::vector<Envelope> some_envelopes(std::mt19937& random) {
  std::vector<Envelope> envelopes;
  for (std::uint64_t leaf = 0; leaf < 30; ++leaf) {
    Envelope envelope;
    envelope.batch.tenant = "20";
    // Few times of receipt, so that some are equal and leaf_index decides.
    envelope.origin = origin(leaf, at("2020-06-01") + 1s * static_cast<int>(random() % 20));
    std::uint32_t message = 0;
    for (auto left = random() % 12; left > 0; --left) {
      auto observation = some_observation(random);
      observation.message_index = ++message;
      envelope.batch.observations.push_back(observation);
    }
    if (random() % 4 == 0) {
      auto statement = some_fact(random);
      statement.message_index = ++message;
      envelope.batch.master_facts.push_back(statement);
    }
    envelopes.push_back(std::move(envelope));
  }
  return envelopes;
}

// All that must not depend on the order: everything but revision and computed_at.
std::string picture(Scratch& scratch) {
  std::ostringstream out;
  out.precision(17);
  for (const auto& m : must(scratch.store.measurements({}))) {
    out << m.meter.source << ' ' << m.observation.quantity << ' ' << to_micros(m.observation.start)
        << ' ' << to_micros(m.observation.end) << ' ' << m.observation.value << ' '
        << m.observation.flags << ' ' << m.origin.leaf_index << ' ' << m.observation.message_index
        << ' ' << name_of(m.state) << '\n';
  }
  for (const auto& k : must(scratch.store.kpis({}))) {
    out << k.meter.source << ' ' << k.kpi << ' ' << name_of(k.window) << ' '
        << format_instant(k.start) << ' ' << format_instant(k.end) << ' '
        << (k.value ? std::to_string(*k.value) : "null") << ' ' << k.value.value_or(0) << ' '
        << k.unit << ' ' << k.completeness << ' ' << name_of(k.status);
    for (const auto& [name, value] : k.attributes) out << ' ' << name << '=' << value;
    out << '\n';
  }
  return out.str();
}

// `group`: how many envelopes share a transaction, at most.
std::string ingest_all(const std::vector<Envelope>& envelopes, std::mt19937& random,
                       std::size_t group) {
  Scratch scratch;
  for (std::size_t i = 0; i < envelopes.size();) {
    auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
    Touched touched;
    std::vector<Arrival> arrivals;
    for (auto left = 1 + random() % group; left > 0 && i < envelopes.size(); --left, ++i) {
      arrivals.push_back({envelopes[i].batch, envelopes[i].origin});
      if (random() % 3 != 0) continue;  // some come together
      static_cast<void>(must(scratch.engine.ingest(transaction, arrivals, touched)));
      arrivals.clear();
    }
    static_cast<void>(must(scratch.engine.ingest(transaction, arrivals, touched)));
    static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2026-01-01"))));
    static_cast<void>(must(transaction.commit()));
  }
  return picture(scratch);
}

// Each envelope as the quantifier takes a large one: some messages at a time, each part in its own
// transaction, in which some have been ingested before the server ended in their midst.
std::string ingest_in_parts(const std::vector<Envelope>& envelopes, std::mt19937& random) {
  Scratch scratch;
  const auto ingest_some = [&](const Envelope& envelope, std::uint32_t last, Touched& touched) {
    for (std::uint32_t from = 0, next = 0; from < last; from = next) {
      next = from + 1 + random() % 4;
      const auto elsewhere = [&](const auto& one) {
        return one.message_index <= from || one.message_index > std::min(next, last);
      };
      auto part = envelope.batch;
      std::erase_if(part.observations, elsewhere);
      std::erase_if(part.master_facts, elsewhere);
      auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
      static_cast<void>(must(scratch.engine.ingest(transaction, part, envelope.origin, touched)));
      if (random() % 3 == 0)
        static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2026-01-01"))));
      static_cast<void>(must(transaction.commit()));
    }
  };
  const std::uint32_t kAll = 100;
  for (const auto& envelope : envelopes) {
    if (random() % 3 == 0) {
      Touched lost;
      ingest_some(envelope, random() % 8, lost);
    }
    Touched touched;
    ingest_some(envelope, kAll, touched);
    auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
    static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2026-01-01"))));
    static_cast<void>(must(transaction.commit()));
  }
  return picture(scratch);
}

void compare_lines(const std::string& expected, const std::string& found) {
  std::istringstream a(expected), b(found);
  std::string line_a, line_b;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    BOOST_REQUIRE_MESSAGE(more_a == more_b,
                          "line " << line << ": " << (more_a ? line_a : line_b) << " only once");
    if (!more_a) return;
    BOOST_REQUIRE_MESSAGE(line_a == line_b,
                          "line " << line << ":\n  " << line_a << "\n  " << line_b);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(purity)

BOOST_AUTO_TEST_CASE(the_order_and_grouping_of_envelopes_do_not_matter) {
  const auto kStates = {" current\n",  " superseded\n", " duplicate\n",
                        " excluded\n", " unusable\n",   " implausible\n"};
  std::set<std::string> seen;
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      std::mt19937 random(seed);
      auto envelopes = some_envelopes(random);
      const auto expected = ingest_all(envelopes, random, 1);
      BOOST_REQUIRE_GT(expected.size(), 10'000U);
      for (const auto* state : kStates)
        if (expected.find(state) != std::string::npos) seen.insert(state);
      for (int round = 0; round < 3; ++round) {
        std::shuffle(envelopes.begin(), envelopes.end(), random);
        compare_lines(expected,
                      ingest_all(envelopes, random, 1 + 6 * static_cast<std::size_t>(round)));
      }
      std::reverse(envelopes.begin(), envelopes.end());
      auto twice = envelopes;
      twice.insert(twice.end(), envelopes.begin(), envelopes.end());
      compare_lines(expected, ingest_all(twice, random, envelopes.size()));
      compare_lines(expected, ingest_in_parts(envelopes, random));
    }
  }
  BOOST_TEST(seen.size() == kStates.size());
}

BOOST_AUTO_TEST_SUITE_END()
