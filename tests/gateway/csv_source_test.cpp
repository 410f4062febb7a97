#include "gateway/csv_source.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>

#include "gateway/compose.h"
#include "xml/document.h"

using namespace district;
using namespace district::gateway;

namespace {

struct Libraries {
  Libraries() { xml::initialize(); }
};
BOOST_TEST_GLOBAL_FIXTURE(Libraries);

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "district-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(path / name, std::ios::binary) << text;
    return (path / name).string();
  }
  std::filesystem::path path;
};

const std::string kPilots = std::string(DISTRICT_SOURCE_DIR) + "/tests/data/pilots/";

std::vector<Row> all_rows(const std::string& path) {
  auto source = open_rows(path);
  BOOST_REQUIRE_MESSAGE(source, (source ? "" : source.error().detail));
  std::vector<Row> rows;
  for (;;) {
    auto row = (*source)->next();
    BOOST_REQUIRE_MESSAGE(row, (row ? "" : row.error().detail));
    if (!*row) return rows;
    rows.push_back(**row);
  }
}

Error first_error(const std::string& path) {
  auto source = open_rows(path);
  if (!source) return source.error();
  for (;;) {
    auto row = (*source)->next();
    if (!row) return row.error();
    BOOST_REQUIRE_MESSAGE(*row, "no error in " + path);
  }
}

const std::string kBarcelonaHeader =
    "meter_id,period_start_utc,period_end_utc,energy_kwh,price_eur_per_kwh,temp_in_c,temp_out_c\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(csv_source)

BOOST_AUTO_TEST_CASE(reads_the_sample_of_every_pilot) {
  const auto school = all_rows(kPilots + "barcelona_school_2018-03.csv.gz");
  BOOST_TEST(school.size() == 739U);
  const auto& hour = std::get<IntervalRow>(school.front());
  BOOST_TEST(hour.meter == "BCN-SCHOOL");
  BOOST_TEST(format_instant(hour.start, 0) == "2018-02-28T23:00:00Z");
  BOOST_TEST(format_instant(hour.end, 0) == "2018-03-01T00:00:00Z");
  BOOST_TEST(hour.energy_kwh == "16.3");
  BOOST_TEST(hour.price_eur_per_kwh == "0.08827");

  const auto lamps = all_rows(kPilots + "eibar_L1_2018-03.csv.gz");
  BOOST_TEST(lamps.size() == 2831U);
  BOOST_TEST(std::get<PowerRow>(lamps.front()).power_w == "5960.6");

  const auto water = all_rows(kPilots + "kalundborg_W2_2018-12.csv.gz");
  BOOST_TEST(water.size() == 1457U);
  BOOST_TEST(std::get<RegisterRow>(water.front()).reading == "98063.0");

  const auto meters = all_rows(kPilots + "kalundborg_meters.csv");
  BOOST_REQUIRE(meters.size() == 1U);
  const auto& meter = std::get<MasterRow>(meters.front());
  BOOST_TEST(meter.meter == "KAL-W2");
  BOOST_REQUIRE(meter.attributes.size() == 3U);
  BOOST_TEST(meter.attributes[2].first == "register_modulus");
  BOOST_TEST(meter.attributes[2].second == "100000");
}

BOOST_AUTO_TEST_CASE(takes_the_value_first_sent_from_its_own_column) {
  const auto rows = all_rows(kPilots + "barcelona_school_2018-03_first_sent.csv");
  BOOST_REQUIRE(rows.size() == 8U);
  BOOST_TEST(std::get<IntervalRow>(rows.back()).energy_kwh == "144.0");
  BOOST_TEST(std::get<IntervalRow>(rows.back()).price_eur_per_kwh.empty());
}

BOOST_AUTO_TEST_CASE(sums_up_an_installation) {
  const auto rows = all_rows(kPilots + "eibar_installations.json");
  BOOST_REQUIRE(rows.size() == 1U);
  const auto& row = std::get<MasterRow>(rows.front());
  BOOST_TEST(row.source == "EIB-L1");
  BOOST_TEST(row.meter.empty());
  const std::map<std::string, std::string> attributes(row.attributes.begin(), row.attributes.end());
  BOOST_TEST(attributes.at("installed_power_w") == "11845");  // 120 * 98 + 85
  BOOST_TEST(attributes.at("on_threshold_w") == "500");
  BOOST_TEST(attributes.at("lit_area_m2") == "28800");
  BOOST_TEST(attributes.at("illuminance_area_lx_m2") == "270000");  // 21600 * 10 + 7200 * 7.5
}

