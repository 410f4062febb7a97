// The contract's schemas compile, and its examples are valid by them.
#include "xml/schema.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/limits.h"
#include "xml/namespaces.h"

namespace {

using namespace district;
namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  BOOST_REQUIRE_MESSAGE(in, file.string());
  return text.str();
}

xml::Element body_of(const xml::Document& document) { return document.root().children().back(); }

std::string reasons(const std::vector<Violation>& violations) {
  std::string text;
  for (const auto& violation : violations)
    text +=
        violation.path + " line " + std::to_string(violation.line) + ": " + violation.reason + "\n";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schema)

BOOST_AUTO_TEST_CASE(every_schema_of_the_contract_compiles) {
  xml::initialize();
  std::size_t compiled = 0;
  for (const auto name : xml::contract_files()) {
    if (!name.ends_with(".xsd")) continue;
    const auto schema = xml::Schema::compile(std::string(name));
    BOOST_TEST(schema.has_value(), (schema ? "" : schema.error().detail));
    ++compiled;
  }
  BOOST_TEST(compiled >= 9U);
}

BOOST_AUTO_TEST_CASE(the_example_requests_and_receipts_are_valid) {
  xml::initialize();
  const auto schema = xml::Schema::compile("aggregation.xsd");
  BOOST_REQUIRE(schema);
  std::size_t checked = 0;
  for (const auto& entry : fs::directory_iterator(DISTRICT_SOURCE_DIR "/wsdl/examples")) {
    if (entry.path().extension() != ".xml") continue;
    const std::string text = read(entry.path());
    const auto document = xml::Document::parse(as_bytes(text));
    BOOST_REQUIRE_MESSAGE(document, entry.path().string());
    const xml::Element payload = body_of(**document).children()[0];
    if (payload.namespace_uri() != xml::ns::kUrb) continue;  // faults
    BOOST_TEST(schema->validate(payload).empty(),
               entry.path().filename().string() + ": " + reasons(schema->validate(payload)));
    ++checked;
  }
  BOOST_TEST(checked >= 4U);
}

BOOST_AUTO_TEST_CASE(a_violation_names_path_line_and_reason) {
  xml::initialize();
  const auto schema = xml::Schema::compile("aggregation.xsd");
  BOOST_REQUIRE(schema);
  std::string text = read(DISTRICT_SOURCE_DIR "/wsdl/examples/request-kalundborg.xml");
  const auto at = text.find("<timestamp>") + 11;
  text.replace(at, text.find('<', at) - at, "yesterday");
  const auto line =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
  const auto document = *xml::Document::parse(as_bytes(text));
  const auto violations = schema->validate(body_of(*document).children()[0]);
  BOOST_REQUIRE(!violations.empty());
  BOOST_TEST(violations[0].path.find("/messages/message/head/timestamp") != std::string::npos,
             violations[0].path);
  BOOST_TEST(std::abs(violations[0].line - line) <= 1);
  BOOST_TEST(violations[0].reason.find("yesterday") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(violations_are_bounded_in_number_and_size) {
  xml::initialize();
  const auto schema = xml::Schema::compile("aggregation.xsd");
  std::string messages;
  for (int i = 0; i < 100; ++i)
    messages +=
        "<message><head><timestamp>" + std::string(5000, 'x') + "</timestamp></head></message>";
  const auto document = *xml::Document::parse(
      as_bytes("<urb:AggregateMessageRequest xmlns:urb='http://urb-grade.eu'><messages>" +
               messages + "</messages></urb:AggregateMessageRequest>"));
  const auto violations = schema->validate(document->root());
  BOOST_TEST(violations.size() == limits::kViolationsMax);
  for (const auto& violation : violations)
    BOOST_TEST(violation.reason.size() <= limits::kViolationReasonBytesMax + 3);
}

BOOST_AUTO_TEST_CASE(schemas_reach_nothing_outside_of_the_contract) {
  xml::initialize();
  for (const char* place :
       {"/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x.xsd", "../../etc/passwd"}) {
    const std::string text =
        "<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:include schemaLocation='" +
        std::string(place) + "'/></xs:schema>";
    BOOST_TEST(!xml::Schema::compile_text(text, "test.xsd").has_value(), place);
  }
}

BOOST_AUTO_TEST_SUITE_END()
