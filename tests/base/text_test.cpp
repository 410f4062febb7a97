#include "base/text.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace district;

BOOST_AUTO_TEST_SUITE(text_to_show)

BOOST_AUTO_TEST_CASE(what_can_be_seen_is_shown_as_it_is) {
  for (const std::string text :
       {"", "House 12", "Ærøskøbing", "電力 10 kW", "e\xCC\x81", "Ελλάδα", "מד מים", "½ € – „x“",
        "\xF0\x9F\x92\xA1", "a\\u202eb", "\xC2\xA0", "\xEF\xBF\xBD"}) {
    BOOST_TEST(printable(text) == text);
    BOOST_TEST(is_printable(text), text);
    BOOST_TEST(with_escapes(text) == text);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_seen_or_turns_text_round_is_replaced) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\x1B", "escape"},
      {"\n", "line feed"},
      {"\x7F", "delete"},
      {"\xC2\x85", "C1 next line"},
      {"\xC2\x9B", "C1 control sequence introducer"},
      {"\xC2\xAD", "soft hyphen"},
      {"\xCD\x8F", "combining grapheme joiner"},
      {"\xD8\x9C", "Arabic letter mark"},
      {"\xE1\x85\x9F", "Hangul filler"},
      {"\xE1\xA0\x8E", "Mongolian vowel separator"},
      {"\xE2\x80\x8B", "zero width space"},
      {"\xE2\x80\x8F", "right-to-left mark"},
      {"\xE2\x80\xA8", "line separator"},
      {"\xE2\x80\xA9", "paragraph separator"},
      {"\xE2\x80\xAE", "right-to-left override"},
      {"\xE2\x81\xA0", "word joiner"},
      {"\xE2\x81\xA6", "left-to-right isolate"},
      {"\xE2\x81\xA9", "pop directional isolate"},
      {"\xEE\x80\x80", "private use"},
      {"\xEF\xB7\x90", "noncharacter"},
      {"\xEF\xB8\x8F", "variation selector"},
      {"\xEF\xBB\xBF", "byte order mark"},
      {"\xEF\xBE\xA0", "halfwidth Hangul filler"},
      {"\xEF\xBF\xB9", "interlinear annotation"},
      {"\xEF\xBF\xBF", "noncharacter at the end of a plane"},
      {"\xF0\x9F\xBF\xBF", "noncharacter at the end of plane 1"},
      {"\xF0\x9D\x85\xB3", "musical symbol begin beam"},
      {"\xF3\xA0\x80\xA0", "tag space"},
      {"\xF3\xA0\x84\x80", "variation selector 17"},
      {"\xF3\xB0\x80\x80", "private use of plane 15"},
      {"\xF4\x8F\xBF\xBF", "the last code point"},
  };
  for (const auto& [octets, name] : cases) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(printable("a" + octets + "b") == "a\uFFFDb");
      BOOST_TEST(!is_printable("a" + octets + "b"));
    }
  }
}

BOOST_AUTO_TEST_CASE(each_octet_that_is_no_utf8_is_replaced) {
  BOOST_TEST(printable("\xFF") == "\uFFFD");
  BOOST_TEST(printable("\xC3(") == "\uFFFD(");
  BOOST_TEST(printable("\xC3") == "\uFFFD");                      // cut off
  BOOST_TEST(printable("\xC1\x81") == "\uFFFD\uFFFD");            // too long for A
  BOOST_TEST(printable("\xE0\x82\x9B") == "\uFFFD\uFFFD\uFFFD");  // too long for a C1 control
  BOOST_TEST(printable("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
  BOOST_TEST(printable("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
}

BOOST_AUTO_TEST_CASE(json_says_the_same_with_escapes) {
  BOOST_TEST(with_escapes("{\n  \"a\": \"\xC2\x9B[31m\"}") == "{\n  \"a\": \"\\u009b[31m\"}");
  BOOST_TEST(with_escapes("\"\x7F\"") == "\"\\u007f\"");
  BOOST_TEST(with_escapes("\"x\xE2\x80\xAEy\"") == "\"x\\u202ey\"");
  BOOST_TEST(with_escapes("\"\xF3\xA0\x80\xA0\"") == "\"\\udb40\\udc20\"");
  BOOST_TEST(with_escapes("\"\xF4\x8F\xBF\xBF\"") == "\"\\udbff\\udfff\"");
}

BOOST_AUTO_TEST_CASE(a_cell_of_csv_is_no_formula_and_a_number_stays_one) {
  for (const std::string text :
       {"House 12", "a=b", "", "-0.2", "-12", "+5", "-1e-5", "1-2", "'t Harde", "''", " =1"}) {
    BOOST_TEST(csv_text(text) == text);
  }
  for (const std::string text :
       {"=1+1", "=HYPERLINK(\"http://x\")", "+49 30 123", "-", "-1-1", "--1", "+-1", "-inf", "-nan",
        "@SUM(1)", "-0x10", "\uFF1D1", "\uFF0B1", "\uFF20x", "'=1", "''-x", "'-5"}) {
    BOOST_TEST(csv_text(text) == "'" + text);
  }
  BOOST_TEST(csv_text("\t=1") == "\uFFFD=1");
  BOOST_TEST(csv_text("\r=1") == "\uFFFD=1");
}

BOOST_AUTO_TEST_SUITE_END()
