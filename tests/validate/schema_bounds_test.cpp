#include "validate/schema_bounds.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "validate/content_schema.h"
#include "xml/document.h"

using namespace district;
using validate::too_much_in_pattern;

namespace {

struct Libraries {
  Libraries() { xml::initialize(); }
};

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string schema(const std::string& inner) {
  return "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
         "xmlns:a=\"http://urb-grade.eu/annotations\">\n"
         "<xs:element name=\"gcontent\"><xs:complexType><xs:sequence>" +
         inner + "</xs:sequence></xs:complexType></xs:element></xs:schema>";
}

std::string element(const std::string& name, const std::string& pattern) {
  return "<xs:element name=\"" + name +
         "\"><xs:annotation><xs:appinfo><a:meaning kind=\"none\"/></xs:appinfo></xs:annotation>"
         "<xs:simpleType><xs:restriction base=\"xs:token\"><xs:pattern value=\"" +
         pattern + "\"/></xs:restriction></xs:simpleType></xs:element>\n";
}

std::string complaint(const std::string& text) {
  const auto content = validate::read_content_schema("content/009-001.xsd", text);
  return content ? std::string() : content.error().detail;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(schema_bounds, Libraries)

BOOST_AUTO_TEST_CASE(patterns_that_people_write_are_good) {
  for (const std::string pattern :
       {"", "[0-9]{4}-[0-9]{2}-[0-9]{2}", "DE[0-9]{31}", "(a|b)*", "\\(\\{9999\\}", "[({9999}]+",
        "[a-z-[aeiou]]{3}", "((((a))))", "(a{10}){100}", "a{1000}", "a{2,}", "[\\]({]x",
        "P([1-9][0-9]{0,2}D|T([1-9][0-9]{0,3}H)?)"}) {
    const auto too_much = too_much_in_pattern(pattern);
    BOOST_TEST(!too_much, pattern + ": " + too_much.value_or(""));
  }
}

BOOST_AUTO_TEST_CASE(patterns_that_cost_too_much_are_not) {
  for (const std::string pattern :
       {"a{1001}", "a{0,99999999999999999999}", "(a{10}){101}", "((a{20}){20}){20}",
        "((a|b{50})c){50}", "x(y(z{2}){30}){30}"}) {
    BOOST_TEST(too_much_in_pattern(pattern).value_or("") == "a pattern counts to more than 1000");
  }
  BOOST_TEST(too_much_in_pattern(repeated("(", 9) + "a" + repeated(")", 9)).value_or("") ==
             "a pattern has more than 8 groups in each other");
  for (const std::string part : {"(a|a)*", "a?", "[a-z]*"}) {
    BOOST_TEST(too_much_in_pattern(repeated(part, 2000)).value_or("") ==
               "a pattern has more than 512 octets");
  }
}

BOOST_AUTO_TEST_CASE(a_schema_is_refused_before_it_is_compiled) {
  BOOST_TEST(complaint(schema(element("good", "(a|a)*"))) == "");
  BOOST_TEST(complaint(schema(element("bad", repeated("(a|a)*", 2000)))) ==
             "content/009-001.xsd: line 2: a pattern has more than 512 octets");
  std::string many, elements;
  for (int i = 0; i < 20; ++i) many += element("e" + std::to_string(i), repeated("a?", 250));
  BOOST_TEST(
      complaint(schema(many)).ends_with("the schema's patterns have more than 8192 octets in all"));
  for (int i = 0; i < 300; ++i) {
    elements += "<xs:element name=\"e" + std::to_string(i) +
                "\" minOccurs=\"0\"><xs:annotation><xs:appinfo><a:meaning kind=\"none\"/>"
                "</xs:appinfo></xs:annotation></xs:element>\n";
  }
  BOOST_TEST(complaint(schema(elements)).ends_with("the schema has more than 256 elements"));
  BOOST_TEST(complaint(schema("<xs:group ref=\"g\"/>"))
                 .ends_with("xs:group is not read; write its elements where they belong"));
}

BOOST_AUTO_TEST_SUITE_END()
