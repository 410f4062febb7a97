// The canonical form of a stream is that of libxml2's tree.
#include "xml/canonicalizer.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "../support/canonical_forms.h"
#include "../support/random_xml.h"
#include "../support/xml_streams.h"
#include "xml/document.h"

namespace {

using namespace district;
using Prefixes = std::vector<std::string>;

std::shared_ptr<const xml::Document> parse(const std::string& text) {
  auto document = xml::Document::parse(as_bytes(text));
  BOOST_REQUIRE_MESSAGE(document, text + ": " + (document ? "" : document.error().detail));
  return *document;
}

void same(const std::string& text, const Prefixes& prefixes = {}) {
  const auto difference = test::canonical_difference(*parse(text), prefixes);
  BOOST_TEST(difference.empty(), text << "\n" << difference);
}

// The first child of the root, by the stream.
std::string of_child(const std::string& text, const Prefixes& prefixes = {}) {
  same(text, prefixes);
  return test::canonical_stream(parse(text)->root().children()[0], prefixes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(canonicalizer)

BOOST_AUTO_TEST_CASE(namespaces_are_rendered_where_they_are_used_and_not_again) {
  BOOST_TEST(of_child("<r xmlns:a='urn:a' xmlns:unused='urn:u'><a:e><a:f/><g/></a:e></r>") ==
             "<a:e xmlns:a=\"urn:a\"><a:f></a:f><g></g></a:e>");
  BOOST_TEST(of_child("<r xmlns:a='urn:a'><e><a:f/><a:f/></e></r>") ==
             "<e><a:f xmlns:a=\"urn:a\"></a:f><a:f xmlns:a=\"urn:a\"></a:f></e>");
  // Used by an attribute only.
  BOOST_TEST(of_child("<r xmlns:b='urn:b' xmlns:a='urn:a'><e b:x='1' a:x='2'/></r>") ==
             "<e xmlns:a=\"urn:a\" xmlns:b=\"urn:b\" a:x=\"2\" b:x=\"1\"></e>");
}

BOOST_AUTO_TEST_CASE(prefixes_that_are_bound_anew_and_back_again_are_rendered_each_time) {
  BOOST_TEST(of_child("<r xmlns:a='urn:1'><a:e><a:e xmlns:a='urn:2'><a:e xmlns:a='urn:1'/><a:f/>"
                      "</a:e><a:g/></a:e></r>") ==
             "<a:e xmlns:a=\"urn:1\"><a:e xmlns:a=\"urn:2\"><a:e xmlns:a=\"urn:1\"></a:e>"
             "<a:f></a:f></a:e><a:g></a:g></a:e>");
  // Declared again as it is.
  BOOST_TEST(of_child("<r xmlns:a='urn:1'><a:e><a:f xmlns:a='urn:1'/></a:e></r>") ==
             "<a:e xmlns:a=\"urn:1\"><a:f></a:f></a:e>");
}

BOOST_AUTO_TEST_CASE(the_default_namespace_is_undeclared_where_the_output_has_one) {
  BOOST_TEST(of_child("<r xmlns='urn:d'><e><f xmlns=''><g/></f></e></r>") ==
             "<e xmlns=\"urn:d\"><f xmlns=\"\"><g></g></f></e>");
  BOOST_TEST(of_child("<r xmlns='urn:d'><e xmlns=''/></r>") == "<e></e>");
  BOOST_TEST(of_child("<r xmlns='urn:d' xmlns:a='urn:a'><a:e><f xmlns=''/><f/></a:e></r>") ==
             "<a:e xmlns:a=\"urn:a\"><f></f><f xmlns=\"urn:d\"></f></a:e>");
}

BOOST_AUTO_TEST_CASE(a_prefix_list_renders_what_is_in_scope) {
  const std::string text =
      "<r xmlns='urn:d' xmlns:a='urn:a' xmlns:b='urn:b'><a:e><b:f xmlns:a='urn:2'/></a:e></r>";
  BOOST_TEST(of_child(text, {"b"}) == "<a:e xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"><b:f></b:f></a:e>");
  BOOST_TEST(of_child(text, {"a"}) ==
             "<a:e xmlns:a=\"urn:a\"><b:f xmlns:a=\"urn:2\" xmlns:b=\"urn:b\"></b:f></a:e>");
  BOOST_TEST(of_child(text, {"#default"}) ==
             "<a:e xmlns=\"urn:d\" xmlns:a=\"urn:a\"><b:f xmlns:b=\"urn:b\"></b:f></a:e>");
  BOOST_TEST(of_child(text, {"nowhere", "xml", "r"}) == of_child(text));
  BOOST_TEST(of_child(text, {"b", "a", "#default", "b"}) ==
             "<a:e xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"><b:f xmlns:a=\"urn:2\">"
             "</b:f></a:e>");
}

BOOST_AUTO_TEST_CASE(a_prefix_list_with_the_default_namespace_shows_where_it_is_undeclared) {
  const std::string text = "<r xmlns='urn:d' xmlns:a='urn:a'><a:e><a:f xmlns=''/></a:e></r>";
  BOOST_TEST(of_child(text, {"#default"}) ==
             "<a:e xmlns=\"urn:d\" xmlns:a=\"urn:a\"><a:f xmlns=\"\"></a:f></a:e>");
  BOOST_TEST(of_child("<r xmlns='urn:d'><e xmlns=''/></r>", {"#default"}) == "<e></e>");
  BOOST_TEST(of_child("<r><e/></r>", {"#default"}) == "<e></e>");
}

BOOST_AUTO_TEST_CASE(attributes_of_xml_are_never_inherited_and_need_no_declaration) {
  BOOST_TEST(of_child("<r xml:lang='da' xml:space='preserve'><e/></r>") == "<e></e>");
  BOOST_TEST(of_child("<r><e xml:lang='es' a='1' xml:space='default'/></r>", {"xml"}) ==
             "<e a=\"1\" xml:lang=\"es\" xml:space=\"default\"></e>");
  BOOST_TEST(of_child("<r><e xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='x'/></r>",
                      {"xml"}) == "<e xml:lang=\"x\"></e>");
}

BOOST_AUTO_TEST_CASE(attributes_are_ordered_by_namespace_and_then_by_name) {
  BOOST_TEST(of_child("<r xmlns:a='urn:z' xmlns:z='urn:a' xmlns:m='urn:m'>"
                      "<e z:b='1' a:b='2' m:a='3' m:B='4' b='5' xml:lang='6' a='7'/></r>") ==
             "<e xmlns:a=\"urn:z\" xmlns:m=\"urn:m\" xmlns:z=\"urn:a\" a=\"7\" b=\"5\" "
             "xml:lang=\"6\" z:b=\"1\" m:B=\"4\" m:a=\"3\" a:b=\"2\"></e>");
}

BOOST_AUTO_TEST_CASE(entities_and_white_space_are_as_the_recommendation_has_them) {
  BOOST_TEST(of_child("<r><e a='&lt;&amp;>&quot;&apos;&#9;&#10;&#13;\t\n\r\n\rx'/></r>") ==
             "<e a=\"&lt;&amp;>&quot;'&#x9;&#xA;&#xD;    x\"></e>");
  BOOST_TEST(of_child("<r><e>&lt;&amp;&gt;\"'&#13;&#10;\t\r\n\r>]]&gt;</e></r>") ==
             "<e>&lt;&amp;&gt;\"'&#xD;\n\t\n\n&gt;]]&gt;</e>");
  BOOST_TEST(of_child("<r><e><![CDATA[<&>\r\n\"]]]]><![CDATA[>]]></e></r>") ==
             "<e>&lt;&amp;&gt;\n\"]]&gt;</e>");
}

BOOST_AUTO_TEST_CASE(comments_vanish) {
  BOOST_TEST(of_child("<r><e><!--1-->9<!-- <x/> -->9<f><!----></f></e></r>") == "<e>99<f></f></e>");
}

BOOST_AUTO_TEST_CASE(characters_of_any_length_pass) {
  BOOST_TEST(of_child("<r><\xC3\xA6 \xC3\xB8='\xF0\x9F\x94\x8C&#x1F50C;'>\xE2\x82\xAC&#x10FFFF;"
                      "\x7F</\xC3\xA6></r>") ==
             "<\xC3\xA6 \xC3\xB8=\"\xF0\x9F\x94\x8C\xF0\x9F\x94\x8C\">\xE2\x82\xAC"
             "\xF4\x8F\xBF\xBF\x7F</\xC3\xA6>");
}

BOOST_AUTO_TEST_CASE(large_texts_come_in_pieces_and_whole_at_the_end) {
  std::string text = "<r><e>";
  for (int i = 0; i < 20'000; ++i) text += "<f a='&lt;'>&amp;text</f>";
  const auto document = parse(text + "</e></r>");
  std::string streamed;
  std::size_t pieces = 0;
  xml::Canonicalizer canonicalizer({}, [&](std::string_view octets) {
    streamed += octets;
    ++pieces;
  });
  xml::walk(document->root().children()[0], canonicalizer);
  BOOST_TEST(pieces > 10U);
  BOOST_TEST((streamed == *xml::canonicalize(document->root().children()[0])));
}

BOOST_AUTO_TEST_CASE(two_thousand_random_documents_are_as_libxml2_has_them) {
  std::mt19937 random(1);
  test::RandomXml generator([&](std::size_t bound) { return random() % bound; });
  for (int i = 0; i < 2000; ++i) {
    const std::string text = generator.document();
    const auto prefixes = generator.prefix_list();
    const auto document = parse(text);
    const auto difference = test::canonical_difference(*document, prefixes);
    BOOST_REQUIRE_MESSAGE(difference.empty(), text << "\n" << difference);
    test::Blocks source(as_bytes(text), 1 + random() % 50);
    const auto of_body = test::body_difference(*document, source, prefixes);
    BOOST_REQUIRE_MESSAGE(of_body.empty(), text << "\n" << of_body);
  }
}

BOOST_AUTO_TEST_SUITE_END()
