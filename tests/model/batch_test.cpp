#include "model/batch.h"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <string>

BOOST_AUTO_TEST_CASE(kinds_are_named_as_the_annotations_of_content_schemas_name_them) {
  std::ifstream file(DISTRICT_SOURCE_DIR "/xsd/annotations.xsd");
  const std::string schema{std::istreambuf_iterator<char>(file), {}};
  using Kind = district::ValueKind;
  for (const auto kind : {Kind::interval, Kind::mean, Kind::instant, Kind::reading}) {
    const auto value = "<xs:enumeration value=\"" + std::string(district::name_of(kind)) + "\">";
    BOOST_TEST(schema.find(value) != std::string::npos, value);
  }
}
