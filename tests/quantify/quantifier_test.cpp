#include "quantify/quantifier.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "../support/sample_envelopes.h"
#include "../support/temporary_folder.h"
#include "archive/archive.h"
#include "archive/compression.h"
#include "base/limits.h"
#include "crypto/digest.h"
#include "fixture.h"
#include "quantify/rebuild.h"
#include "store/transaction.h"
#include "trust/changes.h"
#include "xml/document.h"

using namespace district;
using namespace district::quantify;
using namespace district::quantify::testing;
using namespace std::chrono_literals;
using district::test::kNow;

namespace {

// extract() asks the SOAP engine nothing.
class NoOperations final : public validate::OperationReader {
 public:
  Result<validate::OperationHead> read(std::string_view) const override {
    return fail(ErrorCode::schema_invalid, "not asked for here");
  }
};

const validate::Validator& validator() {
  static const NoOperations operations;
  static const auto made = [] {
    xml::initialize();
    return must(validate::Validator::create(operations));
  }();
  return *made;
}

// An archive with tenants but without a server: envelopes are appended as the pipeline would.
struct Site {
  test::TemporaryFolder folder;
  std::string path = (folder.path() / "archive.db").string();
  store::Location location = store::Location::of(path);
  std::unique_ptr<store::ArchiveDatabase> archive =
      must(store::ArchiveDatabase::open(location, store::OpenMode::create));
  std::unique_ptr<store::SeriesDatabase> database =
      must(store::SeriesDatabase::open(location, store::OpenMode::create));
  std::unique_ptr<trust::Trust> trust =
      must(trust::Trust::open(store::Location::of(path), store::OpenMode::existing));
  FixedClock clock{kNow + 24h};
  unsigned next = 0;

  Site() {
    for (const auto& [code, zone] :
         {std::pair("10", "Europe/Copenhagen"), {"20", "Europe/Madrid"}, {"30", "Europe/Madrid"}}) {
      const Tenant tenant{code, "a pilot", zone, {"001/001", "001/0.0.1", "001/002", "002/001"},
                          {},   kNow};
      static_cast<void>(must(trust::add_tenant(*archive, tenant, kNow)));
    }
  }

