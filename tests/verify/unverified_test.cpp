// Bounds on what may be read before it is known to be signed.
#include "verify/unverified.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "base/limits.h"
#include "crypto/digest.h"

namespace {

using namespace district;
using namespace district::verify;
using namespace std::chrono_literals;

const Instant kNow = from_micros(1'760'000'000'000'000);

Sha256Digest number(std::size_t n) { return crypto::sha256(as_bytes(std::to_string(n))); }

bool overloaded(const Result<Ok>& result) {
  return !result && result.error().code == ErrorCode::overloaded;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(unverified)

BOOST_AUTO_TEST_CASE(failed_bodies_are_counted_for_each_header_until_it_is_too_old) {
  UnverifiedBodies bodies;
  const Instant until = kNow + 5min;
  for (std::size_t i = 0; i < limits::kFailedBodiesMax; ++i) {
    BOOST_TEST(bodies.check(number(1), kNow).has_value());
    bodies.failed(number(1), 1, until, kNow);
  }
  BOOST_TEST(overloaded(bodies.check(number(1), kNow)));
  BOOST_TEST(overloaded(bodies.check(number(1), until)));
  BOOST_TEST(bodies.check(number(1), until + 1us).has_value());
  BOOST_TEST(bodies.check(number(2), kNow).has_value());
}

BOOST_AUTO_TEST_CASE(the_octets_of_failed_bodies_are_bounded_for_each_header) {
  UnverifiedBodies bodies;
  constexpr auto kMost = limits::kFailedOctetsMax;
  bodies.failed(number(1), kMost - 1, kNow + 5min, kNow);
  BOOST_TEST(bodies.check(number(1), kNow).has_value());
  bodies.failed(number(1), 1, kNow + 5min, kNow);
  BOOST_TEST(overloaded(bodies.check(number(1), kNow)));
  BOOST_TEST(bodies.check(number(2), kNow).has_value());
}

BOOST_AUTO_TEST_CASE(the_memory_of_failed_bodies_is_bounded_and_keeps_working_when_full) {
  UnverifiedBodies bodies;
  for (std::size_t i = 0; i < 2 * limits::kFailedBodiesRemembered; ++i)
    bodies.failed(number(i), 1, kNow + 5min, kNow);
  const auto last = number(1'000'000);
  for (std::size_t i = 0; i < limits::kFailedBodiesMax; ++i)
    bodies.failed(last, 1, kNow + 5min, kNow);
  BOOST_TEST(overloaded(bodies.check(last, kNow)));
}

BOOST_AUTO_TEST_CASE(octets_under_way_are_bounded_for_each_signer_and_given_back) {
  constexpr auto kMost = static_cast<std::size_t>(limits::kOctetsUnderWayPerSignerMax);
  OctetsUnderWay octets;
  std::optional<OctetsUnderWay::Share> first(std::in_place, octets, number(1));
  OctetsUnderWay::Share second(octets, number(1));
  OctetsUnderWay::Share of_another(octets, number(2));
  BOOST_TEST(first->add(kMost - 10).has_value());
  BOOST_TEST(second.add(10).has_value());
  BOOST_TEST(overloaded(second.add(1)));
  BOOST_TEST(overloaded(first->add(1)));
  BOOST_TEST(second.add(0).has_value());
  BOOST_TEST(of_another.add(kMost).has_value());
  first.reset();
  BOOST_TEST(second.add(kMost - 10).has_value());
  BOOST_TEST(overloaded(second.add(1)));
}

BOOST_AUTO_TEST_CASE(one_envelope_above_the_bound_leaves_nothing_behind) {
  constexpr auto kMost = static_cast<std::size_t>(limits::kOctetsUnderWayPerSignerMax);
  OctetsUnderWay octets;
  {
    OctetsUnderWay::Share share(octets, number(1));
    BOOST_TEST(overloaded(share.add(kMost + 1)));
  }
  {
    OctetsUnderWay::Share share(octets, number(1));
    BOOST_TEST(share.add(0).has_value());
  }
  OctetsUnderWay::Share share(octets, number(1));
  BOOST_TEST(share.add(kMost).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
