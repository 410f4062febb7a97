// A schema finds in a stream what it finds in a tree.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "base/limits.h"
#include "xml/document.h"
#include "xml/envelope_reader.h"
#include "xml/namespaces.h"
#include "xml/schema.h"

namespace {

using namespace district;
namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    xml::initialize();
    auto compiled = xml::Schema::compile("aggregation.xsd");
    BOOST_REQUIRE_MESSAGE(compiled, (compiled ? "" : compiled.error().detail));
    schema = *std::move(compiled);
  }

  std::vector<std::string> by_tree(xml::Element element) const {
    std::vector<std::string> reasons;
    for (const auto& violation : schema.validate(element)) reasons.push_back(violation.reason);
    return reasons;
  }
  std::vector<std::string> by_stream(xml::Element element) const {
    std::vector<std::string> reasons;
    xml::SchemaStream stream(schema,
                             [&](std::string reason) { reasons.push_back(std::move(reason)); });
    xml::walk(element, stream);
    if (reasons.size() > limits::kViolationsMax) reasons.resize(limits::kViolationsMax);
    return reasons;
  }
  // Of the text, or nothing when it is no document. Gives whether it was valid.
  bool same(const std::string& text) const {
    const auto document = xml::Document::parse(as_bytes(text));
    if (!document) return false;
    const auto expected = by_tree((*document)->root());
    const auto found = by_stream((*document)->root());
    BOOST_TEST(found == expected, boost::test_tools::per_element());
    if (found != expected) BOOST_TEST_MESSAGE(text);
    return expected.empty();
  }

  xml::Schema schema;
};

// The elements in the Bodies of the contract's examples.
std::vector<std::string> requests() {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(DISTRICT_SOURCE_DIR "/wsdl/examples")) {
    if (!entry.path().filename().string().starts_with("request-")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    const auto document = xml::Document::parse(as_bytes(text.str()));
    BOOST_REQUIRE(document);
    const auto body = (*document)->root().children().back();
    found.push_back(xml::canonicalize(body.children()[0]).value());
  }
  BOOST_REQUIRE(found.size() >= 4U);
  return found;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(schema_stream, Fixture)

BOOST_AUTO_TEST_CASE(good_requests_are_valid) {
  for (const std::string& text : requests()) BOOST_TEST(same(text), text);
}

BOOST_AUTO_TEST_CASE(bad_requests_have_the_same_violations) {
  for (const std::string& text : requests()) {
    for (const auto& [from, to] :
         {std::pair<std::string, std::string>{"<timestamp>", "<timestamp>x"},
          {"<type>", "<type>/"},
          {"<messages>", "<messages><extra/>"},
          {"<head>", "<head a='1' b='2'>"},
          {"<head>", "<head>text"},
          {"<message>", "<message xmlns='urn:x'>"},
          {"tenantCode>", "code>"},
          {"<content>", "<content><gcontent/>"}}) {
      std::string bad = text;
      for (auto at = bad.find(from); at != std::string::npos; at = bad.find(from, at + to.size()))
        bad.replace(at, from.size(), to);
      same(bad);
    }
  }
}

BOOST_AUTO_TEST_CASE(elements_that_are_lost_doubled_or_moved_have_the_same_violations) {
  std::mt19937 random(5);
  const auto texts = requests();
  int valid = 0;
  int tried = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string text = texts[random() % texts.size()];
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto from = text.find('<', random() % text.size());
      const auto to = from == std::string::npos ? from : text.find('>', from);
      if (to == std::string::npos) continue;
      const std::string tag = text.substr(from, to + 1 - from);
      if (tag.starts_with("</")) continue;
      const std::string end = "</" + tag.substr(1, tag.find_first_of(" >") - 1) + ">";
      const auto behind = text.find(end, to);
      if (behind == std::string::npos) continue;
      const std::string whole = text.substr(from, behind + end.size() - from);
      switch (random() % 4) {
        case 0:
          text.erase(from, whole.size());
          break;
        case 1:
          text.insert(from, whole);
          break;
        case 2:
          text.replace(to + 1, behind - to - 1, random() % 2 == 0 ? "" : "<x/>9");
          break;
        default:
          if (const auto place = text.find('<', random() % text.size()); place != std::string::npos)
            text.insert(place, whole);
      }
    }
    ++tried;
    if (same(text)) ++valid;
  }
  BOOST_TEST_MESSAGE(tried << " changed, " << valid << " of them still valid");
  BOOST_TEST(valid < tried);
}

BOOST_AUTO_TEST_CASE(reasons_are_bounded) {
  std::size_t longest = 0;
  xml::SchemaStream stream(
      schema, [&](const std::string& reason) { longest = std::max(longest, reason.size()); });
  const std::string text =
      "<urb:AggregateMessageRequest xmlns:urb='http://urb-grade.eu'>"
      "<messages><message><head><timestamp>" +
      std::string(5000, 'x') +
      "</timestamp></head></message></messages></urb:AggregateMessageRequest>";
  const auto document = xml::Document::parse(as_bytes(text));
  BOOST_REQUIRE(document);
  xml::walk((*document)->root(), stream);
  BOOST_TEST(longest > 100U);
  BOOST_TEST(longest <= limits::kViolationReasonBytesMax + 3);
}

BOOST_AUTO_TEST_SUITE_END()
