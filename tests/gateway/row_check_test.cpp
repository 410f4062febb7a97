#include "gateway/row_check.h"

#include <boost/test/unit_test.hpp>

using namespace district;
using namespace district::gateway;

namespace {

struct Judged {
  Result<std::vector<std::size_t>> repeats;
  std::vector<std::string> notes;
};

Judged judge(const std::string& text, const std::string& source = {},
             const std::string& path = "x.csv") {
  auto rows = rows_of(text, path);
  BOOST_REQUIRE_MESSAGE(rows, (rows ? "" : rows.error().detail));
  RowCheck check(path, source);
  for (std::size_t ordinal = 0;; ++ordinal) {
    const auto row = (*rows)->next();
    BOOST_REQUIRE_MESSAGE(row, (row ? "" : row.error().detail));
    if (!*row) break;
    check.take(**row, ordinal, (*rows)->line());
  }
  auto repeats = check.judge();
  return {std::move(repeats), check.notes()};
}

const std::string kInterval = "meter_id,period_start_utc,period_end_utc,energy_kwh\n";
const std::string kPriced =
    "meter_id,period_start_utc,period_end_utc,energy_kwh,price_eur_per_kwh\n";
const std::string kHour = "2024-04-30T22:00:00Z,2024-04-30T23:00:00Z,";
const std::string kNext = "2024-04-30T23:00:00Z,2024-05-01T00:00:00Z,";

void check_conflict(const Judged& judged, const std::string& expected) {
  BOOST_REQUIRE(!judged.repeats);
  BOOST_TEST((judged.repeats.error().code == ErrorCode::gateway_input));
  const auto& detail = judged.repeats.error().detail;
  BOOST_TEST(detail.find(expected) != std::string::npos, detail);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(row_check)

BOOST_AUTO_TEST_CASE(two_values_for_one_period_are_refused_with_both_lines) {
  check_conflict(judge(kInterval + "M," + kHour + "3.5\nM," + kNext + "1\nM," + kHour + "0\n"),
                 "x.csv: lines 2 and 4 give two values for one period of M, from "
                 "2024-04-30T22:00:00Z to 2024-04-30T23:00:00Z: 3.5 and 0");
  // The same instant spelled with another offset.
  check_conflict(judge(kInterval + "M," + kHour + "3.5\n" +
                       "M,2024-05-01T00:00:00+02:00,2024-05-01T01:00:00+02:00,4\n"),
                 "lines 2 and 3");
  check_conflict(judge("installation_id,sampled_at_utc,power_w\nL,2024-05-01T00:00:00Z,1\n"
                       "L,2024-05-01T00:00:00.000Z,2\n"),
                 "of L, at 2024-05-01T00:00:00Z: 1 and 2");
  check_conflict(judge("meter_id,read_at_utc,register\nW,2024-05-01T00:00:00Z,1\n"
                       "W,2024-05-01T00:00:00Z,2\n",
                       "KAL-1"),
                 "of KAL-1/W");
  // Prices of one hour contradict each other as energies do.
  check_conflict(judge(kPriced + "M," + kHour + "1,0.2\nM," + kHour + "1,0.3\n"), "0.2 and 0.3");
  check_conflict(judge(kPriced + "M," + kHour + "1,\nM," + kHour + "1,0.2\nM," + kHour + "1,0.3\n"),
                 "lines 3 and 4");
  check_conflict(judge(kInterval + "M," + kHour + "1\nM," + kHour + "2\nM," + kHour + "3\n"),
                 "and 1 more");
}

BOOST_AUTO_TEST_CASE(one_source_for_two_meters_makes_two_values) {
  const auto text = kInterval + "A," + kHour + "1\nB," + kHour + "2\n";
  BOOST_TEST(judge(text).repeats.has_value());
  check_conflict(judge(text, "SCHOOL"), "lines 2 and 3 give two values for one period of SCHOOL");
}

BOOST_AUTO_TEST_CASE(names_are_compared_as_the_server_compares_them) {
  check_conflict(judge(kInterval + "Shop 1," + kHour + "1\n\" Shop  1 \"," + kHour + "2\n"),
                 "lines 2 and 3");
}

BOOST_AUTO_TEST_CASE(repeats_are_sent_once_and_named) {
  const auto judged = judge(kInterval + "M," + kHour + "3.5\nM," + kNext + "1\nM," + kHour +
                            "3.50\nN," + kHour + "3.5\nM," + kHour + "35e-1\n");
  BOOST_REQUIRE(judged.repeats);
  const std::vector<std::size_t> expected{2, 4};
  BOOST_TEST(*judged.repeats == expected, boost::test_tools::per_element());
  BOOST_REQUIRE(judged.notes.size() == 2U);
  BOOST_TEST(judged.notes[0] == "x.csv:4: the same as line 2; it is sent once");
}

BOOST_AUTO_TEST_CASE(rows_that_complete_each_other_are_both_sent) {
  const auto judged = judge(kPriced + "M," + kHour + "1,\nM," + kHour + "1,0.2\n");
  BOOST_REQUIRE(judged.repeats);
  BOOST_TEST(judged.repeats->empty());
}

BOOST_AUTO_TEST_CASE(a_day_and_its_hours_are_other_periods) {
  const auto judged = judge(kInterval + "M," + kHour +
                            "1\nM,2024-04-30T22:00:00Z,"
                            "2024-05-01T22:00:00Z,24\n");
  BOOST_TEST(judged.repeats.has_value());
}

BOOST_AUTO_TEST_CASE(quarters_without_an_end_are_no_hours) {
  const std::string header = "meter_id,period_start_utc,energy_kwh\n";
  check_conflict(judge(header + "M,2024-05-01T00:00:00Z,1\nM,2024-05-01T00:15:00Z,1\n"),
                 "without period_end_utc a period is an hour, but lines 2 and 3 of M");
  BOOST_TEST(judge(header + "M,2024-05-01T00:00:00Z,1\nM,2024-05-01T01:00:00Z,1\n"
                            "N,2024-05-01T00:15:00Z,1\n")
                 .repeats.has_value());
}

BOOST_AUTO_TEST_CASE(master_data_may_not_contradict_itself) {
  const std::string header = "meter_id,medium,unit,register_modulus\n";
  check_conflict(judge(header + "W,water,m3,1000\nW,water,L,1000\n", "KAL-1"),
                 "lines 2 and 3 state two values for unit of W: m3 and L");
  BOOST_TEST(
      judge(header + "W,water,m3,1000\nW,water,m3,\nV,water,L,\n", "KAL-1").repeats.has_value());
}

BOOST_AUTO_TEST_CASE(written_messages_are_held_to_the_same) {
  const auto message = [](const std::string& meter, const std::string& value) {
    return "<message><head><timestamp>2024-05-01T00:00:00Z</timestamp><messageType><type>001</type>"
           "<version>002</version></messageType><messageSource><messageSourceElement>KAL-1"
           "</messageSourceElement></messageSource></head><content><gcontent>"
           "<ID_Meter_consumption>" +
           meter + "</ID_Meter_consumption><Consumer_measure>" + value +
           "</Consumer_measure></gcontent></content></message>\n";
  };
  const auto file = [](const std::string& messages) {
    return "<messages>\n" + messages + "</messages>";
  };
  check_conflict(judge(file(message("W", "1") + message("W", "2")), {}, "x.xml"),
                 "x.xml: lines 2 and 3 give two values for one period of KAL-1/W");
  const auto judged =
      judge(file(message("W", "1") + message("V", "2") + message("W", "1.0")), {}, "x.xml");
  BOOST_REQUIRE(judged.repeats);
  BOOST_TEST(judged.repeats->size() == 1U);
}

BOOST_AUTO_TEST_CASE(names_that_only_look_alike_are_told) {
  const auto notes = [](const std::string& first, const std::string& second) {
    const auto judged =
        judge(kInterval + "\"" + first + "\"," + kHour + "1\n\"" + second + "\"," + kHour + "2\n");
    BOOST_TEST(judged.repeats.has_value());
    std::string all;
    for (const auto& note : judged.notes) all += note + "\n";
    return all;
  };
  const auto no_break = notes("Shop 1",
                              "Shop\xC2\xA0"
                              "1");
  BOOST_TEST(no_break.find("x.csv:3: the name \"Shop\\u{A0}1\" has a character that is not seen "
                           "(U+00A0, a no-break space)") != std::string::npos,
             no_break);
  BOOST_TEST(no_break.find("\"Shop 1\" (line 2) look alike") != std::string::npos, no_break);
  for (const char* other : {"Sh\xE2\x80\x8Bop 1", "\xEF\xBB\xBFShop 1", "SHOP 1",
                            "Shop\xE2\x80\x87"
                            "1",
                            "Shop 1\xE2\x80\x8E"})
    BOOST_TEST(notes("Shop 1", other).find("look alike") != std::string::npos, other);
  BOOST_TEST(notes("Shop 1", "Shop 2").empty());
  BOOST_TEST(notes("Ca\xC3\xB1on", "Canon").empty());
}

BOOST_AUTO_TEST_SUITE_END()
