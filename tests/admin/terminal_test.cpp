#include "admin/terminal.h"

#include <boost/test/unit_test.hpp>
#include <regex>
#include <sstream>

#include "admin/picture.h"
#include "base/csv.h"

using namespace district;
using namespace district::admin;

BOOST_AUTO_TEST_SUITE(terminal)

BOOST_AUTO_TEST_CASE(width_counts_columns_and_not_octets) {
  BOOST_TEST(display_width("Kalundborg") == 10U);
  BOOST_TEST(display_width("Ærøskøbing") == 10U);
  BOOST_TEST(display_width("e\xCC\x81") == 1U);  // e with a combining acute accent
  BOOST_TEST(display_width("電力") == 4U);
  BOOST_TEST(display_width("\xFF") == 1U);
}

BOOST_AUTO_TEST_CASE(control_characters_of_a_peer_do_not_reach_the_terminal) {
  // An escape sequence by its one octet, a change of the writing direction, a tag.
  const std::string name = "a\xC2\x9B[31m \xE2\x80\xAE z \xF3\xA0\x80\xA1";
  Listing listing(std::vector<Column>{{"name", "NAME"}});
  listing.add({name});
  const auto written = [&listing](Format format) {
    std::ostringstream out;
    listing.write(out, format);
    return out.str();
  };
  BOOST_TEST(written(Format::table) == "NAME\na\uFFFD[31m \uFFFD z \uFFFD\n");
  BOOST_TEST(written(Format::json) ==
             "[\n  {\"name\":\"a\\u009b[31m \\u202e z \\udb40\\udc21\"}\n]\n");
  BOOST_TEST(written(Format::csv) == "name\r\na\uFFFD[31m \uFFFD z \uFFFD\r\n");
  Details details;
  details.add("name", "Name", name);
  std::ostringstream out;
  details.write(out, Format::table);
  details.write(out, Format::json);
  BOOST_TEST(is_printable(std::regex_replace(out.str(), std::regex("\n"), "")));
}

BOOST_AUTO_TEST_CASE(tables_align_columns_also_with_wide_and_accented_text) {
  Listing listing({{"name", "NAME"}, {"value", "VALUE", true}, {"only_for_programs", ""}});
  listing.add({"Ærø", std::uint64_t{7}, "x"});
  listing.add({"Kalundborg", std::uint64_t{1234}, "y"});
  std::ostringstream out;
  listing.write(out, Format::table);
  BOOST_TEST(out.str() ==
             "NAME        VALUE\n"
             "Ærø             7\n"
             "Kalundborg   1234\n");
}

BOOST_AUTO_TEST_CASE(json_has_camel_case_keys_typed_values_and_null) {
  Listing listing({{"receipt_id", "RECEIPT"}, {"message_count", "M"}, {"revoked_at", ""}});
  listing.add({"01\"JD", std::uint64_t{7}, cell_of(std::optional<Instant>())});
  std::ostringstream out;
  listing.write(out, Format::json);
  BOOST_TEST(out.str() ==
             "[\n  {\"receiptId\":\"01\\\"JD\",\"messageCount\":7,\"revokedAt\":null}\n]\n");
  std::ostringstream none;
  Listing(std::vector<Column>{{"a", "A"}}).write(none, Format::json);
  BOOST_TEST(none.str() == "[]\n");
}

BOOST_AUTO_TEST_CASE(csv_has_a_header_all_columns_and_every_digit) {
  Listing listing({{"name", "NAME"}, {"value", ""}, {"types", "T"}, {"empty", "E"}});
  listing.add({"Barcelona, \"shops\"", cell_of(0.1 + 0.2, 1),
               cell_of(std::vector<std::string>{"001/001", "002/001"}, "-"),
               cell_of(std::optional<double>(), 1)});
  std::ostringstream out;
  listing.write(out, Format::csv);
  BOOST_TEST(out.str() ==
             "name,value,types,empty\r\n"
             "\"Barcelona, \"\"shops\"\"\",0.30000000000000004,001/001 002/001,\r\n");
}

BOOST_AUTO_TEST_CASE(a_cell_of_csv_is_no_formula_unless_the_text_is_wanted_exactly) {
  Listing listing({{"name", "NAME"}, {"value", "V"}, {"types", "T"}});
  listing.add({"=1+1", cell_of(-4.5, 1), cell_of(std::vector<std::string>{"@a", "b"}, "-")});
  listing.add({"-0.2", cell_of(-1e-7, 1), cell_of(std::vector<std::string>{}, "-")});
  std::ostringstream guarded, exact;
  listing.write(guarded, Format::csv);
  listing.write(exact, Format::csv_exact);
  BOOST_TEST(guarded.str() == "name,value,types\r\n'=1+1,-4.5,'@a b\r\n-0.2,-1e-07,\r\n");
  BOOST_TEST(exact.str() == "name,value,types\r\n=1+1,-4.5,@a b\r\n-0.2,-1e-07,\r\n");
}

