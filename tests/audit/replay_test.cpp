#include "audit/replay.h"

#include <algorithm>

#include "../support/signed_archive.h"
#include "../support/tamper.h"
#include "archive/compression.h"
#include "archive/stored_octets.h"
#include "audit/archived_envelope.h"
#include "crypto/digest.h"
#include "trust/changes.h"

using namespace district;
using audit::DifferenceKind;
using test::energy;
using test::must;

namespace {

// Three envelopes of Barcelona, the last of which corrects the first, and registers of Kalundborg
// with the master data of their meter.
struct Filled : test::SignedArchive {
  Receipt first, second, correction, master, registers;

  Filled() {
    first = send("20", {energy(0, "1.25"), energy(1, "2.5")});
    second = send("20", {energy(2, "4.125"), energy(3, "0")});
    correction = send("20", {energy(1, "2.75")});
    master =
        send("10", {test::message("SeasNve", "002", "001", "2018-12-01T00:00:00Z",
                                  "<meter><meter_id>W2</meter_id><valid_from>2018-01-01T00:00:00Z"
                                  "</valid_from><unit>m3</unit></meter>")});
    registers = send("10", {test::reading("2018-12-02T10:00:00Z", "100"),
                            test::reading("2018-12-02T12:00:00Z", "103.5")});
    quantify();
  }

  audit::ReplayReport replay(const audit::Selection& selection = {}, bool only_verify = false) {
    return must(try_replay(selection, only_verify));
  }