BOOST_AUTO_TEST_CASE(a_sub_meter_without_period_ends_is_hourly) {
  const Folder folder;
  const auto rows = all_rows(folder.file(
      "lights.csv", "meter_id,period_start_utc,energy_kwh\r\nL,2016-01-11T16:00:00Z,0.21\r\n\r\n"));
  BOOST_REQUIRE(rows.size() == 1U);
  BOOST_TEST(format_instant(std::get<IntervalRow>(rows[0]).end, 0) == "2016-01-11T17:00:00Z");
}

BOOST_AUTO_TEST_CASE(a_line_that_is_not_utf8_is_latin1) {
  const Folder folder;
  const std::string row = ",2018-03-01T00:00:00Z,1\n";
  const auto rows = all_rows(folder.file("l.csv",
                                         "installation_id,sampled_at_utc,power_w\nCa\xF1"
                                         "a" +
                                             row +
                                             "Ca\xC3\xB1"
                                             "a" +
                                             row));
  BOOST_REQUIRE(rows.size() == 2U);
  BOOST_TEST(std::get<PowerRow>(rows[0]).installation ==
             "Ca\xC3\xB1"
             "a");
  BOOST_TEST(std::get<PowerRow>(rows[1]).installation ==
             "Ca\xC3\xB1"
             "a");
}

