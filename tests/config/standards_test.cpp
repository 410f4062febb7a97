#include <boost/test/unit_test.hpp>

#include <chrono>
#include <fstream>
#include <string>

#include "../support/temporary_folder.h"
#include "config/standards_file.h"

using namespace district;
using namespace std::chrono_literals;

namespace {

Result<Standards> read(const std::string& text) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "standards.toml";
  std::ofstream(path) << text;
  return config::load_standards(path);
}

void refuses(const std::string& text, const std::string& part) {
  BOOST_TEST_CONTEXT(text) {
    const auto standards = read(text);
    BOOST_REQUIRE(!standards);
    BOOST_TEST((standards.error().code == ErrorCode::config_invalid));
    BOOST_TEST(standards.error().detail.find(part) != std::string::npos, standards.error().detail);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(standards)

BOOST_AUTO_TEST_CASE(without_a_file_all_is_as_the_design_has_it) {
  const test::TemporaryFolder folder;
  const auto standards = config::load_standards(folder.path() / "standards.toml");
  BOOST_REQUIRE(standards);
  BOOST_TEST(standards->heating_base == 18);
  BOOST_TEST((standards->register_gap_max == 6h));
  BOOST_TEST((standards->heating_last == std::chrono::April / 30));
}

BOOST_AUTO_TEST_CASE(every_setting_can_be_set) {
  const auto standards = read(R"(
night_start_hour = 23
night_end_hour = 7
day_burning_start_hour = 9
day_burning_end_hour = 17
heating_base = 15.5
cooling_base = 22
eurostat_heating_threshold = 14
eurostat_cooling_threshold = 25
degree_days_min = 10
heating_season_first = "10-15"
heating_season_last = "04-15"
adaptive_slope = 0.31
adaptive_offset = 17.8
adaptive_low = 11
adaptive_high = 29
register_gap_hours = 1.5
nominal_step_minutes = 5
hold_steps = 3
cvrmse_max = 0.25
nmbe_max = 0.05
[comfort.II]
heating = [19, 25]
adaptive = [-3.5, 3]
)");
  BOOST_REQUIRE(standards);
  BOOST_TEST(standards->night_start_hour == 23);
  BOOST_TEST(standards->night_end_hour == 7);
  BOOST_TEST(standards->day_burning_start_hour == 9);
  BOOST_TEST(standards->day_burning_end_hour == 17);
  BOOST_TEST(standards->heating_base == 15.5);
  BOOST_TEST(standards->cooling_base == 22);
  BOOST_TEST(standards->eurostat_heating_threshold == 14);
  BOOST_TEST(standards->eurostat_cooling_threshold == 25);
  BOOST_TEST(standards->degree_days_min == 10);
  BOOST_TEST((standards->heating_first == std::chrono::October / 15));
  BOOST_TEST((standards->heating_last == std::chrono::April / 15));
  BOOST_TEST(standards->adaptive_slope == 0.31);
  BOOST_TEST(standards->adaptive_offset == 17.8);
  BOOST_TEST(standards->adaptive_low == 11);
  BOOST_TEST(standards->adaptive_high == 29);
  BOOST_TEST((standards->register_gap_max == 90min));
  BOOST_TEST((standards->nominal_step == 5min));
  BOOST_TEST(standards->hold_steps == 3);
  BOOST_TEST(standards->cvrmse_max == 0.25);
  BOOST_TEST(standards->nmbe_max == 0.05);
  BOOST_TEST(standards->comfort[1].heating.low == 19);
  BOOST_TEST(standards->comfort[1].cooling.low == 23);
  BOOST_TEST(standards->comfort[1].adaptive.low == -3.5);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_with_its_line) {
  refuses("\nheating_bass = 18", "line 2: unknown key 'heating_bass'");
  refuses("heating_base = \"18\"", "heating_base is not a number from -50 to 50, in Cel");
  refuses("heating_base = nan", "heating_base");
  refuses("heating_base = 180", "line 1");
  refuses("night_start_hour = 22.5", "night_start_hour is not a whole number from 0 to 23");
  refuses("night_start_hour = 24", "night_start_hour");
  refuses("night_start_hour = 6", "the night has no hour");
  refuses("day_burning_start_hour = 16", "day_burning_start_hour");
  refuses("adaptive_low = 31", "adaptive_low is above");
  refuses("register_gap_hours = 0", "register_gap_hours");
  refuses("hold_steps = 0.5", "hold_steps");
  refuses("nominal_step_minutes = 1441", "nominal_step_minutes");
  for (const auto* day : {"2018-10-01", "10-32", "13-01", "02-30", "1-1", "--10-", "10-1-", ""})
    refuses("heating_season_first = \"" + std::string(day) + "\"", "not a day of the year");
  refuses("heating_season_first = 2018-10-01", "not a day of the year");
  refuses("[comfort.V]\nheating = [1, 2]", "categories are");
  refuses("[comfort.I]\nheating = [25, 21]", "limits are");
  refuses("[comfort.I]\nheating = [21, inf]", "limits are");
  refuses("heating_base", "line 1");
}

BOOST_AUTO_TEST_CASE(the_reference_has_every_key_with_its_default) {
  const auto keys = config::standards_keys();
  BOOST_TEST(keys.size() == 20U);
  std::string text;
  for (const auto& key : keys) text += key.name + " = " + key.standard + "\n";
  const auto standards = read(text);
  BOOST_REQUIRE_MESSAGE(standards, text);
  BOOST_TEST((standards->register_gap_max == Standards{}.register_gap_max));
  BOOST_TEST((standards->heating_first == Standards{}.heating_first));
}

BOOST_AUTO_TEST_SUITE_END()
