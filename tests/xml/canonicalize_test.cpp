// Canonical forms against xmllint, the examples of the recommendation, and the escapes by hand.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "../support/temporary_folder.h"
#include "xml/document.h"

namespace {

using namespace district;

std::shared_ptr<const xml::Document> parse(const std::string& text) {
  auto document = xml::Document::parse(as_bytes(text));
  BOOST_REQUIRE_MESSAGE(document, text + ": " + (document ? "" : document.error().detail));
  return *document;
}

std::string canonical(xml::Element element, const std::vector<std::string>& prefixes = {}) {
  auto text = xml::canonicalize(element, prefixes);
  return text ? *text : "failed: " + text.error().detail;
}

std::string by_xmllint(const std::string& text) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.file("in.xml"), std::ios::binary) << text;
  const std::string command = "xmllint --nonet --exc-c14n '" + folder.file("in.xml") + "'";
  const auto close = [](FILE* file) { ::pclose(file); };
  const std::unique_ptr<FILE, decltype(close)> pipe(::popen(command.c_str(), "r"), close);
  std::string out;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get()))
    out += static_cast<char>(c);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(canonicalize)

BOOST_AUTO_TEST_CASE(whole_documents_are_as_xmllint_has_them) {
  for (const char* text :
       {"<a/>", "<a b='1' a=\"2\"/>", "<a xmlns='urn:x'><b xmlns=''/></a>",
        "<p:a xmlns:p='urn:x' xmlns:unused='urn:y'><b xmlns:q='urn:q' q:z='1' z='2' "
        "p:z='3'/></p:a>",
        "<a>&lt;&amp;&gt;\"'&#13;\t\n<![CDATA[<&>]]></a>",
        "<a b='&lt;&amp;>&quot;&apos;&#9;&#10;&#13;  x'/>",
        "<a xml:lang='da'><b xml:space='preserve'> </b></a>", "<a>\r\nx\ry</a>",
        "<a>\xC3\xA6\xF0\x9F\x94\x8C&#xE6;</a>",
        "<x:a xmlns:x='urn:1'><x:a xmlns:x='urn:2'><x:a xmlns:x='urn:1'/></x:a></x:a>",
        "<a xmlns:b='urn:b' xmlns:a='urn:a' b:x='1' a:x='2' x='3'/>"}) {
    BOOST_TEST(canonical(parse(text)->root()) == by_xmllint(text), text);
  }
}

BOOST_AUTO_TEST_CASE(a_part_has_what_it_uses_of_its_ancestors_and_nothing_of_its_neighbours) {
  const auto document = parse(
      "<n0:r xmlns:n0='urn:0' xmlns:n1='urn:1' xmlns='urn:d' xml:lang='es'>before<n1:a "
      "n0:x='1'><b/></n1:a>after<n1:c/></n0:r>");
  const auto part = document->root().children()[0];
  BOOST_TEST(
      canonical(part) ==
      "<n1:a xmlns:n0=\"urn:0\" xmlns:n1=\"urn:1\" n0:x=\"1\"><b xmlns=\"urn:d\"></b></n1:a>");
  BOOST_TEST(canonical(part, {"#default"}).starts_with("<n1:a xmlns=\"urn:d\" xmlns:n0="));
  BOOST_TEST(canonical(part.children()[0]) == "<b xmlns=\"urn:d\"></b>");
  BOOST_TEST(canonical(part.children()[0], {"n1", "nowhere"}) ==
             "<b xmlns=\"urn:d\" xmlns:n1=\"urn:1\"></b>");
}

// Exclusive XML Canonicalization 1.0, section 2.2: the same element in two contexts.
BOOST_AUTO_TEST_CASE(context_does_not_show_but_through_the_prefix_list) {
  const std::string element =
      "<n1:elem2 xmlns:n1=\"http://example.net\" xml:lang=\"en\"><n3:stuff "
      "xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>";
  for (const char* context :
       {"<n0:local xmlns:n0='foo:bar' xmlns:n3='ftp://example.org'>",
        "<n2:pdu xmlns:n1='http://example.com' xmlns:n2='http://foo.example' xml:lang='fr'>"}) {
    const std::string name(context, 1, std::string(context).find(' ') - 1);
    const auto document = parse(context + element + "</" + name + ">");
    BOOST_TEST(canonical(document->root().children()[0]) == element);
  }
}

BOOST_AUTO_TEST_CASE(comments_vanish_and_leave_their_neighbours_as_one) {
  BOOST_TEST(canonical(parse("<!--1--><a><!--2-->9<!--3-->9</a><!--4-->")->root()) == "<a>99</a>");
}

BOOST_AUTO_TEST_CASE(the_tree_is_as_before) {
  const auto document = parse("<r><a>1</a><b>2</b></r>");
  const auto before = canonical(document->root());
  BOOST_TEST(canonical(document->root().children()[0]) == "<a>1</a>");
  BOOST_TEST(canonical(document->root()) == before);
}

BOOST_AUTO_TEST_CASE(escapes_are_those_of_the_canonical_form) {
  const std::string all = "<&>\"'\t\n\r \xC3\xA6";
  BOOST_TEST(xml::escape_text(all) == "&lt;&amp;&gt;\"'\t\n&#xD; \xC3\xA6");
  BOOST_TEST(xml::escape_attribute(all) == "&lt;&amp;>&quot;'&#x9;&#xA;&#xD; \xC3\xA6");
  const auto document =
      parse("<a b=\"" + xml::escape_attribute(all) + "\">" + xml::escape_text(all) + "</a>");
  BOOST_TEST(document->root().text() == all);
  BOOST_TEST(document->root().attribute("", "b").value() == all);
  BOOST_TEST(canonical(document->root()) ==
             "<a b=\"" + xml::escape_attribute(all) + "\">" + xml::escape_text(all) + "</a>");
}

BOOST_AUTO_TEST_SUITE_END()
