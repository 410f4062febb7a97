// What a sender may make the parser do, and what not.
#include "xml/guard.h"

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

// Of the text in pieces of so many octets; 0: accepted.
ErrorCode guarded(std::string_view text, std::size_t piece) {
  xml::Guard guard;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    const auto checked = guard.check(text.substr(at, piece));
    if (!checked) return checked.error().code;
  }
  return ErrorCode{};
}

// The same wherever the text is cut.
ErrorCode guarded(std::string_view text) {
  const ErrorCode whole = guarded(text, text.size() + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}})
    BOOST_TEST((guarded(text, piece) == whole),
               "in pieces of " << piece << ": " << text.substr(0, 200));
  for (std::size_t cut = 0; cut < text.size() && text.size() < 200; ++cut) {
    xml::Guard guard;
    auto checked = guard.check(text.substr(0, cut));
    if (checked) checked = guard.check(text.substr(cut));
    BOOST_TEST(((checked ? ErrorCode{} : checked.error().code) == whole),
               "cut at " << cut << ": " << text);
  }
  return whole;
}

// Of the whole document.
ErrorCode refusal(const std::string& text) {
  const auto parsed = xml::Document::parse(as_bytes(text));
  return parsed ? ErrorCode{} : parsed.error().code;
}

constexpr ErrorCode kAccepted{};

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
    BOOST_TEST((guarded(text) == kAccepted), text);
  }
}

BOOST_AUTO_TEST_CASE(the_end_of_a_section_in_text_is_malformed) {
  for (const char* text : {"<a>]]></a>", "<a>x]]]]>", "]]>", "<a><![CDATA[]]>]]></a>"})
    BOOST_TEST((guarded(text) == ErrorCode::xml_malformed), text);
  for (const char* text : {"<a>]]<b/>></a>", "<a>] ]></a>", "<a>]]<!---->></a>", "<a>]></a>",
                           "<a><![CDATA[]]>></a>", "<a b=']]>'/>", "<a><!-- ]]> --></a>"})
    BOOST_TEST((guarded(text) == kAccepted), text);
}

BOOST_AUTO_TEST_CASE(document_types_and_instructions_are_refused_wherever_they_stand) {
  for (const char* text :
       {"<!DOCTYPE a><a/>", "<!doctype a>", "<a><!ENTITY x 'y'></a>", "<![INCLUDE[",
        "<!---><!-- --><!X", "<?xml version='1.0'?>", "<a/><?x?>", "<a b='<!--'><!DOCTYPE",
        "<!--a--><![CDATA[x]]><!ELEMENT", "<a></a><?x?>", "<a/><!-x"}) {
    BOOST_TEST((guarded(text) == ErrorCode::xml_forbidden), text);
    BOOST_TEST((refusal(text) != kAccepted), text);
  }
}

BOOST_AUTO_TEST_CASE(a_quoted_sign_hides_nothing) {
  BOOST_TEST((guarded("<a b='-->' c=\"]]>\"/><!DOCTYPE x>") == ErrorCode::xml_forbidden));
  BOOST_TEST((guarded("<a b=\"'\"/><?x?><a b=\"'\"/>") == ErrorCode::xml_forbidden));
}

BOOST_AUTO_TEST_CASE(unfinished_markup_is_malformed) {
  for (const char* text : {"<", "<a", "<a b", "<a b=", "<a b='", "<a b='x'", "</a", "<!-- ",
                           "<a><!-", "<a><![CDATA[ ]]", "< a>", "<a><<", "<a <b/>"}) {
    BOOST_TEST((refusal(text) == ErrorCode::xml_malformed), text);
  }
}