  std::string append(const std::string& xml, const std::string& tenant) {
    auto envelope = test::sample_envelope(next++, tenant);
    envelope.trust_epoch = must(trust->refresh())->epoch();
    envelope.raw_size = xml.size();
    envelope.payload_digest = crypto::sha256(as_bytes(xml));
    envelope.raw_zstd = must(archive::compress(as_bytes(xml), 3));
    const auto outcomes = must(store::Ledger(*archive).append({&envelope, 1}, kNow));
    BOOST_REQUIRE(std::holds_alternative<Receipt>(outcomes.front()));
    return envelope.receipt_id;
  }
  std::string append_example(const std::string& pilot, const std::string& tenant) {
    std::ifstream file(
        std::string(DISTRICT_SOURCE_DIR) + "/wsdl/examples/request-" + pilot + ".xml",
        std::ios::binary);
    BOOST_REQUIRE(file.good());
    return append({std::istreambuf_iterator<char>(file), {}}, tenant);
  }
  std::unique_ptr<Quantifier> quantifier() {
    return must(Quantifier::open({.location = location}, validator(), *trust, clock));
  }
};

constexpr int kMessages = 2500;  // more than the quantifier takes at a time

// One energy value and one price, for the number-th quarter of an hour.
std::string message(int number, const std::string& energy) {
  const auto start = at("2019-01-01") + number * 15min;
  const auto end = format_instant(start + 15min);
  return "<message><head><timestamp>" + end +
         "</timestamp><messageType><type>001</type><version>0.0.1</version></messageType>"
         "<messageSource><messageSourceElement>SHOP-" +
         std::to_string(number % 3) +
         "</messageSourceElement></messageSource></head><content><gcontent>"
         "<measure_timestamp_start>" +
         format_instant(start) + "</measure_timestamp_start><measure_timestamp_end>" + end +
         "</measure_timestamp_end><energy_measure>" + energy +
         "</energy_measure><energy_price>0.25</energy_price></gcontent></content></message>\n";
}

std::string energy_of(int number) { return std::to_string(1 + number % 7) + ".5"; }

std::string request(const std::string& messages) {
  return "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header/><s:Body>"
         "<u:AggregateMessageRequest xmlns:u='http://urb-grade.eu'><messages>" +
         messages +
         "</messages><u:tenantCode>20</u:tenantCode></u:AggregateMessageRequest></s:Body>"
         "</s:Envelope>";
}

// One envelope of more than a mebibyte, its last message with this energy.
std::string large_request(const std::string& last_energy) {
  std::string messages;
  for (int i = 0; i < kMessages; ++i)
    messages += message(i, i + 1 == kMessages ? last_energy : energy_of(i));
  BOOST_REQUIRE_GT(messages.size(), limits::kWholeOctetsMax);
  return request(messages);
}

// The KPIs, and what counts of the values, whatever envelopes they came in.
std::string picture(const Site& site) {
  store::SeriesReader series(*site.database);
  std::string text;
  for (const auto& m : must(series.measurements({}))) {
    BOOST_TEST((m.state == MeasurementState::current));
    text += m.meter.source + ' ' + m.observation.quantity + ' ' +
            format_instant(m.observation.start) + ' ' + std::to_string(m.observation.value) + '\n';
  }
  for (const auto& kpi : must(series.kpis({}))) {
    // They tell when envelopes were received.
    if (kpi.kpi.starts_with("latency") || kpi.kpi.starts_with("timeliness")) continue;
    text += kpi.meter.source + ' ' + kpi.kpi + ' ' + name_of(kpi.window) + ' ' +
            format_instant(kpi.start) + ' ' + std::to_string(kpi.value.value_or(-1)) + ' ' +
            std::to_string(kpi.completeness) + ' ' + name_of(kpi.status) + '\n';
  }
  return text;
}

void end_leases(Site& site) {
  static_cast<void>(must(site.archive->execute("UPDATE work_item SET lease_until = 0")));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(quantifier)

BOOST_AUTO_TEST_CASE(a_large_envelope_gives_what_its_messages_give_in_small_ones) {
  Site whole, parts;
  whole.append(large_request(energy_of(kMessages - 1)), "20");
  BOOST_TEST(must(whole.quantifier()->run_until_idle()) == 1U);
  for (int from = 0; from < kMessages; from += 100) {
    std::string messages;
    for (int i = from; i < from + 100; ++i) messages += message(i, energy_of(i));
    parts.append(request(messages), "20");
  }
  BOOST_TEST(must(parts.quantifier()->run_until_idle()) == kMessages / 100U);
  const auto expected = picture(parts);
  BOOST_TEST(std::count(expected.begin(), expected.end(), '\n') > 2 * kMessages);
  BOOST_TEST((picture(whole) == expected));
  BOOST_TEST(must(store::SeriesReader(*whole.database).failures()).empty());
}

BOOST_AUTO_TEST_CASE(of_a_large_envelope_that_cannot_be_quantified_nothing_is_kept) {
  Site site;
  const auto bad = site.append(large_request("much"), "20");
  const auto stranger = site.append(large_request("1.5"), "77");
  const auto damaged = site.append(large_request("1.5"), "20");
  {
    // Good until its last octets: the digest is of others.
    auto change = must(site.archive->prepare(
        "UPDATE envelope SET payload_digest = zeroblob(32) WHERE receipt_id = ?"));
    static_cast<void>(must(change.bind(1, damaged).run()));
  }
  site.append_example("eibar", "30");
  BOOST_TEST(must(site.quantifier()->run_until_idle()) == 4U);
  store::SeriesReader series(*site.database);
  const auto failures = must(series.failures());
  BOOST_REQUIRE_EQUAL(failures.size(), 3U);
  BOOST_TEST(failures[0].origin.receipt_id == bad);
  BOOST_TEST((failures[0].code == ErrorCode::schema_invalid));
  BOOST_TEST(failures[1].origin.receipt_id == stranger);
  BOOST_TEST((failures[1].code == ErrorCode::quantify_failed));
  BOOST_TEST(failures[2].origin.receipt_id == damaged);
  BOOST_TEST((failures[2].code == ErrorCode::archive_corrupt));
  store::MeasurementFilter of_tenant;
  of_tenant.tenant = "20";
  BOOST_TEST(must(series.measurements(of_tenant)).empty());
  of_tenant.tenant = "30";
  BOOST_TEST(!must(series.measurements(of_tenant)).empty());
}

BOOST_AUTO_TEST_CASE(a_large_envelope_that_was_broken_off_is_done_again) {
  Site site, undisturbed;
  for (auto* each : {&site, &undisturbed})
    each->append(large_request(energy_of(kMessages - 1)), "20");
  BOOST_TEST(must(undisturbed.quantifier()->run_until_idle()) == 1U);
  store::SeriesReader series(*site.database);
  int broken_off = 0;
  for (const std::uint64_t values : {1U, 2500U, 5000U}) {
    const auto quantifier = site.quantifier();
    quantifier->start();
    for (int i = 0; i < 20'000; ++i) {
      if (must(series.counts()).measurements[MeasurementState::current] >= values) break;
      std::this_thread::sleep_for(1ms);
    }
    quantifier->stop();
    broken_off += must(quantifier->waiting()) == 1U;
    end_leases(site);
  }
  BOOST_TEST(broken_off > 0);
  BOOST_TEST(must(site.quantifier()->run_until_idle()) <= 1U);
  BOOST_TEST((picture(site) == picture(undisturbed)));
}

// What of a damaged store no envelope gave, and what it no longer has.
void damage(Site& site) {
  store::SeriesReader series(*site.database);
  auto transaction = must(store::SeriesTransaction::begin(*site.database));
  Engine engine(*site.database, [](std::string_view) { return "Europe/Madrid"; });
  const auto value = [](const char* source, int quarter, double kwh) {
    const auto start = at("2019-01-01") + quarter * 15min;
    return Observation{
        source, "", "active_energy", "kWh", ValueKind::interval, start, start + 15min, kwh,
        9999,   0};
  };
  // In the place of others, by themselves, of a meter that sent nothing; of the envelope's leaf
  // too.
  static_cast<void>(must(engine.apply(
      transaction,
      {"20", {}, {value("SHOP-0", 3, 70), value("SHOP-1", 700, 5), value("GHOST", 8, 1)}, {}},
      origin(4711, kNow + 48h), kNow)));
  static_cast<void>(must(engine.apply(transaction, {"20", {}, {value("SHOP-2", 5, 3)}, {}},
                                      {0, "RECEIPT", kNow + 48h}, kNow)));
  const auto shop = *must(series.find_meter({"20", "SHOP-0", ""}));
  store::SeriesWriter writer(transaction);
  const auto kpi_id = must(writer.kpi_id("energy_kwh", "kWh"));
  const auto start = at("2019-01-20T05:00:00Z");
  auto chunk =
      must(series.kpi_chunk(shop, WindowKind::hour, store::kpi_chunk_of(WindowKind::hour, start)));
  chunk.windows[start].end = start + 1h;
  auto& kpi = chunk.windows[start].kpis.emplace_back();
  kpi.kpi_id = kpi_id;
  kpi.value = 12;
  static_cast<void>(must(writer.put_kpi_chunk(shop, chunk)));
  static_cast<void>(must(transaction.commit()));
}

BOOST_AUTO_TEST_CASE(a_recomputation_gives_what_the_envelopes_give_and_nothing_else) {
  Site site;
  std::string messages;
  for (int i = 0; i < 400; ++i) messages += message(i, energy_of(i));
  site.append(request(messages), "20");
  BOOST_TEST(must(site.quantifier()->run_until_idle()) == 1U);
  const auto expected = picture(site);
  const auto rebuild_all = [&](const char* from, const char* to) {
    RebuildSelection selection;
    selection.from = at(from);
    selection.to = at(to);
    return must(rebuild(*site.archive, *site.database, validator(), *site.trust, selection, {},
                        kNow + 72h, [](std::uint64_t, std::uint64_t) {}));
  };
  // Whatever the time, nothing changes; also where no value lies in it.
  for (const auto& [from, to] : {std::pair("2019-01-01", "2019-02-01"),
                                 {"2019-01-02T10:07:00Z", "2019-01-03T01:00:00Z"},
                                 {"2018-12-01", "2018-12-31"},
                                 {"2019-01-04T00:00:00Z", "2019-01-04T00:05:00Z"}}) {
    const auto report = rebuild_all(from, to);
    BOOST_TEST(report.restored + report.removed + report.changed == 0U, from);
    BOOST_TEST((picture(site) == expected), from);
  }
  damage(site);
  const auto report = rebuild_all("2019-01-01", "2019-02-01");
  BOOST_TEST(report.removed == 4U);
  BOOST_TEST((picture(site) == expected));
  const auto counts = must(store::SeriesReader(*site.database).counts());
  BOOST_TEST(counts.measurements.at(MeasurementState::current) == 800U);
  BOOST_TEST(counts.measurements.at(MeasurementState::superseded) == 0U);
}

BOOST_AUTO_TEST_CASE(the_contracts_examples_become_kpis) {
  Site site;
  site.append_example("barcelona", "20");
  site.append_example("eibar", "30");
  site.append_example("kalundborg", "10");
  site.append_example("master-data", "10");
  const auto quantifier = site.quantifier();
  BOOST_TEST(must(quantifier->waiting()) == 4U);
  BOOST_TEST(must(quantifier->run_until_idle()) == 4U);
  BOOST_TEST(must(quantifier->waiting()) == 0U);
  store::SeriesReader series(*site.database);
  BOOST_TEST(must(series.failures()).empty());
  for (const auto* tenant : {"10", "20", "30"}) {
    store::KpiFilter filter;
    filter.tenant = tenant;
    BOOST_TEST(!must(series.kpis(filter)).empty(), tenant);
  }
  BOOST_TEST(must(series.counts()).master_facts > 0U);
}

BOOST_AUTO_TEST_CASE(an_envelope_that_cannot_be_quantified_is_recorded_and_holds_up_no_other) {
  Site site;
  site.append_example("barcelona", "20");
  const auto broken = site.append("<not-an-envelope", "20");
  const auto stranger = site.append_example("eibar", "77");
  const auto damaged = site.append("<a/>", "20");
  {
    auto change =
        must(site.archive->prepare("UPDATE raw_chunk SET octets = x'00' WHERE leaf_index = "
                                   "(SELECT leaf_index FROM envelope WHERE receipt_id = ?)"));
    static_cast<void>(must(change.bind(1, damaged).run()));
  }
  site.append_example("eibar", "30");
  const auto quantifier = site.quantifier();
  BOOST_TEST(must(quantifier->run_until_idle()) == 5U);
  BOOST_TEST(must(quantifier->waiting()) == 0U);
  store::SeriesReader series(*site.database);
  const auto failures = must(series.failures());
  BOOST_REQUIRE_EQUAL(failures.size(), 3U);
  BOOST_TEST(failures[0].origin.receipt_id == broken);
  BOOST_TEST((failures[0].code == ErrorCode::xml_malformed));
  BOOST_TEST(failures[1].origin.receipt_id == stranger);
  BOOST_TEST((failures[1].code == ErrorCode::quantify_failed));
  BOOST_TEST(failures[2].origin.receipt_id == damaged);
  BOOST_TEST((failures[2].code == ErrorCode::archive_corrupt));
  for (const auto& failure : failures) BOOST_TEST(!failure.reason.empty());
  BOOST_TEST(must(series.counts()).failures == 3U);
  BOOST_TEST(must(series.counts()).meters >= 2U);
}

// Marks all meters as an import of master data would; what one of them has stored is damaged.
std::int64_t damage_one_of_stale_meters(Site& site) {
  auto transaction = must(store::SeriesTransaction::begin(*site.database));
  store::SeriesWriter series(transaction);
  for (const auto* source : {"SHOP-0", "SHOP-1", "SHOP-2"})
    static_cast<void>(must(series.put_stale(*must(series.find_meter({"20", source, ""})))));
  const auto damaged = must(series.stale()).front();
  for (const auto* table : {"packed_day", "packed_month"}) {
    const auto id = table == std::string("packed_day") ? "series_id" : "series_month / 4096";
    auto change =
        must(site.database->prepare("UPDATE " + std::string(table) + " SET octets = x'ff' WHERE " +
                                    id + " IN (SELECT series_id FROM series WHERE meter_id = ?)"));
    static_cast<void>(must(change.bind(1, damaged).run()));
  }
  static_cast<void>(must(transaction.commit()));
  return damaged;
}

std::string some_messages(int from, int to) {
  std::string messages;
  for (int i = from; i < to; ++i) messages += message(i, energy_of(i));
  return request(messages);
}

BOOST_AUTO_TEST_CASE(a_stale_meter_that_cannot_be_read_holds_up_neither_others_nor_new_work) {
  Site site;
  site.append(some_messages(0, 30), "20");
  BOOST_TEST(must(site.quantifier()->run_until_idle()) == 1U);
  const auto damaged = damage_one_of_stale_meters(site);
  store::SeriesReader series(*site.database);
  const auto quantifier = site.quantifier();
  BOOST_TEST(must(quantifier->run_until_idle()) == 0U);
  BOOST_TEST(must(series.stale()) == std::vector{damaged});
  site.append_example("eibar", "30");
  BOOST_TEST(must(quantifier->run_until_idle()) == 1U);
  BOOST_TEST(must(series.stale()) == std::vector{damaged});
}

BOOST_AUTO_TEST_CASE(the_thread_goes_on_beside_a_stale_meter_that_cannot_be_read) {
  Site site;
  site.append(some_messages(0, 30), "20");
  BOOST_TEST(must(site.quantifier()->run_until_idle()) == 1U);
  const auto damaged = damage_one_of_stale_meters(site);
  store::SeriesReader series(*site.database);
  const auto quantifier = site.quantifier();
  quantifier->start();
  while (must(series.stale()).size() > 1) std::this_thread::sleep_for(5ms);
  site.append_example("eibar", "30");
  quantifier->wake();
  while (must(quantifier->waiting()) > 1) std::this_thread::sleep_for(5ms);
  quantifier->stop();
  BOOST_TEST(must(series.stale()) == std::vector{damaged});
}

BOOST_AUTO_TEST_CASE(the_thread_takes_up_work_when_woken_and_stops) {
  Site site;
  const auto quantifier = site.quantifier();
  quantifier->start();
  site.append_example("barcelona", "20");
  quantifier->wake();
  for (int i = 0; i < 200 && must(quantifier->waiting()) > 0; ++i)
    std::this_thread::sleep_for(20ms);
  BOOST_TEST(must(quantifier->waiting()) == 0U);
  quantifier->stop();
  site.append_example("barcelona", "20");
  std::this_thread::sleep_for(50ms);
  BOOST_TEST(must(quantifier->waiting()) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
