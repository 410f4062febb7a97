// The public reference: one month of one meter per pilot, computed independently from the same
// data.
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "fixture.h"
#include "series/plausibility.h"
#include "store/transaction.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;
constexpr double kTolerance = 1e-5;  // relative, as the reference states; its values have 6 digits

fs::path data_folder() { return fs::path(DISTRICT_SOURCE_DIR) / ".." / "shared" / "data"; }

bool data_is_there() {
  if (fs::exists(data_folder() / "reference")) return true;
  BOOST_TEST_MESSAGE("NOT TESTED: the pilots' data is not at " << data_folder());
  return false;
}

using Row = std::map<std::string, std::string>;

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line);
  for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
  if (line.ends_with(',')) cells.emplace_back();
  return cells;
}

std::vector<Row> rows_of(std::istream& stream) {
  std::vector<Row> rows;
  std::string line;
  std::getline(stream, line);
  const auto names = split(line);
  while (std::getline(stream, line)) {
    const auto cells = split(line);
    BOOST_REQUIRE_EQUAL(cells.size(), names.size());
    auto& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cells[i];
  }
  return rows;
}

std::vector<Row> read_csv(const fs::path& name) {
  std::ifstream file(data_folder() / name);
  BOOST_REQUIRE_MESSAGE(file.good(), name);
  return rows_of(file);
}

std::vector<Row> read_gz(const fs::path& name) {
  const auto command = "zcat '" + (data_folder() / name).string() + "'";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  BOOST_REQUIRE(pipe);
  std::string text;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;)
    text.append(buffer, n);
  std::istringstream stream(text);
  auto rows = rows_of(stream);
  BOOST_REQUIRE(!rows.empty());
  return rows;
}

// One batch a UTC day, as a gateway sends them, received a minute after the day's end.
void send_daily(Scratch& scratch, const std::string& tenant,
                const std::vector<Observation>& observations) {
  std::map<Instant, Batch> days;
  for (auto observation : observations) {
    auto& batch = days[std::chrono::floor<std::chrono::days>(observation.start)];
    batch.tenant = tenant;
    observation.message_index = static_cast<std::uint32_t>(batch.observations.size() + 1);
    batch.observations.push_back(observation);
  }
  const auto began = std::chrono::steady_clock::now();
  for (const auto& [day, batch] : days)
    scratch.apply(batch, origin(scratch.next_leaf++, day + 24h + 1min));
  const auto took = std::chrono::steady_clock::now() - began;
  BOOST_TEST_MESSAGE(observations.size()
                     << " values in " << days.size() << " batches: "
                     << std::chrono::duration_cast<std::chrono::milliseconds>(took).count()
                     << " ms");
}

// Compares one column of a reference row with the KPI.
void compare(Scratch& scratch, const char* kpi, WindowKind kind, const std::string& start,
             const std::string& expected) {
  BOOST_TEST_CONTEXT(kpi << " " << name_of(kind) << " from " << start) {
    const auto found = scratch.get(kpi, kind, start.c_str());
    if (expected.empty()) {
      BOOST_TEST(!found.value.has_value());
      return;
    }
    BOOST_REQUIRE(found.value.has_value());
    const double number = std::stod(expected);
    BOOST_TEST(std::abs(*found.value - number) <= std::max(kTolerance * std::abs(number), 5e-7),
               *found.value << " instead of " << number);
  }
}

void compare_status(const KpiValue& kpi, const Row& row, const char* completeness) {
  BOOST_TEST(name_of(kpi.status) == row.at("status"));
  BOOST_TEST(std::abs(kpi.completeness - std::stod(row.at(completeness))) <= 1e-6);
}

// Midnight of the local day or month that a reference row names, in UTC.
std::string local_start(const char* zone, const std::string& window) {
  const auto calendar = must(Calendar::of(zone));
  const bool month = window.size() == 7;
  const auto noon = at((window + (month ? "-15" : "") + "T12:00:00Z").c_str());
  return format_instant(calendar.window(month ? WindowKind::month : WindowKind::day, noon).start,
                        0);
}

