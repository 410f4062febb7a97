// Encodings: what is taken, and what contradictions are refused.
#include "xml/encoding.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace {

using namespace district;
using namespace std::string_literals;

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string text = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    if (big_endian) text += '\0';
    text += c;
    if (!big_endian) text += '\0';
  }
  return text;
}

// The text of a document that comes in blocks of so many octets.
Result<std::string> in_blocks(std::string_view octets, std::string_view charset,
                              std::size_t block) {
  DISTRICT_TRY(auto decoder, xml::Utf8Decoder::create(as_bytes(octets), charset));
  std::string text;
  for (std::size_t at = 0; at < octets.size(); at += block) {
    DISTRICT_TRY(const auto piece, decoder.decode(as_bytes(octets.substr(at, block)), false));
    text += piece;
  }
  DISTRICT_TRY(const auto piece, decoder.decode({}, true));
  return text.append(piece);
}

// The same wherever the blocks are cut.
Result<std::string> to_utf8(std::string_view octets, std::string_view charset) {
  DISTRICT_TRY(auto decoder, xml::Utf8Decoder::create(as_bytes(octets), charset));
  const auto whole = decoder.decode(as_bytes(octets), true);
  for (std::size_t block = 1; block <= octets.size(); ++block) {
    const auto text = in_blocks(octets, charset, block);
    BOOST_TEST(text.has_value() == whole.has_value(), "blocks of " << block);
    if (text && whole) BOOST_TEST(*text == *whole, "blocks of " << block);
    if (!text && !whole)
      BOOST_TEST(text.error().detail == whole.error().detail, "blocks of " << block);
  }
  DISTRICT_TRY(const auto text, whole);
  return std::string(text);
}

std::string decoded(std::string_view octets, std::string_view charset = {}) {
  const auto text = to_utf8(octets, charset);
  return text ? *text : "refused: " + text.error().detail;
}

bool refused(std::string_view octets, std::string_view charset = {}) {
  const auto text = to_utf8(octets, charset);
  return !text && text.error().code == ErrorCode::xml_malformed;
}

