#include "base/local_time.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace district;

BOOST_AUTO_TEST_SUITE(zones)

BOOST_AUTO_TEST_CASE(names_of_the_database_are_zones) {
  for (const std::string name :
       {"UTC", "Europe/Madrid", "Europe/Copenhagen", "America/Port-au-Prince", "Etc/GMT+1",
        "America/Argentina/Buenos_Aires", "Etc/UTC"}) {
    BOOST_TEST(find_zone(name) != nullptr, name);
    BOOST_TEST(LocalTime::of(name).has_value(), name);
  }
}

BOOST_AUTO_TEST_CASE(what_depends_on_the_machine_or_lies_beside_the_zones_is_none) {
  for (const std::string name : {"localtime",
                                 "posixrules",
                                 "Factory",
                                 "right/Europe/Madrid",
                                 "posix/Europe/Madrid",
                                 "",
                                 "/",
                                 "Europe",
                                 "Europe/",
                                 "/Europe/Madrid",
                                 "Europe//Madrid",
                                 "../zoneinfo/Europe/Madrid",
                                 "Europe/../Europe/Madrid",
                                 "/usr/share/zoneinfo/Europe/Madrid",
                                 "europe/madrid",
                                 "Europe/Madrid ",
                                 "Europe/Atlantis",
                                 "zone.tab",
                                 "tzdata.zi",
                                 "leap-seconds.list",
                                 "CET0",
                                 "Europe/Madrid\n",
                                 ":Europe/Madrid",
                                 "UTC+1"}) {
    BOOST_TEST(find_zone(name) == nullptr, name);
    BOOST_TEST(!LocalTime::of(name).has_value(), name);
  }
  BOOST_TEST(find_zone(std::string("Europe/Madrid\0", 14)) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
