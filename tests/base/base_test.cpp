#include <boost/test/unit_test.hpp>

#include "base/bytes.h"
#include "base/near_name.h"
#include "base/number.h"
#include "base/text.h"
#include "base/time.h"
#include "base/ulid.h"

using namespace district;

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(base64_follows_rfc_4648_section_10) {
  const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    BOOST_TEST(to_base64(as_bytes(plain)) == coded);
    const auto back = from_base64(coded);
    BOOST_REQUIRE(back);
    BOOST_TEST(as_text(*back) == plain);
  }
}

BOOST_AUTO_TEST_CASE(base64_is_strict_but_for_white_space) {
  BOOST_TEST(as_text(*from_base64("Zm9v\r\n YmFy\t")) == "foobar");
  for (const char* bad : {"Zg=", "Zg", "Z", "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "====", "Zm9v-",
                          "Zm9vYg===", "Zg=a="}) {
    BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!from_base64(bad)); }
  }
}

BOOST_AUTO_TEST_CASE(hex_round_trip) {
  BOOST_TEST(to_hex(as_bytes("\x01\xfe")) == "01fe");
  BOOST_TEST(as_text(*from_hex("01FE")) == "\x01\xfe");
  BOOST_TEST(!from_hex("0"));
  BOOST_TEST(!from_hex("0g"));
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(white_space)

BOOST_AUTO_TEST_CASE(only_the_four_characters_of_xml_are_white_space) {
  BOOST_TEST(collapse_xml_space("\t a \r\n b\v\xC2\xA0 ") == "a b\v\xC2\xA0");
  BOOST_TEST(collapse_xml_space(" \n").empty());
  BOOST_TEST(trim_xml_space("\r\n a  b\t") == "a  b");
  BOOST_TEST(split_at_xml_space(" \t").empty());
  BOOST_TEST(split_at_xml_space("soap  \xC3\xBCrb\nwsu\t") ==
                 (std::vector<std::string>{"soap", "\xC3\xBCrb", "wsu"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(slips)

BOOST_AUTO_TEST_CASE(the_nearest_word_is_found_and_what_is_far_is_not) {
  const std::vector<std::string> words{"tenant", "enrol", "rejection", "kpi", "log", "--tenant"};
  const std::pair<const char*, const char*> cases[] = {
      {"tenat", "tenant"},         {"tenants", "tenant"}, {"tennant", "tenant"},
      {"TENANT", "tenant"},        {"enroll", "enrol"},   {"erjection", "rejection"},
      {"rejections", "rejection"}, {"kip", "kpi"},        {"lgo", "log"},
      {"--tennat", "--tenant"}};
  for (const auto& [word, meant] : cases) {
    BOOST_TEST_CONTEXT(word) { BOOST_TEST(nearest_name(word, words) == meant); }
  }
  for (const auto& far : {std::string(), std::string("x"), std::string("show"),
                          std::string("meter"), std::string(100'000, 't')}) {
    BOOST_TEST_CONTEXT(far.substr(0, 20)) { BOOST_TEST(nearest_name(far, words).empty()); }
  }
  BOOST_TEST(nearest_name("tenant", {}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(date_time)

BOOST_AUTO_TEST_CASE(date_times_the_field_sends) {
  const std::pair<const char*, const char*> cases[] = {
      {"2015-04-13T16:11:42.9000728+02:00", "2015-04-13T14:11:42.900072Z"},
      {"2018-03-25T01:00:00Z", "2018-03-25T01:00:00.000000Z"},
      {" 2018-03-25T01:00:00.5-14:00\n", "2018-03-25T15:00:00.500000Z"},
      {"2018-12-31T24:00:00Z", "2019-01-01T00:00:00.000000Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
      {"9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"}};
  for (const auto& [text, expected] : cases) {
    const auto parsed = parse_date_time(text);
    BOOST_TEST_CONTEXT(text) {
      BOOST_REQUIRE(parsed);
      BOOST_TEST(format_instant(*parsed) == expected);
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_a_date_time) {
  for (const char* bad :
       {"", "2018-03-25", "2018-03-25T01:00:00", "2018-02-29T00:00:00Z", "2018-13-01T00:00:00Z",
        "2018-03-25T01:00:60Z", "2018-03-25T24:00:01Z", "2018-03-25T01:00:00.Z",
        "2018-03-25T01:00:00+14:01", "2018-03-25T01:00:00+1:00", "2018-03-25T01:00:00ZZ",
        "0000-01-01T00:00:00Z", "-2018-03-25T01:00:00Z", "12018-03-25T01:00:00Z",
        "2018-03-25 01:00:00Z", "2018-3-25T01:00:00Z", "2018-03-25T01:00:00z"}) {
    BOOST_TEST_CONTEXT(bad) { BOOST_TEST(!parse_date_time(bad)); }
  }
}

BOOST_AUTO_TEST_CASE(a_missing_zone_is_told) {
  bool zone = true;
  BOOST_TEST(parse_date_time("2018-03-25T01:00:00", &zone).has_value());
  BOOST_TEST(!zone);
}

BOOST_AUTO_TEST_CASE(fractions_are_cut_off) {
  const auto at = *parse_date_time("2018-03-25T01:00:00.9999999Z");
  BOOST_TEST(format_instant(at, 3) == "2018-03-25T01:00:00.999Z");
  BOOST_TEST(format_instant(at, 0) == "2018-03-25T01:00:00Z");
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE(number)

BOOST_AUTO_TEST_CASE(numbers_are_finite_and_may_have_an_exponent) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, double>>{{"4", 4.0},
                                                                               {"+4.5", 4.5},
                                                                               {"-.4", -0.4},
                                                                               {"42.", 42.0},
                                                                               {"5.0E-4", 0.0005},
                                                                               {"1e-05", 0.00001},
                                                                               {"1E+3", 1000.0},
                                                                               {"1e-400", 0.0},
                                                                               {"0e999", 0.0},
                                                                               {"-1e-400", 0.0},
                                                                               {"1e308", 1e308}}) {
    const auto number = parse_finite_number(text);
    BOOST_REQUIRE_MESSAGE(number, text);
    BOOST_TEST(*number == value, text);
  }
  for (const std::string text : {"", "+", "-", ".", "+-4", "--4", "e5", "1e", "1e+", "1e400",
                                 "-1e400", "NaN", "INF", "-inf", "nan", "1,5", "0x10", " 1", "1 "})
    BOOST_TEST(!parse_finite_number(text), text);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ulid)

BOOST_AUTO_TEST_CASE(spells_time_then_random_bits) {
  std::array<std::byte, 10> ones;
  ones.fill(std::byte{0xff});
  const auto text = make_ulid(from_micros(1469918176385000), ones);
  BOOST_TEST(text == "01ARYZ6S41ZZZZZZZZZZZZZZZZ");
  BOOST_TEST(is_ulid(text));
  BOOST_TEST(make_ulid(from_micros(1469918176386000), ones) > text);
  BOOST_TEST(!is_ulid("01ARZ3NDEKTSV4RRFFQ69G5FAU"));
  BOOST_TEST(!is_ulid("81ARZ3NDEKTSV4RRFFQ69G5FAV"));
  BOOST_TEST((time_of_ulid(text) == from_micros(1469918176385000)));
  BOOST_TEST(!time_of_ulid("01ARYZ6S41"));
}

BOOST_AUTO_TEST_SUITE_END()