BOOST_AUTO_TEST_CASE(each_limit_of_a_tag_holds_at_its_number_and_not_before) {
  const auto many = limits::kXmlAttributesPerTagMax;
  BOOST_TEST((guarded("<a" + attributes(many) + "/>") == kAccepted));
  BOOST_TEST((guarded("<a" + attributes(many + 1) + "/>") == ErrorCode::limit_exceeded));
  BOOST_TEST((guarded(repeated("<a" + attributes(many) + "/>", 3)) == kAccepted));

  const auto tag = [](std::size_t octets) {  // between its angle brackets
    return "<a b='" + std::string(octets - 7, 'x') + "'/>";
  };
  BOOST_TEST((guarded(tag(limits::kXmlTagBytesMax)) == kAccepted));
  BOOST_TEST((guarded(tag(limits::kXmlTagBytesMax + 1)) == ErrorCode::limit_exceeded));
  BOOST_TEST(
      (guarded(std::string_view(tag(2 * limits::kXmlTagBytesMax))) == ErrorCode::limit_exceeded));
  BOOST_TEST((guarded("<a></a" + std::string(limits::kXmlTagBytesMax, ' ') + ">") ==
              ErrorCode::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(text_between_two_tags_is_bounded_however_it_is_written) {
  const auto most = limits::kXmlTextBytesMax;
  BOOST_TEST((guarded("<a>" + std::string(most, 'x') + "</a>") == kAccepted));
  BOOST_TEST((guarded("<a>" + std::string(most + 1, 'x') + "</a>") == ErrorCode::limit_exceeded));
  const std::string half(most / 2, 'x');
  BOOST_TEST((guarded("<a>" + half + "<b/>" + half + "</a>") == kAccepted));
  BOOST_TEST((guarded("<a>" + half + "<!--" + half + "-->x</a>") == ErrorCode::limit_exceeded));
  BOOST_TEST(
      (guarded("<a>" + half + "<![CDATA[" + half + "]]>x</a>") == ErrorCode::limit_exceeded));
  BOOST_TEST((guarded("<!--" + std::string(most + 1, '-')) == ErrorCode::limit_exceeded));
}

// Of the whole text, once there is no more.
ErrorCode finished(std::string_view text) {
  xml::Guard guard;
  const auto checked = guard.check(text);
  if (!checked) return checked.error().code;
  const auto ended = guard.finish();
  return ended ? kAccepted : ended.error().code;
}

BOOST_AUTO_TEST_CASE(a_document_that_is_cut_off_is_malformed) {
  for (const std::string root : {"<a/>", "<a></a>", "<a b='/'></a>", "<a b='>'/>", "<a ></a >",
                                 "<a>x<b/>y</a>", "<a><![CDATA[</a>]]><!--</a>--></a>"}) {
    BOOST_TEST((finished("<!-- <a> -->" + root + "\n<!-- </a> -->\n") == kAccepted), root);
    for (std::size_t cut = 1; cut < root.size(); ++cut)
      BOOST_TEST((finished(root.substr(0, cut)) == ErrorCode::xml_malformed), root.substr(0, cut));
  }
  for (const char* text : {"<a>", "<a/ >", "<a/b>", "<a><b/>", "<a b='/'>", "<a></a", "<a/><!--"})
    BOOST_TEST((finished(text) == ErrorCode::xml_malformed), text);
}

BOOST_AUTO_TEST_CASE(an_end_tag_of_no_element_is_malformed) {
  for (const char* text : {"</a>", "<a/></a>", "<a></a></a>", "x</a>"})
    BOOST_TEST((guarded(text) == ErrorCode::xml_malformed), text);
}

BOOST_AUTO_TEST_CASE(a_refusal_says_where) {
  const std::string text = "<a>" + repeated("<b/>", 30) + "<?x?></a>";  // '?' is octet 124
  for (const std::size_t piece : {text.size(), std::size_t{50}, std::size_t{1}}) {
    xml::Guard guard;
    Result<Ok> checked;
    for (std::size_t at = 0; checked && at < text.size(); at += piece)
      checked = guard.check(text.substr(at, piece));
    BOOST_REQUIRE(!checked);
    BOOST_TEST(checked.error().detail == "a processing instruction near octet 124");
  }
}

BOOST_AUTO_TEST_CASE(an_xml_declaration_within_the_document_is_named) {
  for (const std::string inner : {"<?xml version='1.0'?>", "<?xml\tversion='1.0'?><b/>"}) {
    xml::Guard guard;
    const auto checked = guard.check("<a>" + inner + "</a>");
    BOOST_REQUIRE(!checked);
    BOOST_TEST((checked.error().code == ErrorCode::xml_forbidden));
    BOOST_TEST(checked.error().detail == "an XML declaration within the document near octet 4");
  }
}

BOOST_AUTO_TEST_CASE(levels_are_bounded_before_the_parser_sees_them) {
  const auto depth = limits::kXmlDepthMax;
  BOOST_TEST((guarded(repeated("<a>", depth)) == kAccepted));
  BOOST_TEST((guarded(repeated("<a>", depth + 1)) == ErrorCode::limit_exceeded));
  BOOST_TEST((guarded(repeated("<a>", depth - 1) + "<a/><a/>") == kAccepted));
  BOOST_TEST((guarded(repeated("<a>", depth) + "<a/>") == ErrorCode::limit_exceeded));
  BOOST_TEST((guarded(repeated("<a>", depth) + "</a><a b='/'>") == kAccepted));
}

BOOST_AUTO_TEST_CASE(levels_and_names_are_bounded) {
  const auto depth = limits::kXmlDepthMax;
  BOOST_TEST((refusal(repeated("<a>", depth) + repeated("</a>", depth)) == kAccepted));
  BOOST_TEST((refusal(repeated("<a>", depth + 1) + repeated("</a>", depth + 1)) ==
              ErrorCode::limit_exceeded));
  BOOST_TEST((refusal("<a>" + repeated("<b/>", 10 * depth) + repeated("<b></b>", 10 * depth) +
                      "</a>") == kAccepted));

  const std::string name(limits::kXmlNameBytesMax, 'n');
  BOOST_TEST((refusal("<" + name + "/>") == kAccepted));
  for (const std::string& bad :
       {"<" + name + "n/>", "<a " + name + "n='x'/>", "<a xmlns:" + name + "n='urn:x'/>",
        "<a xmlns='urn:" + name + "'/>"}) {
    BOOST_TEST((refusal(bad) == ErrorCode::limit_exceeded), bad);
  }
}

BOOST_AUTO_TEST_CASE(different_names_are_bounded_whether_of_elements_attributes_or_namespaces) {
  for (const char* form : {"<n#/>", "<a n#=''/>", "<a xmlns='urn:#'/>", "<a xmlns:p='urn:#'/>",
                           "<a xmlns:p#='urn:x'/>"}) {
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
  BOOST_TEST((refusal("<r>" + repeated(fifty + fifty + "</a></a>", 100) + "</r>") == kAccepted));
  BOOST_TEST((refusal(repeated(fifty, 3) + repeated("</a>", 3)) == ErrorCode::limit_exceeded));
}

BOOST_AUTO_TEST_CASE(namespace_names_without_one_canonical_form_are_malformed) {
  for (const char* name : {"relative", "../x", "1a:x", ":x", "a b:x", "http://x/?a=1&amp;b=2",
                           "http://x/?a=1&#38;b=2", "urn:&lt;", "urn:&quot;", "urn:&#10;"})
    BOOST_TEST((refusal("<a xmlns:p='" + std::string(name) + "'/>") == ErrorCode::xml_malformed),
               name);
  for (const char* name : {"urn:x", "http://a/b", "a+b-c.1:x"})
    BOOST_TEST((refusal("<a xmlns:p='" + std::string(name) + "'/>") == kAccepted), name);
}

BOOST_AUTO_TEST_SUITE_END()
