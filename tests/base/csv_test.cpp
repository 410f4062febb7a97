#include "base/csv.h"

#include <boost/test/unit_test.hpp>
#include <sstream>

using namespace district;

namespace {

Error error_of(std::string_view text) {
  const auto records = read_csv(text, {ErrorCode::gateway_input, "x.csv:"});
  BOOST_REQUIRE(!records);
  BOOST_TEST((records.error().code == ErrorCode::gateway_input));
  return records.error();
}

std::vector<std::string> second_record(std::string_view text) {
  const auto records = read_csv(text);
  BOOST_REQUIRE_MESSAGE(records, (records ? "" : records.error().detail));
  BOOST_REQUIRE(records->size() == 2U);
  return (*records)[1].fields;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(a_byte_order_mark_in_a_field_is_not_taken_for_the_files_own) {
  const std::vector<std::string> fields = {"\xEF\xBB\xBFmeter", "\xEF\xBB\xBF", "plain"};
  std::ostringstream out;
  write_csv_record(out, fields);
  const auto records = read_csv(out.str());
  BOOST_REQUIRE(records);
  BOOST_REQUIRE(records->size() == 1U);
  BOOST_TEST(((*records)[0].fields == fields));
}

BOOST_AUTO_TEST_CASE(quotes_protect_what_is_in_them) {
  using Fields = std::vector<std::string>;
  const auto same = [](std::string_view text, const Fields& fields) {
    BOOST_TEST(second_record(text) == fields, boost::test_tools::per_element());
  };
  same("a,b\r\n\"Shop \"\"Centre\"\"\",1\r\n", Fields{"Shop \"Centre\"", "1"});
  same("a,b\n\"Shop, Centre\",\"\"\n", Fields{"Shop, Centre", ""});
  same("a,b\n\"two\r\nlines\",x", Fields{"two\r\nlines", "x"});
  same("a,b\n\"\"\"\",\"\"\"\"\"\"\n", Fields{"\"", "\"\""});
  same("a,b\n \"x\" , \"y,z\"\t\n", Fields{"x", "y,z"});
  same("a,b\n x , y \n", Fields{" x ", " y "});
  same("\xEF\xBB\xBF\"a\",b\n\"\xC3\xB1\",2\n", Fields{"\xC3\xB1", "2"});
  same("a,b\r\r\nx,y\r\r\n", Fields{"x", "y"});  // written twice through a translation
  same("a,b\nx,y\r", Fields{"x", "y"});
}

BOOST_AUTO_TEST_CASE(what_breaks_the_grammar_is_named_with_its_line) {
  const std::pair<std::string_view, const char*> cases[] = {
      {"a,b\n\"x\ny,1\n", "x.csv:2: a quoted field is never closed"},
      {"a,b\nx\"y\",1\n", "x.csv:2: a quote inside a field"},
      {"a,b\n5\" pipe,1\n", "x.csv:2: a quote inside a field"},
      {"a,b\n\"x\"y,1\n", "x.csv:2: text after a closing quote"},
      {"a,b\n\"x\"\"\n,1\n", "x.csv:2: a quoted field is never closed"},
      {"a,b\n1,2\n\"x\"\t.,1\n", "x.csv:3: text after a closing quote"},
  };
  for (const auto& [text, expected] : cases)
    BOOST_TEST(error_of(text).detail.starts_with(expected), error_of(text).detail);
  const auto swallowed = "a,b\n\"x,1\n" + std::string(9000, '\n');
  BOOST_TEST(error_of(swallowed).detail.starts_with("x.csv:2: a quoted field is never closed"));
  const auto long_line = "a,b\n" + std::string(5000, 'M');
  BOOST_TEST(error_of(long_line).detail.starts_with("x.csv:2: a line of more than 4096"));
}

BOOST_AUTO_TEST_CASE(no_control_character_hides_what_follows_it) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, const char*> cases[] = {
      {"a,b\nM\0hidden,1\n"sv, "x.csv:2: a control character (U+0000, a NUL) at octet 2"},
      {"a,b\n1,2\n\0\0\0\0"sv, "x.csv:3: a control character (U+0000"},
      {"a,b\n\"M\0\",1\n"sv, "x.csv:2: a control character (U+0000"},
      {"a,b\nM,1\n\x1A"sv, "x.csv:3: a control character (U+001A, the end mark of DOS)"},
      {"a,b\nM\x1B[2J,1\n"sv, "x.csv:2: a control character (U+001B, an escape)"},
      {"a,b\nM\x7F,1\n"sv, "x.csv:2: a control character (U+007F)"},
      {"a,b\nM\xC2\x85,1\n"sv, "x.csv:2: a control character (U+0085)"},
      {"a,b\rM,1\r"sv, "x.csv:1: a carriage return without a line feed"},
      {"a,b\nM,1\rN,2\n"sv, "x.csv:2: a carriage return without a line feed"},
  };
  for (const auto& [text, expected] : cases)
    BOOST_TEST(error_of(text).detail.starts_with(expected), error_of(text).detail);
}

BOOST_AUTO_TEST_CASE(other_encodings_are_named) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, const char*> cases[] = {
      {"\xFF\xFE"
       "a\0,\0b\0\n\0"sv,
       "UTF-16"},
      {"\xFE\xFF\0a\0,\0b\0\n"sv, "UTF-16"},
      {"a\0,\0b\0\n\0"sv, "UTF-16"},
      {"\0a\0,\0b\0\n"sv, "UTF-16"},
      {"\xFF\xFE\0\0a\0\0\0"sv, "UTF-32"},
      {"PK\x03\x04xlsx"sv, "a workbook"},
      {"\xD0\xCF\x11\xE0\xA1\xB1"sv, "an old workbook"},
  };
  for (const auto& [text, kind] : cases) {
    const auto error = error_of(text);
    BOOST_TEST(error.detail.starts_with(std::string("x.csv:1: the file is ") + kind), error.detail);
    BOOST_TEST(error.hint.find("UTF-8") != std::string::npos);
  }
  // Windows-1252 has a dash where ISO-8859-1 has a control.
  BOOST_TEST(error_of("a,b\nShop \x96 1,1\n").detail.find("neither UTF-8 nor ISO-8859-1") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_in_latin1_are_read_and_counted) {
  const auto text = read_csv_text("a\nCa\xF1on\n\xC3\xB1\n\xFC\n", {});
  BOOST_REQUIRE(text);
  BOOST_TEST(text->utf8 == "a\nCa\xC3\xB1on\n\xC3\xB1\n\xC3\xBC\n");
  BOOST_TEST(text->latin1_lines == 2U);
  BOOST_TEST(text->first_latin1_line == 2U);
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_rewound_reads_the_same) {
  CsvReader reader("a,b\n\"x\ny\",1\n\nz,2\n", {});
  for (int round = 0; round < 2; ++round) {
    const auto header = reader.next();
    BOOST_REQUIRE(header && *header);
    const auto first = reader.next();
    BOOST_REQUIRE(first && *first);
    BOOST_TEST((*first)->line == 2U);
    const auto second = reader.next();
    BOOST_REQUIRE(second && *second);
    BOOST_TEST((*second)->line == 5U);
    const auto end = reader.next();
    BOOST_REQUIRE(end);
    BOOST_TEST(!*end);
    reader.rewind();
  }
}

BOOST_AUTO_TEST_SUITE_END()
