// What a sender may make the parser do, and what not.
#include <boost/test/unit_test.hpp>
#include <string>

#include "base/limits.h"
#include "xml/document.h"

namespace {

using namespace district;

std::string repeated(const std::string& text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

ErrorCode refusal(const std::string& text) {
  const auto guarded = xml::guard(text);
  return guarded ? ErrorCode{} : guarded.error().code;
}

std::string attributes(std::size_t count, const std::string& prefix = "a") {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += " " + prefix + std::to_string(i) + "=\"urn:" + std::to_string(i) + "\"";
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard)

BOOST_AUTO_TEST_CASE(ordinary_text_passes) {
  for (const char* text : {"", "<a/>", "<a b='>' c=\"'\"/>", "<a\n b = \"1\"\t>x</a >",
                           "<!-- <!DOCTYPE> <?x?> --><a/>",
                           "<a><![CDATA[<!DOCTYPE x> <?y?> ]] >]]></a>", "<a>]]&gt; -- > </a>"}) {
    BOOST_TEST(xml::guard(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(document_types_and_instructions_are_refused_wherever_they_stand) {
  for (const char* text : {"<!DOCTYPE a><a/>", "<!doctype a>", "<a><!ENTITY x 'y'></a>",
                           "<![INCLUDE[", "<!---><!-- --><!X", "<?xml version='1.0'?>", "<a/><?x?>",
                           "<a b='<!--'><!DOCTYPE", "<!--a--><![CDATA[x]]><!ELEMENT"}) {
    BOOST_TEST(
        (refusal(text) == ErrorCode::xml_forbidden || refusal(text) == ErrorCode::xml_malformed),
        text);
    BOOST_TEST(!xml::guard(text).has_value(), text);
  }
}

BOOST_AUTO_TEST_CASE(a_quoted_sign_hides_nothing) {
  BOOST_TEST((refusal("<a b='-->' c=\"]]>\"/><!DOCTYPE x>") == ErrorCode::xml_forbidden));
  BOOST_TEST((refusal("<a b=\"'\"/><?x?><a b=\"'\"/>") == ErrorCode::xml_forbidden));
}

BOOST_AUTO_TEST_CASE(unfinished_markup_is_malformed) {
  for (const char* text : {"<", "<a", "<a b", "<a b=", "<a b='", "<a b='x'", "</a", "<!-- ",
                           "<![CDATA[ ]]", "< a>", "<a><<"}) {
    BOOST_TEST((refusal(text) == ErrorCode::xml_malformed), text);
  }
}

BOOST_AUTO_TEST_CASE(each_limit_holds_at_its_number_and_not_before) {
  const auto depth = limits::kXmlDepthMax;
  BOOST_TEST(xml::guard(repeated("<a>", depth) + repeated("</a>", depth)).has_value());
  BOOST_TEST((refusal(repeated("<a>", depth + 1)) == ErrorCode::limit_exceeded));
  BOOST_TEST(
      xml::guard("<a>" + repeated("<b/>", 10 * depth) + repeated("<b></b>", 10 * depth) + "</a>")
          .has_value());

  const auto many = limits::kXmlAttributesPerTagMax;
  BOOST_TEST(xml::guard("<a" + attributes(many) + "/>").has_value());
  BOOST_TEST((refusal("<a" + attributes(many + 1) + "/>") == ErrorCode::limit_exceeded));

  const std::string name(limits::kXmlNameBytesMax, 'n');
  BOOST_TEST(xml::guard("<" + name + "/>").has_value());
  BOOST_TEST((refusal("<" + name + "n/>") == ErrorCode::limit_exceeded));

  BOOST_TEST((refusal("<a b='" + std::string(limits::kXmlTagBytesMax, 'x') + "'/>") ==
              ErrorCode::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(different_names_are_bounded_whether_of_elements_attributes_or_namespaces) {
  for (const char* form : {"<n#/>", "<a n#=''/>", "<a xmlns='urn:#'/>", "<a xmlns:p='urn:#'/>"}) {
    std::string text = "<a>";
    for (std::size_t i = 0; i <= limits::kXmlDistinctNamesMax; ++i) {
      std::string one(form);
      text += one.replace(one.find('#'), 1, std::to_string(i));
    }
    BOOST_TEST((refusal(text + "</a>") == ErrorCode::limit_exceeded), form);
  }
}

BOOST_AUTO_TEST_CASE(namespaces_in_scope_are_bounded_and_leave_with_their_element) {
  const std::string fifty = "<a" + attributes(50, "xmlns:p") + ">";
  BOOST_TEST(xml::guard("<r>" + repeated(fifty + fifty + "</a></a>", 100) + "</r>").has_value());
  BOOST_TEST((refusal(repeated(fifty, 3)) == ErrorCode::limit_exceeded));
}

BOOST_AUTO_TEST_SUITE_END()