BOOST_AUTO_TEST_CASE(says_file_and_line_of_what_does_not_fit) {
  const Folder folder;
  const std::string period = "M,2018-03-01T00:00:00Z,2018-03-01T01:00:00Z,";
  const struct {
    const char* what;
    std::string text;
    const char* line;
  } cases[] = {
      {"not a number", kBarcelonaHeader + period + "NaN,,,\n",
       ":2: energy_kwh: NaN is no decimal number: leave the row out"},
      {"decimal comma", kBarcelonaHeader + period + "\"1,5\",,,\n",
       ":2: energy_kwh: 1,5 is no decimal number: write 1.5"},
      {"optional number", kBarcelonaHeader + period + "1,free,,\n",
       ":2: price_eur_per_kwh: free is no decimal number"},
      {"semicolons", "meter_id;period_start_utc;period_end_utc;energy_kwh\nM;a;b;1,5\n",
       ":1: the fields are separated by ';', commas are expected"},
      {"tabs", "meter_id\tperiod_start_utc\tenergy_kwh\n", ":1: the fields are separated by tabs"},
      {"bars", "meter_id|period_start_utc|energy_kwh\n", ":1: the fields are separated by '|'"},
      {"mark for a spreadsheet", "sep=;\n" + kBarcelonaHeader, ":1: the first line is a mark"},
      {"NUL", kBarcelonaHeader + std::string("M\0", 2) + period.substr(1) + "1,,,\n",
       ":2: a control character (U+0000, a NUL)"},
      {"line end in a name", kBarcelonaHeader + "\"M\nN\"" + period.substr(1) + "1,,,\n",
       ":2: meter_id has a line end"},
      {"long name", kBarcelonaHeader + std::string(129, 'M') + period.substr(1) + "1,,,\n",
       ":2: meter_id has more than 128 characters"},
      {"misspelt end", "meter_id,period_start_utc,period_end,energy_kwh\n",
       "without period_end_utc every period would be an hour"},
      {"no value", kBarcelonaHeader + period + ",,,\n", ":2: no energy_kwh"},
      {"second row", kBarcelonaHeader + period + "1,,,\n" + period + "x,,,\n", ":3: "},
      {"fields missing", kBarcelonaHeader + period + "1\n", "4 fields where 7"},
      {"no zone", kBarcelonaHeader + "M,2018-03-01T00:00:00,2018-03-01T01:00:00Z,1,,,\n",
       "period_start_utc is no time with a zone"},
      {"backwards", kBarcelonaHeader + "M,2018-03-01T01:00:00Z,2018-03-01T01:00:00Z,1,,,\n",
       "ends before it starts"},
      {"control character", kBarcelonaHeader + "M\x01" + period.substr(1) + "1,,,\n",
       "control character"},
      {"long line", kBarcelonaHeader + std::string(5000, 'M') + "\n", "a line of more than"},
      {"column twice", "meter_id,meter_id\n",
       "a column occurs twice in the header line: \"meter_id\""},
      {"empty file", "", "the file is empty"},
      {"other header", "a,b,c\n1,2,3\n", "unknown header line"},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.what) {
      const Error error = first_error(folder.file("x.csv", c.text));
      BOOST_TEST((error.code == ErrorCode::gateway_input));
      BOOST_TEST(error.detail.find(c.line) != std::string::npos, error.detail);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_misspelt_column_is_named_with_what_was_meant) {
  const Folder folder;
  const auto hint = [&](const std::string& header) {
    return first_error(folder.file("x.csv", header + "\n")).hint;
  };
  BOOST_TEST(hint("meter_id,period_start_utc,enery_kwh") ==
             "did you mean energy_kwh for enery_kwh?");
  BOOST_TEST(hint("Meter_ID,Period_Start_UTC,energy_kwh") ==
             "did you mean meter_id for Meter_ID and period_start_utc for Period_Start_UTC?");
  BOOST_TEST(hint("installation_id,sampled_utc,power_w") ==
             "did you mean sampled_at_utc for sampled_utc?");
  BOOST_TEST(hint("a,b,c").starts_with("known headers"));
}

BOOST_AUTO_TEST_CASE(columns_that_are_not_sent_are_named) {
  const Folder folder;
  const auto notes = [&](const std::string& header) {
    const auto source = open_rows(folder.file("x.csv", header + "\n"));
    BOOST_REQUIRE(source);
    return (*source)->notes();
  };
  const auto note = [&](const std::string& header) {
    const auto all = notes(header);
    BOOST_REQUIRE(all.size() == 1U);
    return all.front().substr(all.front().find(": ") + 2);
  };
  BOOST_TEST(note("meter_id,period_start_utc,period_end_utc,energy_kwh,price_eur_kwh,quality") ==
             "not sent: price_eur_kwh, did you mean price_eur_per_kwh?; quality");
  BOOST_TEST(note("meter_id,period_start_utc,energy_kwh,Temp_Out") ==
             "not sent: Temp_Out, did you mean temp_out_c?");
  BOOST_TEST(note("installation_id,sampled_at_utc,power_w,status") == "not sent: status");
  BOOST_TEST(note("meter_id,medium,unit,read_at_utc,register") == "not sent: medium; unit");
  BOOST_TEST(note("installation_id,sampled_at_utc,power_w,") ==
             "not sent: a column without a name");
  BOOST_TEST(note("installation_id,sampled_at_utc,power_w,a\xE2\x80\xAE") ==
             "not sent: a\\u{202E}");
  BOOST_TEST(notes("meter_id,period_start_utc,period_end_utc,energy_kwh").empty());
}

BOOST_AUTO_TEST_CASE(what_quotes_protect_is_sent) {
  const Folder folder;
  const auto rows = all_rows(folder.file("q.csv",
                                         "installation_id,note,sampled_at_utc,\"power_w\"\r\n"
                                         "\"Shop, \"\"Centre\"\"\",\"two\r\nlines, and "
                                         "more\",2018-03-01T00:00:00Z,5.0E-4\r\n"
                                         "  B   2 , ,2018-03-01T00:00:00Z, 7 \r\n"));
  BOOST_REQUIRE(rows.size() == 2U);
  BOOST_TEST(std::get<PowerRow>(rows[0]).installation == "Shop, \"Centre\"");
  BOOST_TEST(std::get<PowerRow>(rows[0]).power_w == "0.0005");
  BOOST_TEST(std::get<PowerRow>(rows[1]).installation == "B 2");
  BOOST_TEST(std::get<PowerRow>(rows[1]).power_w == "7");
}

BOOST_AUTO_TEST_CASE(a_file_may_be_read_twice) {
  for (const char* name : {"barcelona_school_2018-03.csv.gz", "eibar_installations.json"}) {
    auto source = open_rows(kPilots + name);
    BOOST_REQUIRE(source);
    std::size_t counts[2] = {};
    for (auto& count : counts) {
      for (;; ++count) {
        const auto row = (*source)->next();
        BOOST_REQUIRE(row);
        if (!*row) break;
      }
      (*source)->rewind();
    }
    BOOST_TEST(counts[0] > 0U);
    BOOST_TEST(counts[0] == counts[1]);
  }
}

BOOST_AUTO_TEST_CASE(members_of_an_installation_that_are_not_read_are_named) {
  const Folder folder;
  const std::string good = R"("luminaires":1,"system_power_w_per_luminaire":2,"on_threshold_w":1)";
  const auto source = open_rows(folder.file(
      "i.json", R"({"A":{)" + good +
                    R"(,"additional_power":5,"areas":[{"area_m2":1,"maintained_illuminance_lx":2,)"
                    R"("colour":1}]},"B":{)" +
                    good + R"(,"additional_power":5}})"));
  BOOST_REQUIRE_MESSAGE(source, (source ? "" : source.error().detail));
  BOOST_REQUIRE((*source)->notes().size() == 1U);
  BOOST_TEST((*source)->notes()[0].find(
                 "not sent: additional_power, did you mean additional_power_w?, colour") !=
                 std::string::npos,
             (*source)->notes()[0]);
  for (const auto& text : {R"({"A":{)" + good + R"(},"A":{)" + good + "}}",
                           R"({"A":{)" + good + R"(,"luminaires":9}})"}) {
    const auto error = first_error(folder.file("t.json", text));
    BOOST_TEST(error.detail.find("is given twice") != std::string::npos, error.detail);
  }
}

BOOST_AUTO_TEST_CASE(nothing_that_follows_a_gzip_file_vanishes) {
  const Folder folder;
  std::ifstream whole(kPilots + "eibar_L1_2018-03.csv.gz", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(whole), {}};
  const auto rows = all_rows(folder.file("one.csv", text));  // the name does not decide
  // Two members are one text, so that the second has a header line of its own.
  const auto error = first_error(folder.file("two.csv.gz", text + text));
  BOOST_TEST(error.detail.find(":" + std::to_string(rows.size() + 2) + ": ") != std::string::npos,
             error.detail);
  for (const std::string& more :
       {std::string("EIB-L1,2018-04-01T00:00:00Z,1\n"), std::string(1, '\0')}) {
    const auto garbage = first_error(folder.file("more.csv.gz", text + more));
    BOOST_TEST(garbage.detail.find("follow the end of the gzip file") != std::string::npos,
               garbage.detail);
  }
}

BOOST_AUTO_TEST_CASE(a_file_without_end_is_refused) {
  const auto error = first_error("/dev/zero");
  BOOST_TEST((error.code == ErrorCode::file_unreadable));
  BOOST_TEST(error.detail.find("more than 256 MiB") != std::string::npos, error.detail);
}

BOOST_AUTO_TEST_CASE(a_gzip_file_cut_short_is_no_complete_file) {
  const Folder folder;
  std::ifstream whole(kPilots + "barcelona_school_2018-03.csv.gz", std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(whole), {}};
  text.resize(text.size() / 2);
  const Error error = first_error(folder.file("half.csv.gz", text));
  BOOST_TEST((error.code == ErrorCode::file_unreadable), error.detail);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_not_there_is_named) {
  const Error error = first_error("/nonexistent/x.csv");
  BOOST_TEST((error.code == ErrorCode::file_unreadable));
  BOOST_TEST(error.detail.find("/nonexistent/x.csv: No such file") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(compose)

BOOST_AUTO_TEST_CASE(writes_barcelonas_message_without_what_is_absent) {
  IntervalRow row{"A&B",
                  *parse_date_time("2018-03-01T00:00:00Z"),
                  *parse_date_time("2018-03-01T01:00:00Z"),
                  "1.50",
                  "",
                  "",
                  "-3.2"};
  const auto text = compose_message(Row{row}, {});
  BOOST_REQUIRE(text);
  BOOST_TEST(
      *text ==
      "<message><head><timestamp>2018-03-01T01:00:00Z</timestamp><messageType><type>001</type>"
      "<version>0.0.1</version></messageType><messageSource><messageSourceElement>A&amp;B"
      "</messageSourceElement></messageSource></head><content><gcontent>"
      "<measure_timestamp_start>2018-03-01T00:00:00Z</measure_timestamp_start>"
      "<measure_timestamp_end>2018-03-01T01:00:00Z</measure_timestamp_end>"
      "<energy_measure>1.50</energy_measure><temperature_out>-3.2</temperature_out>"
      "</gcontent></content></message>");
}

BOOST_AUTO_TEST_CASE(a_register_needs_the_name_of_its_house) {
  const Row row{RegisterRow{"KAL-W2", *parse_date_time("2018-12-01T00:00:00.25Z"), "98063.0"}};
  const auto without = compose_message(row, {});
  BOOST_REQUIRE(!without);
  BOOST_TEST((without.error().code == ErrorCode::gateway_input));
  BOOST_TEST(without.error().hint.find("--source") != std::string::npos);

  ComposeOptions options;
  options.source = "KAL-1";
  const auto with = compose_message(row, options);
  BOOST_REQUIRE(with);
  BOOST_TEST(with->find("<timestamp>2018-12-01T00:00:00.250000Z</timestamp>") != std::string::npos);
  BOOST_TEST(with->find("<ID_Meter_consumption>KAL-W2</ID_Meter_consumption><Consumer_measure>"
                        "98063.0</Consumer_measure>") != std::string::npos);
  BOOST_TEST(with->find("<messageSourceElement>KAL-1<") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(messages_that_are_already_written_are_sent_as_they_are) {
  const auto rows =
      all_rows(std::string(DISTRICT_SOURCE_DIR) + "/wsdl/examples/request-kalundborg.xml");
  BOOST_REQUIRE(rows.size() == 1U);
  BOOST_TEST(meter_of(rows[0]) == "SeasNve");
  BOOST_TEST(format_instant(*time_of(rows[0]), 0) == "2015-04-13T14:11:42Z");
  const auto text = compose_message(rows[0], {});
  BOOST_REQUIRE(text);
  BOOST_TEST(text->starts_with("<message>"));
  BOOST_TEST(text->find("<timestamp>2015-04-13T16:11:42.9000728+02:00</timestamp>") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_xml_file_without_messages_is_refused) {
  const Folder folder;
  BOOST_TEST(first_error(folder.file("a.xml", "<a/>")).detail.find("no <messages>") !=
             std::string::npos);
  BOOST_TEST((first_error(folder.file("b.xml", "<!DOCTYPE a><messages/>")).code ==
              ErrorCode::gateway_input));
  BOOST_TEST(first_error(folder.file("c.xml", "<messages><message/></messages>"))
                 .detail.find("c.xml:1: a message without") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_exchange_holds_from_its_own_instant) {
  const Folder folder;
  const auto rows = all_rows(folder.file(
      "exchanges.csv",
      "house_id,medium,at_utc,old_meter_id,old_final_register,new_meter_id,new_initial_register\n"
      "KAL-1,heat,2019-06-12T09:20:00Z,KAL-H660,32896.0,KAL-H9001,0.0\n"));
  BOOST_REQUIRE(rows.size() == 1U);
  const auto text = compose_message(rows[0], {});
  BOOST_REQUIRE(text);
  BOOST_TEST(
      text->find("<meter><meter_id>KAL-H9001</meter_id><valid_from>2019-06-12T09:20:00Z"
                 "</valid_from><medium>heat</medium><replaces_meter>KAL-H660</replaces_meter>"
                 "<replaced_final_register>32896.0</replaced_final_register>"
                 "<initial_register>0.0</initial_register></meter>") != std::string::npos);
  BOOST_TEST(text->find("<messageSourceElement>KAL-1<") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
