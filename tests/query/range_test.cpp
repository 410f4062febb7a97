#include "query/range.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace district;
using query::range_of;

BOOST_AUTO_TEST_SUITE(ranges)

BOOST_AUTO_TEST_CASE(one_range_of_octets_is_understood) {
  struct Case {
    const char* field;
    std::uint64_t first, octets;
  };
  for (const auto& each : {Case{"bytes=0-9", 0, 10},
                           {"bytes=10-", 10, 90},
                           {"bytes=99-99", 99, 1},
                           {"Bytes=-7", 93, 7},
                           {"BYTES= 5-6 ", 5, 2},
                           {"bytes=-101", 0, 100},
                           {"bytes=-99999999999999999999999", 0, 100},
                           {"bytes=90-100", 90, 10},
                           {"bytes=0-18446744073709551615", 0, 100},
                           {"bytes=0-99999999999999999999999", 0, 100}}) {
    BOOST_TEST_CONTEXT(each.field) {
      const auto range = range_of(each.field, 100);
      BOOST_REQUIRE(range);
      BOOST_TEST(range->first == each.first);
      BOOST_TEST(range->octets == each.octets);
    }
  }
}

BOOST_AUTO_TEST_CASE(where_nothing_is_there_are_no_octets) {
  for (const char* field : {"bytes=100-", "bytes=100-200", "bytes=-0",
                            "bytes=18446744073709551615-", "bytes=99999999999999999999999-"}) {
    BOOST_TEST_CONTEXT(field) {
      const auto range = range_of(field, 100);
      BOOST_REQUIRE(range);
      BOOST_TEST(range->octets == 0U);
    }
  }
  for (const char* field : {"bytes=0-", "bytes=0-0", "bytes=-5"}) {
    BOOST_TEST(range_of(field, 0).value().octets == 0U);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_single_range_is_overlooked) {
  for (const char* field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=0-1,3-4", "bytes=0-1,", "bytes=5-4", "bytes=a-b",
        "bytes=1", "bytes=--1", "bytes=+1-2", "bytes=1-+2", "bytes=0x1-2", "bytes=1 - 2",
        "items=0-1", "bytes 0-1", "xbytes=0-1"}) {
    BOOST_TEST_CONTEXT(field) { BOOST_TEST(!range_of(field, 100)); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
