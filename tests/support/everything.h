// An archive that has something in every table: envelopes of three tenants, one gzip'd, one large,
// one that cannot be quantified, one that waits; corrections, values that no window has, packed
// months; master data by envelope and by import; certificates renewed and revoked; API keys.
#pragma once

#include "log/log.h"
#include "quantify/site_import.h"
#include "signed_archive.h"
#include "store/api_key_store.h"
#include "store/ledger.h"
#include "trust/api_keys.h"
#include "trust/changes.h"

namespace district::test {

// An hour's energy of any source that begins at an instant such as "2018-01-31T23:00:00Z".
inline std::string energy_at(const std::string& source, const std::string& start,
                             const std::string& kwh) {
  const auto end = *parse_date_time(start) + std::chrono::hours(1);
  return message(source, "001", "0.0.1", format_instant(end, 0),
                 "<measure_timestamp_start>" + start +
                     "</measure_timestamp_start><measure_timestamp_end>" + format_instant(end, 0) +
                     "</measure_timestamp_end><energy_measure>" + kwh + "</energy_measure>");
}

// Hours from 8 on with room between them, so that the envelope is a large one.
inline std::vector<std::string> large_messages() {
  std::vector<std::string> messages;
  for (int hour = 8; hour < 19; ++hour)
    messages.push_back(energy(hour, "5") + std::string(100'000, ' '));
  return messages;
}

struct Everything : SignedArchive {
  std::uint64_t left_over = 0;   // raw_id of what a crash left staged
  std::uint64_t large_leaf = 0;  // of the large envelope

  // It takes most of the time of a replay: `with_large` false leaves it and the left-over out.
  explicit Everything(bool with_large) {
    add_certificates();
    send("20", {energy_at("BCN-SCHOOL", "2018-01-30T10:00:00Z", "1.5"),
                energy_at("BCN-SCHOOL", "2018-01-30T11:00:00Z", "2.5"),
                energy_at("BCN-SCHOOL", "2018-02-11T10:00:00Z", "3.5"),
                energy_at("SHOP", "2018-02-11T10:00:00Z", "7")});
    send("20", {energy(0, "1.25"), energy(1, "2.5"), energy(2, "4.125")});
    send("20", {energy(1, "2.75"), energy(2, "4.125")});
    send("20", {energy(5, "-3"), energy_at("BCN-SCHOOL", "1881-01-01T00:00:00Z", "4")});
    send("10",
         {message("SeasNve", "002", "001", "2018-12-01T00:00:00Z",
                  "<meter><meter_id>W2</meter_id><valid_from>2018-01-01T00:00:00Z</valid_from>"
                  "<valid_to>2019-01-01T00:00:00Z</valid_to><unit>m3</unit></meter>")});
    send("10", {reading("2018-11-30T10:00:00Z", "90"), reading("2018-12-02T10:00:00Z", "100"),
                reading("2018-12-02T12:00:00Z", "103.5")});
    transport = {"text/xml; charset=utf-8; x=\"\xe9\"", "gzip",
                 "http://urb-grade.eu/AggregateMessage"};
    send("10", {reading("2018-12-02T14:00:00Z", "104")});
    transport = {};
    if (with_large) large_leaf = send("20", large_messages()).leaf_index;
    send("30", {energy(0, "1")});
    quantify();
    change_trust_and_keys();
    import_sites();
    quantify();
    send("20", {energy(20, "1")});
    if (with_large) {
      const auto open = database();
      store::StagedRaw staged;
      must(store::Ledger(*open).stage(staged, std::vector{Bytes(300), Bytes(20)},
                                      {"local", clock.now()}));
      left_over = staged.raw_id;
    }
    // Then the last connection folds all of it into the file.
    trust.reset();
    archive.reset();
  }

 private:
  // Of a tenant whose zone no calendar has, whose values therefore cannot be quantified.
  void add_certificates() {
    const auto open = database();
    store::TrustChange change;
    change.tenant = {"30", "Olympus", "Mars/Olympus", {"001/0.0.1"}, {}, {}};
    must(store::TrustStore(*open).change(
        clock.now(), [&](const auto&, Instant at) -> Result<std::vector<store::TrustChange>> {
          change.tenant.valid_from = at;
          change.log_entry = log::tenant_entry(change.tenant);
          return std::vector{change};
        }));
    enrol(*open, "30", "kalundborg", std::nullopt);
  }

  void enrol(store::ArchiveDatabase& open, const std::string& tenant, const std::string& name,
             std::optional<Instant> valid_to) {
    auto certificate = must(crypto::Certificate::from_pem_file(pilots().certificate_file(name)));
    must(trust::enrol(
        open, std::vector<trust::EnrolRequest>{{tenant, certificate, {}, valid_to, valid_to, {}}},
        clock.now()));
  }

  void change_trust_and_keys() {
    clock.step();
    const auto open = database();
    must(trust::add_tenant(
        *open, {"20", "Barcelona", "Europe/Madrid", {"001/0.0.1"}, {"SHOP", "BCN-SCHOOL"}, {}},
        clock.now()));
    const auto barcelona =
        must(crypto::Certificate::from_pem_file(pilots().certificate_file("barcelona")));
    const auto fingerprint = to_hex(barcelona.sha256());
    // Revoked, and enrolled anew, twice.
    for (const auto* why : {"key lost", "moved"}) {
      must(trust::revoke(*open, fingerprint, "20", why, clock.now()));
      enrol(*open, "20", "barcelona", clock.now() + std::chrono::hours(240));
    }
    for (const auto role : {ApiRole::reader, ApiRole::auditor}) {
      const auto made = must(
          trust::create_api_key(*open,
                                {"holder",
                                 role,
                                 role == ApiRole::auditor,
                                 role == ApiRole::auditor ? std::vector<std::string>{}
                                                          : std::vector<std::string>{"10", "20"},
                                 {}},
                                clock.now()));
      const auto spare =
          must(trust::create_api_key(*open, {"spare", role, true, {}, {}}, clock.now()));
      must(trust::revoke_api_key(*open, spare.key.key_id, "lost", clock.now()));
      clock.step();
    }
  }

  void import_sites() {
    const auto from = *parse_date_time("2018-01-01T00:00:00Z");
    const auto to = *parse_date_time("2018-07-01T00:00:00Z");
    const auto open = database();
    const auto measurements = series();
    for (const auto* area : {"4200", "4300"}) {
      clock.step();
      must(quantify::import_statements(
          *open, *measurements, "20",
          {{"BCN-SCHOOL", "", "at_site", "CAMPUS", from, {}, 1},
           {"BCN-SCHOOL", "CAMPUS", "floor_area_m2", area, from, to, 2},
           {"BCN-SCHOOL", "", "co2_factor_kg_per_kwh", "0.25", from, to, 3}},
          clock.now()));
    }
  }
};

}  // namespace district::test