std::vector<Observation> school(const std::vector<Row>& rows, const char* from, const char* to,
                                const std::map<std::string, std::string>& replaced = {}) {
  std::vector<Observation> observations;
  for (const auto& row : rows) {
    const auto start = at(row.at("period_start_utc").c_str()),
               end = at(row.at("period_end_utc").c_str());
    if (start < at(from) || start >= at(to)) continue;
    const auto other = replaced.find(row.at("period_start_utc"));
    const auto& kwh = other == replaced.end() ? row.at("energy_kwh") : other->second;
    observations.push_back({"BCN-SCHOOL", "", "active_energy", "kWh", ValueKind::interval, start,
                            end, std::stod(kwh), 1, 0});
    if (const auto& eur = row.at("price_eur_per_kwh"); !eur.empty()) {
      observations.push_back({"BCN-SCHOOL", "", "energy_price", "EUR/kWh", ValueKind::mean, start,
                              end, std::stod(eur), 1, 0});
    }
    observations.push_back({"BCN-SCHOOL", "", "temperature_out", "Cel", ValueKind::mean, start, end,
                            std::stod(row.at("temp_out_c")), 1, 0});
  }
  return observations;
}

constexpr const char* kSchoolColumns[] = {"energy_kwh",
                                          "energy_estimate_kwh",
                                          "cost_eur",
                                          "mean_price_eur_kwh",
                                          "time_avg_price_eur_kwh",
                                          "peak_kw",
                                          "mean_kw",
                                          "load_factor",
                                          "base_load_kw",
                                          "near_peak_kw",
                                          "night_kwh",
                                          "night_share",
                                          "mean_temp_out_c",
                                          "hdd18_kd",
                                          "cdd21_kd",
                                          "hdd_eurostat_kd",
                                          "cdd_eurostat_kd",
                                          "kwh_per_hdd",
                                          "co2_kg"};