BOOST_AUTO_TEST_CASE(numbers_keep_four_digits_and_all_before_the_point) {
  const std::vector<std::pair<double, std::string>> cases{
      {0, "0.000"},
      {0.00042, "0.00042"},
      {0.000421596, "0.0004216"},
      {-0.00042, "-0.00042"},
      {0.05, "0.050"},
      {0.123456, "0.1235"},
      {1.23456, "1.235"},
      {552, "552.000"},
      {123456.789, "123456.789"},
      {497011.0625, "497011.062"},
      {123456789012345, "123456789012345.000"},
      {1e22, "1e+22"},
      {1.5e-9, "0.0000000015"},
      {1.5e-10, "1.500e-10"},
      {0.00000012346, "0.0000001235"},
      {1e300, "1e+300"},
      {1e-300, "1.000e-300"},
  };
  for (const auto& [number, shown] : cases) {
    BOOST_TEST(cell_of(number, 3).shown == shown);
    BOOST_TEST(cell_of(number, 3).value.get<double>() == number);
  }
  BOOST_TEST(cell_of(std::optional<double>(), 3).shown == "-");
  BOOST_TEST(share_cell(1).shown == "1.000");
  BOOST_TEST(share_cell(0.99996).shown == "0.999");
  BOOST_TEST(share_cell(0.29).shown == "0.290");
  BOOST_TEST(share_cell(0).shown == "0.000");
}

BOOST_AUTO_TEST_CASE(errors_show_their_violations_and_the_hint) {
  std::ostringstream out, err;
  Terminal terminal(out, err, false);
  terminal.error({ErrorCode::admin_invalid,
                  "2 lines are wrong",
                  "mend them",
                  {{0, "", 3, "no such file"}, {2, "/messages", 0, "bad\x1B"}},
                  {}});
  BOOST_TEST(err.str() ==
             "error: 2 lines are wrong\n"
             "error:   line 3: no such file\n"
             "error:   message 2, /messages, bad\uFFFD\n"
             "hint: mend them\n");
  BOOST_TEST(out.str().empty());
}

BOOST_AUTO_TEST_CASE(numbers_are_grouped_by_thousands) {
  BOOST_TEST(grouped(7) == "7");
  BOOST_TEST(grouped(42317) == "42 317");
  BOOST_TEST(grouped(1234567) == "1 234 567");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(reads_quotes_line_ends_and_a_byte_order_mark) {
  const auto records =
      read_csv("\xEF\xBB\xBFtenant,note\r\n20,\"a, \"\"b\"\"\nc\"\n\n30,\r\n40,last");
  BOOST_REQUIRE(records);
  BOOST_REQUIRE(records->size() == 4U);
  BOOST_TEST((*records)[0].fields[0] == "tenant");
  BOOST_TEST((*records)[1].fields[1] == "a, \"b\"\nc");
  BOOST_TEST((*records)[1].line == 2U);
  BOOST_TEST((*records)[2].line == 5U);
  BOOST_TEST((*records)[2].fields[1] == "");
  BOOST_TEST((*records)[3].fields[1] == "last");
}

BOOST_AUTO_TEST_CASE(names_the_line_of_a_malformed_record) {
  for (const auto* text : {"a,b\n\"open", "a,b\nx\"y,z", "a,b\n\"x\"y,z"}) {
    const auto records = read_csv(text);
    BOOST_REQUIRE(!records);
    BOOST_TEST(records.error().detail.find("line 2") != std::string::npos, text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_written_reads_back_the_same) {
  const std::vector<std::string> fields{"plain", "", "a,b", "say \"x\"", "two\r\nlines", " "};
  std::ostringstream out;
  write_csv_record(out, fields);
  const auto records = read_csv(out.str());
  BOOST_REQUIRE(records);
  BOOST_REQUIRE(records->size() == 1U);
  BOOST_TEST((*records)[0].fields == fields, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(picture)

BOOST_AUTO_TEST_CASE(bars_share_one_scale_and_a_missing_window_has_none) {
  std::ostringstream out;
  draw_bars(out,
            {{"2018-03-01", 100, ""},
             {"2018-03-02", 51.25, "partial 92 %"},
             {"2018-03-03", std::nullopt, "no data"}},
            1);
  std::string full;
  for (int i = 0; i < 20; ++i) full += "█";
  BOOST_TEST(out.str() == "2018-03-01  100.0  " + full + full + "\n" + "2018-03-02   51.2  " +
                              full + "▌ partial 92 %\n" + "2018-03-03      -  no data\n");
}

BOOST_AUTO_TEST_CASE(negative_values_grow_to_the_left_of_zero) {
  std::ostringstream out;
  draw_bars(out, {{"a", 3, ""}, {"b", -1, ""}}, 0);
  const std::string indent(10, ' ');
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += "█";
  BOOST_TEST(out.str() == "a   3  " + indent + ten + ten + ten + "\n" + "b  -1  " + ten + "\n");
}

BOOST_AUTO_TEST_CASE(sparklines_go_from_the_lowest_to_the_highest_block) {
  const std::vector<std::optional<double>> values{0, 1, 3.5, std::nullopt, 8};
  BOOST_TEST(sparkline(values, range_with_zero(values)) == "▁▂▄·█");
  const std::vector<std::optional<double>> zeros{0, 0};
  BOOST_TEST(sparkline(zeros, range_with_zero(zeros)) == "▁▁");
}

BOOST_AUTO_TEST_CASE(labels_keep_about_four_digits) {
  BOOST_TEST(decimals_for({0, 5231}) == 0);
  BOOST_TEST(decimals_for({0, 412.3}) == 1);
  BOOST_TEST(decimals_for({-0.04, 0.158}) == 4);
  BOOST_TEST(decimals_for({0, 0}) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
