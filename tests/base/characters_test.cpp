#include "base/characters.h"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "base/near_name.h"
#include "base/utf8.h"

using namespace district;

BOOST_AUTO_TEST_SUITE(characters)

BOOST_AUTO_TEST_CASE(utf8_is_that_of_rfc_3629) {
  for (const char* good : {"", "a", "\xC3\xB1", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
                           "\xF4\x8F\xBF\xBF", "\xEF\xBB\xBF"})
    BOOST_TEST(is_utf8(good), visible(good));
  for (const char* bad :
       {"\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "\xFF", "a\xC3(", "\xE2(\xAC"})
    BOOST_TEST(!is_utf8(bad), visible(bad));
}

BOOST_AUTO_TEST_CASE(what_could_drive_a_terminal_is_shown_as_text) {
  BOOST_TEST(visible("Ca\xC3\xB1"
                     "a 1") ==
             "Ca\xC3\xB1"
             "a 1");
  BOOST_TEST(visible("\x1B[2Jx") == "\\u{1B}[2Jx");
  BOOST_TEST(visible("a\nb\r\t") == "a\\u{A}b\\u{D}\\u{9}");
  BOOST_TEST(visible("\xC2\x9B"
                     "2J") == "\\u{9B}2J");
  BOOST_TEST(visible("\xE2\x80\xAE"
                     "drowssap") == "\\u{202E}drowssap");
  BOOST_TEST(visible("\xE2\x81\xA6\xD8\x9C\xE2\x80\x8F") == "\\u{2066}\\u{61C}\\u{200F}");
  BOOST_TEST(visible("\xE2\x80\xA8\xE2\x80\x8B\xEF\xBB\xBF") == "\\u{2028}\\u{200B}\\u{FEFF}");
  BOOST_TEST(visible("\xF3\xA0\x81\x81") == "\\u{E0041}");
  BOOST_TEST(visible("\xC2\xA0\xE3\x80\x80") == "\\u{A0}\\u{3000}");
  BOOST_TEST(visible("\xFF\xC3") == "\\x{FF}\\x{C3}");
  BOOST_TEST(visible("\x7F") == "\\u{7F}");
}

BOOST_AUTO_TEST_CASE(names_that_look_alike_have_one_outline) {
  for (const char* name : {"Shop 1", "SHOP 1", " Shop  1 ",
                           "Shop\xC2\xA0"
                           "1",
                           "Shop\xE2\x80\xAF"
                           "1",
                           "Sh\xE2\x80\x8Bop 1", "\xEF\xBB\xBFShop 1", "Sh\xC2\xADop 1",
                           "Shop\xE3\x80\x80"
                           "1"})
    BOOST_TEST(outline_of(name) == "shop 1", visible(name));
  BOOST_TEST(outline_of("Shop 2") != "shop 1");
  BOOST_TEST(outline_of("Shop1") != "shop 1");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(near_name)

BOOST_AUTO_TEST_CASE(the_name_that_was_probably_meant) {
  const std::vector<std::string> known{"meter_id",          "period_start_utc", "period_end_utc",
                                       "price_eur_per_kwh", "temp_in_c",        "temp_out_c",
                                       "energy_kwh"};
  const std::pair<const char*, const char*> cases[] = {{"price_eur_kwh", "price_eur_per_kwh"},
                                                       {"Temp_In_C", "temp_in_c"},
                                                       {"temp_ou_c", "temp_out_c"},
                                                       {"tempinc", "temp_in_c"},
                                                       {"enegry_kwh", "energy_kwh"},
                                                       {"period_end", "period_end_utc"},
                                                       {"energy", "energy_kwh"},
                                                       {"meter-id", "meter_id"},
                                                       {"quality", ""},
                                                       {"", ""},
                                                       {"x", ""},
                                                       {"comment", ""}};
  for (const auto& [name, expected] : cases)
    BOOST_TEST(nearest_name(name, known) == expected, name);
  BOOST_TEST(did_you_mean("temp_out", known) == ", did you mean temp_out_c?");
  BOOST_TEST(did_you_mean("quality", known).empty());
  BOOST_TEST(nearest_name(std::string(100'000, 'x'), known).empty());
}

BOOST_AUTO_TEST_SUITE_END()
