#include "server/routes.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace district;

BOOST_AUTO_TEST_SUITE(contract)

BOOST_AUTO_TEST_CASE(the_contract_names_the_public_url_and_nothing_else_is_served) {
  const server::Contract contract("https://a.example/services/aggregation");
  const auto wsdl = contract.find("wsdl");
  BOOST_REQUIRE(wsdl);
  BOOST_TEST(wsdl->find("location=\"https://a.example/services/aggregation\"") !=
             std::string_view::npos);
  BOOST_TEST(wsdl->find("PUBLIC_URL") == std::string_view::npos);
  BOOST_TEST(contract.find("WSDL").has_value());
  BOOST_TEST(contract.find("xsd=aggregation.xsd").has_value());
  BOOST_TEST(contract.find("xsd=content/001-002.xsd").has_value());
  for (const char* bad :
       {"", "Wsdl", "wsdl&x=1", "xsd=", "xsd=none.xsd", "xsd=../wsdl/aggregation.wsdl",
        "xsd=/etc/passwd", "xsd=aggregation.xsd%00"}) {
    BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!contract.find(bad)); }
  }
}

BOOST_AUTO_TEST_SUITE_END()
