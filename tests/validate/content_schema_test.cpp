#include "validate/content_schema.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "xml/document.h"
#include "xml/schema.h"

namespace {

using namespace district;
using validate::ElementMeaning;
using validate::read_content_schema;

std::string element(const std::string& name, const std::string& annotation) {
  return "<xs:element name=\"" + name + "\" type=\"xs:token\"><xs:annotation><xs:appinfo>" +
         annotation + "</xs:appinfo></xs:annotation></xs:element>\n";
}

std::string schema(const std::string& elements, const std::string& on_gcontent = "") {
  return "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
         "xmlns:a=\"http://urb-grade.eu/annotations\">\n"
         "<xs:element name=\"gcontent\"><xs:annotation><xs:appinfo>" +
         on_gcontent +
         "</xs:appinfo></xs:annotation>"
         "<xs:complexType><xs:sequence>\n" +
         elements + "</xs:sequence></xs:complexType></xs:element></xs:schema>";
}

const std::string kStart = element("from", "<a:role>period-start</a:role>");
const std::string kEnd = element("to", "<a:role>period-end</a:role>");
const std::string kEnergy =
    element("energy", "<a:meaning kind=\"interval\" quantity=\"active_energy\" unit=\"kWh\"/>");

void refused(const std::string& text, const std::string& expected) {
  const auto content = read_content_schema("content/009-001.xsd", text);
  BOOST_REQUIRE(!content);
  BOOST_TEST(static_cast<int>(content.error().code) == static_cast<int>(ErrorCode::config_invalid));
  BOOST_TEST(content.error().detail.find("content/009-001.xsd") != std::string::npos,
             content.error().detail);
  BOOST_TEST(content.error().detail.find(expected) != std::string::npos, content.error().detail);
}

struct Libraries {
  Libraries() { xml::initialize(); }
};

BOOST_FIXTURE_TEST_SUITE(content_schema, Libraries)

BOOST_AUTO_TEST_CASE(annotations_become_meanings) {
  const auto content = read_content_schema(
      "content/009-0.0.2.xsd",
      schema(kStart + kEnd + kEnergy + element("id", "<a:role> meter </a:role>") +
             element("r", "<a:meaning kind=\"register\" quantity=\"register\" unit=\"meter\"/>") +
             element("remark", "<a:meaning kind=\"none\"/>")));
  BOOST_REQUIRE_MESSAGE(content, (content ? "" : content.error().detail));
  BOOST_TEST(content->type == "009");
  BOOST_TEST(content->version == "0.0.2");
  BOOST_TEST(!content->master_data);
  BOOST_REQUIRE(content->elements.size() == 6U);
  BOOST_TEST((content->elements[0].role == ElementMeaning::Role::period_start));
  BOOST_TEST((content->elements[2].role == ElementMeaning::Role::value));
  BOOST_TEST(content->elements[2].unit == "kWh");
  BOOST_TEST((content->elements[3].role == ElementMeaning::Role::meter));
  BOOST_TEST((content->elements[4].kind == ValueKind::reading));
  BOOST_TEST((content->elements[5].role == ElementMeaning::Role::none));
}

BOOST_AUTO_TEST_CASE(annotations_without_sense_are_refused_by_file_and_element) {
  refused(schema(kEnergy), "energy");
  refused(schema(kStart + kEnergy), "period");
  const auto estimated = element("guess", "<a:role>estimated</a:role>");
  refused(schema(estimated + element("other", "<a:role>estimated</a:role>")), "twice");
  refused(schema("<xs:element name=\"bare\" type=\"xs:token\"/>"), "bare");
  refused(schema(element("x", "<a:meaning kind=\"sometimes\"/>")), "sometimes");
  refused(schema(element("x", "<a:meaning kind=\"instant\" unit=\"W\"/>")), "quantity");
  refused(schema(element("x", "<a:meaning kind=\"instant\" quantity=\"q\"/>")), "unit");
  refused(schema(element("x", "<a:role>king</a:role>")), "king");
  refused(schema(element("x", "<a:other/>")), "other");
  refused(schema(element("x", "<a:role>meter</a:role><a:meaning kind=\"none\"/>")), "exactly one");
  refused(schema(element("x", "<a:role>meter</a:role>") + element("y", "<a:role>meter</a:role>")),
          "twice");
  refused(schema(element("x", "<a:role>attribute</a:role>")), "x");
  refused(schema(kEnergy, "<a:content master-data=\"perhaps\"/>"), "master-data");
  refused(schema(kEnergy, "<a:content master-data=\"true\"/>"), "energy");
  refused("<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"/>", "gcontent");
  refused("<not xml", "line 1");
}

BOOST_AUTO_TEST_CASE(a_file_name_gives_type_and_version) {
  for (const char* file : {"content/009.xsd", "009-001.xsd", "content/009-001.xml"}) {
    BOOST_TEST(!read_content_schema(file, schema(kStart + kEnd + kEnergy)));
  }
}

BOOST_AUTO_TEST_CASE(every_annotation_of_the_contract_follows_the_vocabulary) {
  const auto vocabulary = xml::Schema::compile("annotations.xsd");
  BOOST_REQUIRE_MESSAGE(vocabulary, (vocabulary ? "" : vocabulary.error().detail));
  std::size_t checked = 0;
  for (const auto name : xml::contract_files()) {
    if (!name.starts_with("content/")) continue;
    const auto document = xml::Document::parse(as_bytes(*xml::contract_file(name)));
    BOOST_REQUIRE(document);
    std::vector<xml::Element> open{(*document)->root()};
    while (!open.empty()) {
      const auto at = open.back();
      open.pop_back();
      for (const auto child : at.children()) open.push_back(child);
      if (at.namespace_uri() != "http://urb-grade.eu/annotations") continue;
      ++checked;
      for (const auto& violation : vocabulary->validate(at))
        BOOST_ERROR(std::string(name) + ": " + violation.reason);
    }
  }
  BOOST_TEST(checked > 40U);
}

BOOST_AUTO_TEST_CASE(published_files_lead_to_each_other) {
  const auto wsdl = xml::published_contract_file("aggregation.wsdl", "https://d.example/s?a=1&b=2");
  BOOST_REQUIRE(wsdl);
  BOOST_TEST(wsdl->find("PUBLIC_URL") == std::string::npos);
  BOOST_TEST(wsdl->find("location=\"https://d.example/s?a=1&amp;b=2\"") != std::string::npos);
  for (const auto name : xml::contract_files()) {
    const auto text = xml::published_contract_file(name, "https://d.example/s");
    BOOST_REQUIRE(text);
    for (std::size_t at = text->find("schemaLocation=\""); at != std::string::npos;
         at = text->find("schemaLocation=\"", at + 1)) {
      const std::string place = text->substr(at + 16, text->find('"', at + 16) - at - 16);
      BOOST_TEST(place.starts_with("https://d.example/s?xsd="), place);
      BOOST_TEST(xml::contract_file(place.substr(place.find('=') + 1)).has_value(), place);
    }
  }
  BOOST_TEST(!xml::published_contract_file("../LICENSE", "https://d.example/s"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