void compare_school(Scratch& scratch, WindowKind kind, const Row& row) {
  const auto start = row.contains("start_utc") ? row.at("start_utc")
                                               : local_start("Europe/Madrid", row.at("window"));
  for (const auto* column : kSchoolColumns) {
    if (row.contains(column)) compare(scratch, column, kind, start, row.at(column));
  }
  const auto peak = scratch.get("peak_kw", kind, start.c_str());
  BOOST_TEST(peak.attributes.at("peak_at_utc") == row.at("peak_at_utc"));
  if (!row.contains("status")) return;
  const auto energy = scratch.get("energy_kwh", kind, start.c_str());
  compare_status(energy, row, "completeness");
  BOOST_TEST(format_instant(energy.end, 0) == row.at("end_utc"));
  BOOST_TEST(energy.attributes.at("hours_expected") == row.at("hours_expected"));
  BOOST_TEST(energy.attributes.at("hours_present") == row.at("hours_present"));
  const auto degree_days = scratch.get("hdd18_kd", kind, start.c_str());
  BOOST_TEST(degree_days.attributes.at("valid_days") == row.at("degree_days_valid"));
  if (row.contains("degree_days_expected"))
    BOOST_TEST(degree_days.attributes.at("expected_days") == row.at("degree_days_expected"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reference)

BOOST_AUTO_TEST_CASE(school_in_march_before_and_after_the_resends) {
  if (!data_is_there()) return;
  Scratch scratch;
  const auto rows = read_gz("barcelona/school_2018.csv.gz");
  std::map<std::string, std::string> first_sent;
  for (const auto& row : read_csv("barcelona/school_2018_first_sent.csv")) {
    first_sent[row.at("period_start_utc")] = row.at("first_sent_energy_kwh");
  }
  scratch.apply({"20", {}, {}, {fact("BCN-SCHOOL", "", "co2_factor_kg_per_kwh", "0.25")}},
                origin(scratch.next_leaf++, at("2018-01-01")));
  const auto *from = "2018-02-28T00:00:00Z", *to = "2018-04-02T00:00:00Z";
  send_daily(scratch, "20", school(rows, from, to, first_sent));
  for (const auto& row : read_csv("reference/school_2018-03_month_before_resend.csv")) {
    compare_school(scratch, WindowKind::month, row);
  }

  std::vector<Observation> finals;
  for (const auto& observation : school(rows, from, to)) {
    if (first_sent.contains(format_instant(observation.start, 0))) finals.push_back(observation);
  }
  for (auto& observation : finals)
    observation.message_index = static_cast<std::uint32_t>(&observation - finals.data()) + 1;
  scratch.apply({"20", {}, finals, {}}, origin(scratch.next_leaf++, at("2018-04-10")));
  const auto days = read_csv("reference/school_2018-03_day.csv");
  BOOST_TEST(days.size() == 31U);
  for (const auto& row : days) compare_school(scratch, WindowKind::day, row);
  for (const auto& row : read_csv("reference/school_2018-03_month.csv"))
    compare_school(scratch, WindowKind::month, row);
  // Price and temperature of the resent hours are as they were: duplicates.
  const auto counts = must(scratch.store.counts());
  BOOST_TEST(counts.measurements.at(MeasurementState::duplicate) == finals.size() * 2 / 3);
  BOOST_TEST(counts.measurements.at(MeasurementState::superseded) == finals.size() / 3);
}

// Figures of the file of receipts and that of first values alone, computed by another program.
BOOST_AUTO_TEST_CASE(quality_of_the_school_in_january) {
  if (!data_is_there()) return;
  Scratch scratch;
  std::map<std::string, Instant> received;
  for (const auto& row : read_csv("barcelona/school_2018_01_received.csv"))
    received[row.at("period_start_utc")] = at(row.at("received_at_utc").c_str());
  std::map<std::string, double> first_sent;
  for (const auto& row : read_csv("barcelona/school_2018_first_sent.csv"))
    first_sent[row.at("period_start_utc")] = std::stod(row.at("first_sent_energy_kwh"));
  std::multimap<Instant, Observation> sent;
  const auto rows = read_gz("barcelona/school_2018.csv.gz");
  for (const auto& final : school(rows, "2017-12-31T23:00:00Z", "2018-01-31T23:00:00Z")) {
    if (final.quantity != "active_energy") continue;
    const auto name = format_instant(final.start, 0);
    auto first = final;
    const auto wrong = first_sent.find(name);
    if (wrong != first_sent.end()) first.value = wrong->second;
    sent.emplace(received.at(name), first);
    // All is resent in February; what was wrong is corrected by that.
    sent.emplace(at("2018-02-03"), final);
  }
  auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
  Touched touched;
  for (const auto& [when, observation] : sent) {
    static_cast<void>(must(scratch.engine.ingest(transaction, {"20", {}, {observation}, {}},
                                                 origin(scratch.next_leaf++, when), touched)));
  }
  static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2018-02-04"))));
  static_cast<void>(must(transaction.commit()));
  const char* january = "2017-12-31T23:00:00Z";
  for (const auto& [kpi, expected] : {std::pair("availability", "0.9959677419354839"),
                                      {"timeliness_1h", "0.9770580296896086"},
                                      {"timeliness_24h", "0.9946018893387314"},
                                      {"latency_median_s", "149"},
                                      {"latency_p95_s", "263"},
                                      {"latency_max_s", "129678"},
                                      {"correction_rate", "0.012145748987854251"}})
    compare(scratch, kpi, WindowKind::month, january, expected);
  // Three hours of the 16th are missing, and one of it came six hours late.
  for (const auto& [kpi, expected] : {std::pair("availability", "0.875"),
                                      {"timeliness_1h", "0.9523809523809523"},
                                      {"latency_p95_s", "248"},
                                      {"latency_max_s", "21668"},
                                      {"correction_rate", "0"}})
    compare(scratch, kpi, WindowKind::day, "2018-01-15T23:00:00Z", expected);
}

BOOST_AUTO_TEST_CASE(street_lighting_in_march) {
  if (!data_is_there()) return;
  Scratch scratch;
  // installations.json: 120 luminaires of 98 W and 85 W besides.
  scratch.apply({"30",
                 {},
                 {},
                 {fact("EIB-L1", "", "on_threshold_w", "500"),
                  fact("EIB-L1", "", "installed_power_w", "11845"),
                  fact("EIB-L1", "", "nominal_step", "PT15M")}},
                origin(scratch.next_leaf++, at("2018-01-01")));
  std::vector<Observation> samples;
  for (const auto& row : read_gz("eibar/lighting_power_2018.csv.gz")) {
    const auto when = at(row.at("sampled_at_utc").c_str());
    if (row.at("installation_id") != "EIB-L1" || when < at("2018-02-28") ||
        when >= at("2018-04-02"))
      continue;
    samples.push_back({"EIB-L1", "", "active_power", "W", ValueKind::instant, when, when,
                       std::stod(row.at("power_w")), 1, 0});
  }
  send_daily(scratch, "30", samples);
  const auto check = [&](WindowKind kind, const Row& row) {
    const auto start = local_start("Europe/Madrid", row.at("window"));
    for (const auto* column :
         {"energy_kwh", "energy_estimate_kwh", "operating_hours", "burning_energy_kwh",
          "standby_energy_kwh", "full_load_hours", "peak_w", "day_burning_hours"}) {
      compare(scratch, column, kind, start, row.at(column));
    }
    compare_status(scratch.get("energy_kwh", kind, start.c_str()), row, "coverage");
  };
  const auto days = read_csv("reference/eibar_L1_2018-03_day.csv");
  BOOST_TEST(days.size() == 30U);
  for (const auto& row : days) check(WindowKind::day, row);
  for (const auto& row : read_csv("reference/eibar_L1_2018-03_month.csv"))
    check(WindowKind::month, row);

  // The day of the outage has its row all the same.
  for (const auto* kpi : {"energy_kwh", "operating_hours", "peak_w"}) {
    const auto empty = scratch.get(kpi, WindowKind::day, "2018-03-09T23:00:00Z");
    BOOST_TEST(!empty.value.has_value());
    BOOST_TEST((empty.status == KpiStatus::insufficient));
    BOOST_TEST(empty.completeness == 0);
  }
  BOOST_TEST(
      !scratch.get("energy_kwh", WindowKind::hour, "2018-03-10T12:00:00Z").value.has_value());
}

BOOST_AUTO_TEST_CASE(water_register_in_december) {
  if (!data_is_there()) return;
  Scratch scratch;
  scratch.apply({"10",
                 {},
                 {},
                 {fact("KAL-1", "KAL-W2", "unit", "L"),
                  fact("KAL-1", "KAL-W2", "register_modulus", "100000")}},
                origin(scratch.next_leaf++, at("2018-01-01")));
  std::vector<Observation> readings;
  for (const auto& row : read_gz("kalundborg/registers.csv.gz")) {
    const auto when = at(row.at("read_at_utc").c_str());
    if (row.at("meter_id") != "KAL-W2" || when < at("2018-11-29") || when >= at("2019-01-03"))
      continue;
    readings.push_back({"KAL-1", "KAL-W2", "register", "meter", ValueKind::reading, when, when,
                        std::stod(row.at("register")), 1, 0});
  }
  send_daily(scratch, "10", readings);
  const auto check = [&](WindowKind kind, const Row& row) {
    const auto start = local_start("Europe/Copenhagen", row.at("window"));
    compare(scratch, "consumption", kind, start, row.at("consumption"));
    const auto found = scratch.get("consumption", kind, start.c_str());
    compare_status(found, row, "coverage");
    BOOST_TEST(found.unit == row.at("unit"));
    BOOST_TEST(found.attributes.at("readings") == row.at("readings"));
    BOOST_TEST(!found.attributes.contains("anomalies"));
  };
  const auto days = read_csv("reference/kalundborg_W2_2018-12_day.csv");
  BOOST_TEST(days.size() == 31U);
  for (const auto& row : days) check(WindowKind::day, row);
  for (const auto& row : read_csv("reference/kalundborg_W2_2018-12_month.csv"))
    check(WindowKind::month, row);
  BOOST_TEST(scratch.get("consumption", WindowKind::day, "2018-12-02T23:00:00Z")
                 .attributes.at("rollovers") == "1");
}

BOOST_AUTO_TEST_CASE(comfort_of_the_house_in_may) {
  if (!data_is_there()) return;
  Scratch scratch;
  std::vector<Observation> observations;
  for (const auto& row : read_gz("barcelona/house_2016.csv.gz")) {
    const auto start = at(row.at("period_start_utc").c_str()),
               end = at(row.at("period_end_utc").c_str());
    if (start < at("2016-04-20")) continue;
    const auto add = [&](const char* quantity, const char* column) {
      observations.push_back({"BCN-HOUSE", "", quantity, "Cel", ValueKind::mean, start, end,
                              std::stod(row.at(column)), 1, 0});
    };
    add("temperature_in", "temp_in_c");
    add("temperature_out", "temp_out_c");
  }
  send_daily(scratch, "20", observations);
  const auto rows = read_csv("reference/house_2016-05_comfort.csv");
  BOOST_REQUIRE_EQUAL(rows.size(), 1U);
  const auto start = local_start("Europe/Madrid", rows.front().at("window"));
  for (const auto& [column, expected] : rows.front()) {
    if (column == "meter_id" || column == "window" || column == "hours" ||
        column == "hours_expected")
      continue;
    compare(scratch, column.c_str(), WindowKind::month, start, expected);
  }
  const auto within = scratch.get("hours_within_II", WindowKind::month, start.c_str());
  BOOST_TEST(within.attributes.at("hours_present") == rows.front().at("hours"));
  BOOST_TEST(within.attributes.at("hours_expected") == rows.front().at("hours_expected"));
}

BOOST_AUTO_TEST_CASE(weather_model_of_a_gas_meter) {
  if (!data_is_there()) return;
  Scratch scratch;
  const auto expected = read_csv("reference/weather_model_gb_gas.csv").front();
  scratch.apply({"20",
                 {},
                 {},
                 {fact("GB", "", "zone", "UTC"), fact("GB", "", "medium", "gas"),
                  fact("GB", "", "baseline", expected.at("baseline").c_str()),
                  fact("GB", "", "reporting", expected.at("reporting").c_str())}},
                origin(scratch.next_leaf++, at("2020-01-01")));
  std::map<Instant, Batch> years;
  for (const auto& row : read_gz("caltrack/gb_home_2020_2022.csv.gz")) {
    const auto start = at(row.at("period_start_utc").c_str());
    auto& batch = years[std::chrono::floor<std::chrono::days>(start) - 24h * 0];
    batch.tenant = "20";
    const auto add = [&](const char* quantity, const char* unit, ValueKind kind,
                         const char* column) {
      if (row.at(column).empty()) return;
      batch.observations.push_back({"GB", "", quantity, unit, kind, start, start + 1h,
                                    std::stod(row.at(column)),
                                    static_cast<std::uint32_t>(batch.observations.size() + 1), 0});
    };
    add("active_energy", "kWh", ValueKind::interval, "gas_kwh");
    add("temperature_out", "Cel", ValueKind::mean, "temp_out_c");
  }
  // All of it in one computation: the model is fitted once.
  auto transaction = must(store::SeriesTransaction::begin(*scratch.database));
  Touched touched;
  for (const auto& [day, batch] : years) {
    static_cast<void>(must(scratch.engine.ingest(
        transaction, batch, origin(scratch.next_leaf++, day + 24h + 1min), touched)));
  }
  static_cast<void>(must(scratch.engine.recompute(transaction, touched, at("2023-01-01"))));
  static_cast<void>(must(transaction.commit()));
  for (const auto& [column, value] : expected) {
    if (column == "case" || column == "baseline" || column == "reporting" || column == "model")
      continue;
    const bool reporting = column.starts_with("reporting") || column == "avoided_energy";
    if (column == "nmbe") {  // of least squares it is nothing but rounding
      BOOST_TEST(std::abs(*scratch.get("nmbe", WindowKind::baseline, "2021-01-01").value) < 1e-9);
      continue;
    }
    compare(scratch, column.c_str(), reporting ? WindowKind::reporting : WindowKind::baseline,
            reporting ? "2022-01-01" : "2021-01-01", value);
  }
  const auto cvrmse = scratch.get("cvrmse", WindowKind::baseline, "2021-01-01");
  BOOST_TEST(cvrmse.attributes.at("model") == expected.at("model"));
  BOOST_TEST(cvrmse.attributes.at("weak_model") == "true");
}

// All series of a file, by the meter's id where it has one.
std::map<std::string, std::vector<ValueVersion>> series_of(const char* file, const char* instant,
                                                           const char* column, Duration length) {
  std::map<std::string, std::vector<ValueVersion>> all;
  for (const auto& row : read_gz(file)) {
    if (row.at(column).empty()) continue;
    ValueVersion one;
    one.start = at(row.at(instant).c_str());
    one.end = one.start + length;
    one.received_at = one.end;
    one.value = std::stod(row.at(column));
    const auto& first = *row.begin();
    const bool named = row.contains("meter_id") || row.contains("installation_id");
    all[named ? row.at(row.contains("meter_id") ? "meter_id" : "installation_id") : first.first]
        .push_back(one);
  }
  for (auto& [name, versions] : all)
    std::sort(versions.begin(), versions.end(),
              [](const auto& a, const auto& b) { return a.start < b.start; });
  return all;
}

std::size_t flagged(ValueKind kind, std::vector<ValueVersion> versions) {
  const auto around = surroundings_of(kind, versions.front().start, versions.back().start);
  judge_among_others(kind, versions, *around);
  return static_cast<std::size_t>(std::count_if(
      versions.begin(), versions.end(),
      [](const auto& version) { return (version.flags & (kRuleFlags | flag_rise)) != 0; }));
}

BOOST_AUTO_TEST_CASE(nothing_that_was_measured_is_implausible_and_a_factor_of_1000_is) {
  if (!data_is_there()) return;
  struct File {
    const char *name, *instant, *column;
    ValueKind kind;
    Duration length;
    // Of the values above 0 that a factor of 1000 is caught of. A thousand times what is next to
    // nothing is usual for meters that have both.
    double caught;
  };
  const auto energy = ValueKind::interval;
  for (const auto& file :
       {File{"barcelona/house_2016.csv.gz", "period_start_utc", "energy_kwh", energy, 1h, 1},
        File{"barcelona/house_2016_lighting.csv.gz", "period_start_utc", "energy_kwh", energy, 1h,
             1},
        File{"barcelona/school_2018.csv.gz", "period_start_utc", "energy_kwh", energy, 1h, 0.999},
        File{"caltrack/gb_home_2020_2022.csv.gz", "period_start_utc", "electricity_kwh", energy, 1h,
             0.999},
        File{"caltrack/gb_home_2020_2022.csv.gz", "period_start_utc", "gas_kwh", energy, 1h, 0.85},
        File{"caltrack/il_simulated_2015_2018.csv.gz", "period_start_utc", "electricity_kwh",
             energy, 1h, 0.95},
        File{"eibar/lighting_power_2018.csv.gz",
             "sampled_at_utc",
             "power_w",
             ValueKind::instant,
             {},
             1},
        File{
            "kalundborg/registers.csv.gz", "read_at_utc", "register", ValueKind::reading, {}, 1}}) {
    for (const auto& [meter, versions] :
         series_of(file.name, file.instant, file.column, file.length)) {
      BOOST_TEST_CONTEXT(file.name << ' ' << file.column << ' ' << meter) {
        BOOST_TEST(flagged(file.kind, versions) == 0U);
        // One wrong value in every five days.
        const auto per_day = std::max<std::size_t>(
            1, static_cast<std::size_t>(24h * versions.size() /
                                        (versions.back().start - versions.front().start)));
        std::size_t tried = 0, caught = 0;
        for (std::size_t place = 8 * per_day; place + 1 < versions.size();
             place += 5 * per_day + 1) {
          if (versions[place].value <= 0) continue;
          const auto from = place - std::min(place, 70 * per_day);
          const auto to = std::min(versions.size(), place + 70 * per_day);
          std::vector<ValueVersion> some(versions.begin() + static_cast<std::ptrdiff_t>(from),
                                         versions.begin() + static_cast<std::ptrdiff_t>(to));
          some[place - from].value *= 1000;
          ++tried;
          caught += flagged(file.kind, std::move(some)) == 1;
        }
        BOOST_TEST(tried > 5U);
        BOOST_TEST(static_cast<double>(caught) >= file.caught * static_cast<double>(tried),
                   caught << " of " << tried);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
