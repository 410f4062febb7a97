#include "gateway/measure.h"

#include <boost/test/unit_test.hpp>
#include <charconv>
#include <cmath>
#include <random>

#include "gateway/http_fields.h"

using namespace district;
using namespace district::gateway;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(measure)

BOOST_AUTO_TEST_CASE(numbers_without_an_exponent_stay_as_they_are_spelled) {
  for (const char* text :
       {"1", "1.50", "-3.2", "+0.5", ".5", "5.", "007", "0.0000000001", "1000000000000000"}) {
    const auto measure = read_measure(text);
    BOOST_REQUIRE_MESSAGE(measure, text);
    BOOST_TEST(*measure == text);
  }
}

BOOST_AUTO_TEST_CASE(numbers_with_an_exponent_are_sent_in_plain_digits) {
  const std::pair<const char*, const char*> cases[] = {{"5.0E-4", "0.0005"},
                                                       {"1e-05", "0.00001"},
                                                       {"1.0E-5", "0.00001"},
                                                       {"1e-7", "0.0000001"},
                                                       {"1.2E-05", "0.000012"},
                                                       {"1e3", "1000"},
                                                       {"1.5e+3", "1500"},
                                                       {"-2.50E1", "-25"},
                                                       {"12345.678E-2", "123.45678"},
                                                       {"0e5", "0"},
                                                       {"0.0E-9999", "0"},
                                                       {"1.234567E7", "12345670"},
                                                       {"+1E0", "1"},
                                                       {"9.99E14", "999000000000000"},
                                                       {".5e1", "5"},
                                                       {"5.e-1", "0.5"}};
  for (const auto& [text, expected] : cases) {
    const auto measure = read_measure(text);
    BOOST_REQUIRE_MESSAGE(measure, text);
    BOOST_TEST(*measure == expected, text);
  }
}

BOOST_AUTO_TEST_CASE(plain_digits_mean_the_same_double) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::ldexp(static_cast<double>(random() >> 11U) + 1,
                                    static_cast<int>(random() % 400) - 405);
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific);
    const auto measure = read_measure({text, static_cast<std::size_t>(end.ptr - text)});
    BOOST_REQUIRE(measure);
    BOOST_TEST(measure->find_first_of("eE") == std::string::npos);
    BOOST_REQUIRE(value_of(*measure).value() == value);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_number_says_what_to_write) {
  const std::pair<const char*, const char*> cases[] = {
      {"1,5", "1,5 is no decimal number: write 1.5"},
      {"-0,25", "write -0.25"},
      {"1.234,5", "write 1234.5"},
      {"1,234.5", "write 1234.5"},
      {"1,234,567", "write 1234567"},
      {"1.234.567", "write 1234567"},
      {"1,234", "write 1.234, or 1234 where the comma separates thousands"},
      {"1'234.5", "write 1234.5"},
      {"1 234,5", "write 1234.5"},
      {"1\xC2\xA0"
       "234",
       "write 1234"},
      {"1_000", "write 1000"},
      {"1,5E-3", "write 1.5E-3"},
      {"\xE2\x88\x92"
       "5",
       "write -5"},
      {"0x1F", "write 31"},
      {"NaN", "leave the row out"},
      {"-Infinity", "leave the row out"},
      {"inf", "leave the row out"},
      {"null", "leave the row out"},
      {"N/A", "leave the row out"},
      {"-", "leave the row out"},
      {"#VALUE!", "leave the row out"},
      {"1.#QNAN", "leave the row out"},
      {"1.5 kWh", "write the number alone, in the unit of the column: 1.5"},
      {"12%", "in the unit of the column: 12"},
      {"3,5 EUR", "in the unit of the column: 3.5"},
  };
  for (const auto& [text, expected] : cases) {
    const auto measure = read_measure(text);
    BOOST_REQUIRE_MESSAGE(!measure, text);
    BOOST_TEST((measure.error().code == ErrorCode::gateway_input));
    BOOST_TEST(measure.error().detail.find(expected) != std::string::npos, measure.error().detail);
  }
  for (const char* text : {"", ".", "+", "e5", "1e", "1e+", "1.2.3", "--1", "1e1.5", "0x", "1,2,3",
                           "abc", "1\n2", "\x1B[2J", "1,23,456", "2018-03-01", "0x1.8p3"}) {
    const auto measure = read_measure(text);
    BOOST_REQUIRE_MESSAGE(!measure, text);
    BOOST_TEST(measure.error().detail.find("\x1B") == std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(numbers_beyond_what_messages_take_are_refused_here) {
  for (const char* text : {"1e16", "1000000000000001", "-1e300", "1e400", "1e-400",
                           "1e99999999999999999999", "1e-99999999999999999999"}) {
    const auto measure = read_measure(text);
    BOOST_REQUIRE_MESSAGE(!measure, text);
    BOOST_TEST(measure.error().detail.find("is out of range") != std::string::npos,
               measure.error().detail);
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(http_fields)

BOOST_AUTO_TEST_CASE(a_date_has_its_one_form) {
  const auto date = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  BOOST_REQUIRE(date);
  BOOST_TEST(format_instant(*date, 0) == "1994-11-06T08:49:37Z");
  for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT "})
    BOOST_TEST(!parse_http_date(text), text);
}

BOOST_AUTO_TEST_CASE(retry_after_is_bounded_whatever_the_server_says) {
  const auto now = *parse_date_time("1994-11-06T08:49:00Z");
  const std::pair<const char*, std::optional<std::chrono::seconds>> cases[] = {
      {"0", 0s},
      {"30", 30s},
      {"18446744073", kRetryAfterMax},
      {"9223372036854775807", kRetryAfterMax},
      {"99999999999999999999999999", kRetryAfterMax},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 37s},
      {"Sun, 06 Nov 1994 08:40:00 GMT", 0s},
      {"Fri, 31 Dec 9999 23:59:59 GMT", kRetryAfterMax},
      {"", std::nullopt},
      {"-5", std::nullopt},
      {"+5", std::nullopt},
      {"5.5", std::nullopt},
      {"5 s", std::nullopt},
      {"soon", std::nullopt}};
  for (const auto& [text, expected] : cases)
    BOOST_TEST((parse_retry_after(text, now) == expected), text);
}

BOOST_AUTO_TEST_SUITE_END()
