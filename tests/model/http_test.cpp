#include "model/http.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace district;

BOOST_AUTO_TEST_SUITE(http)

BOOST_AUTO_TEST_CASE(what_may_be_a_secret_in_a_path_is_not_shown) {
  BOOST_TEST(path_for_log("") == "");
  BOOST_TEST(path_for_log("/api/v1/envelopes/01JD3Z0A9V4T8M6Q2H5W7X1C0B/raw") ==
             "/api/v1/envelopes/01JD3Z0A9V4T8M6Q2H5W7X1C0B/raw");
  BOOST_TEST(path_for_log("//a/") == "//a/");
  const std::string key = "district_01JD3Z0A9V4T8M6Q2H5W7X1C0B_" + std::string(64, 'a');
  BOOST_TEST(path_for_log("/api/v1/" + key + "/kpis") == "/api/v1/(101 octets)/kpis");
  BOOST_TEST(path_for_log("/" + std::string(64, 'a')) == "/(65 octets)");
  std::string deep;
  for (int i = 0; i < 2000; ++i) deep += "/abc";
  BOOST_TEST(path_for_log(deep).size() < 210U);
}

BOOST_AUTO_TEST_SUITE_END()