std::string declared(const std::string& encoding) {
  return "<?xml version=\"1.0\" encoding=\"" + encoding + "\"?>";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(each_accepted_encoding_gives_the_same_text) {
  const std::string expected = "<a>x</a>";
  BOOST_TEST(decoded(expected) == expected);
  BOOST_TEST(decoded("\xEF\xBB\xBF" + expected) == expected);
  for (const char* name : {"UTF-8", "utf-8", "ISO-8859-1", "US-ASCII"})
    BOOST_TEST(decoded(declared(name) + expected) == expected);
  for (const bool big : {false, true}) {
    BOOST_TEST(decoded(utf16(expected, big)) == expected);
    BOOST_TEST(decoded(utf16(declared("UTF-16") + expected, big)) == expected);
  }
  BOOST_TEST(decoded(utf16(expected, false).substr(2), "utf-16le") == expected);
}

BOOST_AUTO_TEST_CASE(letters_beyond_ascii_are_the_same_letters) {
  BOOST_TEST(decoded("\xE6\x80\xFF", "iso-8859-1") == "\xC3\xA6\xC2\x80\xC3\xBF");
  BOOST_TEST(decoded("\xFE\xFF\xD8\x3D\xDD\x0C") == "\xF0\x9F\x94\x8C");
  BOOST_TEST(decoded("\xFF\xFE\x3D\xD8\x0C\xDD") == "\xF0\x9F\x94\x8C");
}

BOOST_AUTO_TEST_CASE(contradictions_are_refused) {
  BOOST_TEST(refused(declared("ISO-8859-1") + "<a/>", "utf-8"));
  BOOST_TEST(refused(declared("UTF-8") + "<a/>", "iso-8859-1"));
  BOOST_TEST(refused("\xEF\xBB\xBF" + declared("ISO-8859-1") + "<a/>"));
  BOOST_TEST(refused("\xEF\xBB\xBF<a/>", "utf-16"));
  BOOST_TEST(refused(utf16("<a/>", true), "utf-16le"));
  BOOST_TEST(refused(utf16(declared("UTF-16LE") + "<a/>", true)));
  BOOST_TEST(refused(declared("UTF-16") + "<a/>"));
  BOOST_TEST(refused("<a/>", "utf-16"));
  BOOST_TEST(refused("<a/>", "windows-1252"));
  BOOST_TEST(refused(declared("UTF-7") + "<a/>"));
}

BOOST_AUTO_TEST_CASE(what_the_parser_would_read_as_something_else_is_refused) {
  BOOST_TEST(refused("<a/>\0"s));
  BOOST_TEST(refused("<a>\0</a>"s, "iso-8859-1"));
  BOOST_TEST(refused("<\0?\0"s, "iso-8859-1"));
  BOOST_TEST(refused("\x4C\x6F\xA7\x94"));  // "<?xm" in EBCDIC
  BOOST_TEST(refused("\xEF\xBB\xBF\xEF\xBB\xBF<a/>"));
  BOOST_TEST(refused(declared("UTF-8") + "\xEF\xBB\xBF<a/>"));
  BOOST_TEST(refused("\xFE\xFF\xFE\xFF"));
}

BOOST_AUTO_TEST_CASE(bad_utf8_is_refused) {
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE2\x82", "\xE2(\xA1",
        "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF0\x9F\x94", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xFF"}) {
    BOOST_TEST(refused(bad), to_hex(as_bytes(bad)));
  }
  for (const char* good :
       {"\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    BOOST_TEST(decoded(good) == good);
  }
}

BOOST_AUTO_TEST_CASE(bad_utf16_is_refused) {
  BOOST_TEST(refused("\xFE\xFF\xD8\x3D"));
  BOOST_TEST(refused("\xFE\xFF\xD8\x3D\0a"s));
  BOOST_TEST(refused("\xFE\xFF\xDD\x0C\xD8\x3D"));
  BOOST_TEST(refused("\xFE\xFF\0a\0"s));
}

BOOST_AUTO_TEST_CASE(declarations_are_read_strictly) {
  BOOST_TEST(decoded("<?xml version='1.0' standalone='yes' ?>x") == "x");
  BOOST_TEST(decoded("<?xml-stylesheet?>") ==
             "<?xml-stylesheet?>");  // not a declaration: the guard's to refuse
  for (const char* bad :
       {"<?xml version='1.1'?>", "<?xml encoding='UTF-8'?>", "<?xml version='1.0' extra='x'?>",
        "<?xml version='1.0'", "<?xml version='1.0' standalone='maybe'?>",
        "<?xml version='1.0' standalone='yes' encoding='UTF-8'?>", "<?xml ?>",
        "<?xml version='1.0' encoding=''?>", "<?xml version='1.0' encoding=' UTF-8'?>"}) {
    BOOST_TEST(refused(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(lines_of_the_declaration_are_counted) {
  const auto decoder = xml::Utf8Decoder::create(as_bytes("<?xml\nversion='1.0'\n?>\n<a/>"), "");
  BOOST_REQUIRE(decoder);
  BOOST_TEST(decoder->lines_skipped() == 2);
}

BOOST_AUTO_TEST_CASE(what_stands_before_the_xml_declaration_is_named) {
  const auto reason = [](const std::string& octets) {
    const auto decoder = xml::Utf8Decoder::create(as_bytes(octets), {});
    return decoder ? std::string() : decoder.error().detail;
  };
  const std::string document = declared("UTF-8") + "<a/>";
  const std::string mark = "\xEF\xBB\xBF";
  for (const std::string space : {" ", "\n", "\r\n", "\t", "\n\n  "}) {
    BOOST_TEST(reason(space + document) ==
               "white space before the XML declaration: it must be the first octets");
    BOOST_TEST(reason(mark + space + document) ==
               "white space before the XML declaration: it must be the first octets behind the "
               "byte order mark");
    BOOST_TEST(reason(utf16(space + "<?xml version='1.0'?><a/>", true)).starts_with("white space"));
    BOOST_TEST(reason(space + "<a/>").empty());
  }
  BOOST_TEST(reason("<!-- made by x -->" + document).starts_with("a comment before the XML"));
  BOOST_TEST(reason("\n<!-- x -->\n" + document).starts_with("a comment before the XML"));
  BOOST_TEST(reason(document + document).empty());  // it is within: the guard refuses it
  BOOST_TEST(reason(declared("UTF-8") + document) == "a second XML declaration");
  BOOST_TEST(reason(declared("UTF-8") + "\n" + document) == "a second XML declaration");
  BOOST_TEST(reason("<?xml-stylesheet href='x'?><a/>").empty());
  BOOST_TEST(reason("<!--").empty());
  BOOST_TEST(reason("\n<?xml-model href='x'?><a/>").empty());
}

BOOST_AUTO_TEST_SUITE_END()