  Result<audit::ReplayReport> try_replay(const audit::Selection& selection, bool only_verify) {
    const auto open = database(store::OpenMode::read_only);
    const auto stored_trust =
        must(trust::Trust::open(store::Location::of(path), store::OpenMode::read_only));
    const auto snapshot = stored_trust->snapshot();
    const auto recorded = series(store::OpenMode::read_only);
    audit::Replay replay(*open, recorded.get(), *snapshot, verify::Window{}, *validator,
                         [](std::string_view, std::uint64_t, std::uint64_t) {});
    return only_verify ? replay.verify(selection) : replay.run(selection);
  }
};

audit::Selection only(const Receipt& receipt) {
  audit::Selection selection;
  selection.receipt_id = receipt.receipt_id;
  return selection;
}

bool names(const audit::Difference& difference, const Receipt& receipt) {
  return std::find(difference.receipt_ids.begin(), difference.receipt_ids.end(),
                   receipt.receipt_id) != difference.receipt_ids.end();
}

std::string listed(const audit::ReplayReport& report) {
  std::string text;
  for (const auto& d : report.differences) {
    text += std::string(name_of(d.kind)) + " " + d.where + ": " + d.recorded + " / " + d.replayed +
            "\n";
  }
  return text;
}

// There are differences, one of the kind is of that envelope, and none is of another one alone.
void check_named(const audit::ReplayReport& report, DifferenceKind kind, const Receipt& receipt) {
  BOOST_TEST(std::any_of(report.differences.begin(), report.differences.end(),
                         [&](const auto& d) { return d.kind == kind && names(d, receipt); }),
             listed(report));
  BOOST_TEST(std::all_of(report.differences.begin(), report.differences.end(),
                         [&](const auto& d) { return names(d, receipt); }),
             listed(report));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(replay, Filled)

BOOST_AUTO_TEST_CASE(an_intact_archive_shows_no_difference) {
  const auto report = replay();
  BOOST_TEST(report.differences.empty(), listed(report));
  BOOST_TEST(report.envelopes == 5U);
  BOOST_TEST(report.not_quantified == 0U);
  BOOST_TEST(report.measurements == 7U);
  BOOST_TEST(report.master_facts == 1U);
  BOOST_TEST(report.kpis > 20U);
}

BOOST_AUTO_TEST_CASE(each_envelope_alone_shows_no_difference) {
  for (const auto& receipt : {first, second, correction, master, registers}) {
    const auto report = replay(only(receipt));
    BOOST_TEST(report.differences.empty(), listed(report));
    BOOST_TEST(report.envelopes == 1U);
  }
  BOOST_TEST(replay(only(first)).measurements == 2U);
}

BOOST_AUTO_TEST_CASE(a_span_of_time_takes_the_envelopes_received_in_it) {
  audit::Selection selection;
  selection.from = second.received_at;
  selection.to = master.received_at;
  const auto report = replay(selection);
  BOOST_TEST(report.envelopes == 2U);
  BOOST_TEST(report.measurements == 3U);
  BOOST_TEST(report.differences.empty(), listed(report));
}

BOOST_AUTO_TEST_CASE(an_unknown_receipt_is_not_found) {
  const auto open = database(store::OpenMode::read_only);
  const auto snapshot = trust->snapshot();
  audit::Selection selection;
  selection.receipt_id = "01JD3Z0A9V4T8M6Q2H5W7X1C0B";
  const auto report = audit::Replay(*open, series(store::OpenMode::read_only).get(), *snapshot,
                                    verify::Window{}, *validator, [](auto, auto, auto) {})
                          .run(selection);
  BOOST_REQUIRE(!report);
  BOOST_TEST((report.error().code == ErrorCode::not_found));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_anywhere_in_the_raw_octets_names_the_envelope) {
  const auto open = database();
  store::ArchiveReader store(*open);
  const auto stored = must(store.raw_chunk(must(store.find(second.receipt_id)), 0));
  int unharmed = 0;
  for (std::size_t at = 0; at < stored.size(); at += 37) {
    auto damaged = stored;
    damaged[at] ^= std::byte{0x10};
    execute("UPDATE raw_chunk SET octets = x'" + to_hex(damaged) +
            "' WHERE leaf_index = " + std::to_string(second.leaf_index));
    const auto report = replay({}, true);
    // Now and then the same text is found elsewhere in the dictionary: then nothing is damaged.
    if (archive::read_octets(store, must(store.find(second.receipt_id)))) {
      BOOST_TEST(report.differences.empty());
      ++unharmed;
      continue;
    }
    BOOST_REQUIRE_MESSAGE(report.differences.size() == 1, "octet " << at << "\n" << listed(report));
    check_named(report, DifferenceKind::octets, second);
  }
  BOOST_TEST(unharmed <= 3);
  execute("UPDATE raw_chunk SET octets = x'00' WHERE leaf_index = " +
          std::to_string(second.leaf_index));
  // The damage is named once: its values, which cannot be replayed, are not taken for missing.
  check_named(replay(), DifferenceKind::octets, second);
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_the_digest_names_the_envelope) {
  auto digest = first.payload_digest;
  digest[31] ^= std::byte{1};
  execute("UPDATE envelope SET payload_digest = x'" + to_hex(digest) +
          "' WHERE leaf_index = " + std::to_string(first.leaf_index));
  check_named(replay(), DifferenceKind::octets, first);
  check_named(replay({}, true), DifferenceKind::log_entry, first);
}

BOOST_AUTO_TEST_CASE(another_signer_names_the_envelope) {
  execute(
      "UPDATE envelope SET certificate_sha256 = (SELECT certificate_sha256 FROM enrolment "
      "WHERE tenant = '10') WHERE leaf_index = " +
      std::to_string(first.leaf_index));
  check_named(replay(), DifferenceKind::sender, first);
}

BOOST_AUTO_TEST_CASE(octets_with_a_fitting_digest_and_leaf_still_fail_the_signature) {
  const auto open = database();
  store::ArchiveReader archive_store(*open);
  const auto envelope = must(archive_store.find(first.receipt_id));
  auto text = std::string(as_text(must(archive::read_octets(archive_store, envelope))));
  text.replace(text.find("1.25"), 4, "1.26");
  const auto forged = must(archive::compress(as_bytes(text), 3));
  execute("UPDATE raw_chunk SET octets = x'" + to_hex(forged) +
          "' WHERE leaf_index = " + std::to_string(first.leaf_index));
  execute("UPDATE envelope SET stored_size = " + std::to_string(forged.size()) +
          ", payload_digest = x'" + to_hex(crypto::sha256(as_bytes(text))) +
          "' WHERE leaf_index = " + std::to_string(first.leaf_index));
  const auto report = replay();
  check_named(report, DifferenceKind::verdict, first);
  check_named(report, DifferenceKind::log_entry, first);
}

BOOST_AUTO_TEST_CASE(the_last_bit_of_a_measurement_names_its_envelope) {
  test::tamper_with_measurements(*series(), [](ValueVersion& version) {
    if (version.value == 4.125) version.value = 4.125000000000001;
    return true;
  });
  check_named(replay(), DifferenceKind::measurement, second);
  check_named(replay(only(second)), DifferenceKind::measurement, second);
}

BOOST_AUTO_TEST_CASE(a_removed_or_added_measurement_names_its_envelope) {
  test::tamper_with_measurements(*series(),
                                 [](ValueVersion& version) { return version.value != 4.125; });
  check_named(replay(), DifferenceKind::measurement, second);
  test::tamper_with_measurements(*series(), [](ValueVersion& version) {
    if (version.value == 0) version.start += Duration{1};
    return true;
  });
  check_named(replay(only(second)), DifferenceKind::measurement, second);
}

BOOST_AUTO_TEST_CASE(a_superseded_value_made_current_again_names_its_envelope) {
  test::tamper_with_measurements(*series(), [](ValueVersion& version) {
    if (version.value == 2.5) version.state = MeasurementState::current;
    return true;
  });
  check_named(replay(), DifferenceKind::measurement, first);
}

BOOST_AUTO_TEST_CASE(changed_master_data_names_its_envelope) {
  execute_in_series("UPDATE master_fact SET value = 'kWh' WHERE value = 'm3'");
  const auto report = replay();
  check_named(report, DifferenceKind::master_data, master);
}

BOOST_AUTO_TEST_CASE(a_changed_kpi_names_the_window_and_all_that_it_was_computed_from) {
  test::tamper_with_kpis(*series(), "energy_kwh", WindowKind::day,
                         [](store::PackedKpi& kpi) { kpi.value = *kpi.value + 1e-9; });
  const auto report = replay();
  BOOST_REQUIRE(report.differences.size() == 1U);
  const auto& difference = report.differences.front();
  BOOST_TEST((difference.kind == DifferenceKind::kpi));
  BOOST_TEST(names(difference, first));
  BOOST_TEST(names(difference, second));
  BOOST_TEST(names(difference, correction));
  BOOST_TEST(difference.receipt_ids.size() == 3U);
  BOOST_TEST(difference.where ==
             "tenant 20, BCN-SCHOOL, energy_kwh of the day from 2018-02-28T23:00:00Z to "
             "2018-03-01T23:00:00Z");
  BOOST_TEST(difference.replayed.find("8.125 kWh") == 0U, difference.replayed);
  // Also when only one of them is replayed, but not when none of them is.
  BOOST_TEST(replay(only(correction)).differences.size() == 1U);
  BOOST_TEST(replay(only(registers)).differences.empty());
}

BOOST_AUTO_TEST_CASE(rows_that_make_no_sense_name_their_envelopes_too) {
  execute_in_series("UPDATE kpi_chunk SET octets = x'4d' WHERE window_kind = 2");
  execute_in_series("UPDATE packed_day SET octets = x'4d'");
  const auto report = replay();
  for (const auto kind : {DifferenceKind::measurement, DifferenceKind::kpi}) {
    for (const auto& envelope : {first, second, correction}) {
      BOOST_TEST(std::any_of(report.differences.begin(), report.differences.end(),
                             [&](const auto& d) { return d.kind == kind && names(d, envelope); }));
    }
  }
}

BOOST_AUTO_TEST_CASE(revocation_does_not_touch_what_was_accepted_before) {
  clock.step();
  {
    const auto open = database();
    const auto certificate =
        must(crypto::Certificate::from_pem_file(test::pilots().certificate_file("barcelona")));
    must(trust::revoke(*open, to_hex(certificate.sha256()), std::nullopt, "key lost", clock.now()));
  }
  const auto report = replay();
  BOOST_TEST(report.differences.empty(), listed(report));
}

BOOST_AUTO_TEST_CASE(an_envelope_after_its_signers_revocation_is_a_difference) {
  const auto backdate = [&](const std::string& leaf_index) {
    execute(
        "UPDATE enrolment SET revoked_at = " + std::to_string(to_micros(correction.received_at)) +
        ", revocation_reason = 'backdated', revocation_leaf_index = " + leaf_index +
        " WHERE tenant = '20'");
  };
  backdate(std::to_string(correction.leaf_index - 1));
  check_named(replay(), DifferenceKind::verdict, correction);
  // One that no leaf tells of stands for all envelopes of its signer.
  backdate("NULL");
  std::size_t refused = 0;
  for (const auto& difference : replay().differences)
    refused += difference.kind == DifferenceKind::verdict ? 1 : 0;
  BOOST_TEST(refused == 3U);
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_quantifier_is_only_verified) {
  send("20", {energy(4, "8")});
  const auto report = replay();
  BOOST_TEST(report.envelopes == 6U);
  BOOST_TEST(report.not_quantified == 1U);
  BOOST_TEST(report.differences.empty(), listed(report));
}

BOOST_AUTO_TEST_CASE(what_the_quantifier_is_in_the_middle_of_is_no_difference) {
  execute_in_series("INSERT INTO work (leaf_index, done) SELECT max(leaf_index), 0 FROM origin");
  const auto report = try_replay({}, false);
  BOOST_REQUIRE(!report);
  BOOST_CHECK(report.error().code == ErrorCode::archive_unavailable);
  BOOST_TEST(report.error().detail.find(registers.receipt_id) != std::string::npos);
  BOOST_TEST(try_replay({}, true).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(evidence, Filled)

BOOST_AUTO_TEST_CASE(every_envelope_proves_its_inclusion_in_the_tree_of_its_receipt) {
  const auto open = database(store::OpenMode::read_only);
  store::ArchiveReader archive_store(*open);
  store::LogReader log_reader(*open);
  for (const auto& receipt : {first, second, correction, master, registers}) {
    const auto envelope = must(archive_store.find(receipt.receipt_id));
    const auto proof = must(audit::prove_inclusion(log_reader, envelope));
    BOOST_TEST((proof.root_hash == receipt.root_hash));
    BOOST_TEST(proof.tree_size == receipt.tree_size);
    BOOST_TEST(proof.leaf_index == receipt.leaf_index);
  }
}

BOOST_AUTO_TEST_CASE(no_proof_comes_from_a_changed_leaf) {
  execute("UPDATE log_leaf SET entry = replace(entry, '\"20\"', '\"21\"') WHERE leaf_index = " +
          std::to_string(first.leaf_index));
  const auto open = database(store::OpenMode::read_only);
  store::ArchiveReader archive_store(*open);
  store::LogReader log_reader(*open);
  const auto envelope = must(archive_store.find(first.receipt_id));
  const auto proof = audit::prove_inclusion(log_reader, envelope);
  BOOST_REQUIRE(!proof);
  BOOST_TEST((proof.error().code == ErrorCode::archive_corrupt));
}

BOOST_AUTO_TEST_SUITE_END()
