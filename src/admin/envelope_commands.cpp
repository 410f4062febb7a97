// districtctl envelope list, envelope show
#include <CLI/CLI.hpp>
#include <algorithm>

#include "admin/session.h"
#include "archive/stored_octets.h"
#include "audit/archived_envelope.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"
#include "store/trust_store.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

struct EnvelopeListOptions : ListOptions {
  std::string signer;
  bool newest = false;
};

Result<int> list(Session& session, const EnvelopeListOptions& options) {
  DISTRICT_TRY(auto filter, filter_of<store::EnvelopeFilter>(options));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  if (filter.tenant) DISTRICT_CHECK(find_tenant(*database, *filter.tenant));
  if (!options.signer.empty()) {
    DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
    DISTRICT_TRY(filter.signer, trust::find_certificate(records, options.signer));
  }
  filter.newest_first = options.newest;
  DISTRICT_TRY(auto envelopes, store::ArchiveReader(*database).list(filter));
  const bool more = cut_to_limit(envelopes, options);
  Listing listing({{"receipt_id", "RECEIPT"},
                   {"received_at", "RECEIVED"},
                   {"tenant", "TENANT"},
                   {"source", "SOURCE"},
                   {"message_count", "MESSAGES", true},
                   {"raw_size", "OCTETS", true},
                   {"leaf_index", "LEAF", true},
                   {"quantified", "QUANTIFIED"},
                   {"payload_digest", ""},
                   {"certificate", ""}});
  for (const auto& envelope : envelopes) {
    listing.add(
        {envelope.receipt_id,
         {Json(format_instant(envelope.received_at)), format_instant(envelope.received_at, 3)},
         envelope.tenant,
         envelope.source,
         envelope.message_count,
         envelope.raw_size,
         envelope.leaf_index,
         {Json(envelope.quantified), envelope.quantified ? "yes" : "no"},
         to_base64(envelope.payload_digest),
         to_hex(envelope.certificate_sha256)});
  }
  listing.write(session.terminal.out(), session.format());
  if (more) {
    session.terminal.note(std::string("the ") + (options.newest ? "newest " : "oldest ") +
                          std::to_string(options.limit) + " are shown; there are more: use " +
                          (options.newest ? "--to" : "--from, --newest") + ", or raise --limit");
  }
  return exit_ok;
}

// Empty when the certificate is not on record, which cannot happen in an intact database.
Result<std::string> subject_of(store::ArchiveDatabase& database, const Sha256Digest& certificate) {
  DISTRICT_TRY(const auto records, store::TrustStore(database).load());
  const auto found =
      std::find_if(records.enrolments.begin(), records.enrolments.end(),
                   [&](const Enrolment& e) { return e.certificate_sha256 == certificate; });
  return found == records.enrolments.end() ? std::string() : found->subject;
}

void add_proof(Details& details, const audit::InclusionProof& proof) {
  std::vector<std::string> path;
  for (const auto& hash : proof.path) path.push_back(to_base64(hash));
  details.add("log_entry", "Log entry", proof.entry);
  details.add("leaf_hash", "Leaf hash", to_base64(proof.leaf_hash));
  details.add("root_hash", "Root hash", to_base64(proof.root_hash));
  details.add("inclusion_proof", "Inclusion proof", cell_of(path, "none needed: the only leaf"));
}

Result<int> show_details(Session& session, store::ArchiveDatabase& database,
                         const StoredEnvelope& envelope) {
  store::LogReader log(database);
  DISTRICT_TRY(const auto subject, subject_of(database, envelope.certificate_sha256));
  DISTRICT_TRY(const auto proof, audit::prove_inclusion(log, envelope));
  Details details;
  details.add("receipt_id", "Receipt", envelope.receipt_id);
  details.add("received_at", "Received at", cell_of(envelope.received_at, 6));
  details.add("tenant", "Tenant", envelope.tenant);
  details.add("source", "First source", envelope.source);
  details.add("message_count", "Messages", envelope.message_count);
  details.add("signer", "Signer", subject);
  details.add("certificate", "Certificate SHA-256", to_hex(envelope.certificate_sha256));
  details.add("signature_method", "Signature method", envelope.signature_method);
  details.add("payload_digest", "Payload SHA-256", to_base64(envelope.payload_digest));
  details.add("raw_size", "Octets", envelope.raw_size);
  details.add("stored_size", "Octets stored", envelope.stored_size);
  details.add("content_type", "Content-Type", envelope.content_type);
  details.add("content_encoding", "Content-Encoding", envelope.content_encoding);
  details.add("soap_action", "SOAPAction", envelope.soap_action);
  details.add("quantified", "Quantified",
              {Json(envelope.quantified), envelope.quantified ? "yes" : "no"});
  details.add("leaf_index", "Leaf index", envelope.leaf_index);
  details.add("tree_size", "Tree size", envelope.tree_size);
  add_proof(details, proof);
  details.write(session.terminal.out(), session.format());
  return exit_ok;
}

// Reads the octets twice, block by block: nothing is written before their digest is found right.
Result<int> show_raw(Session& session, store::ArchiveReader& archive,
                     const StoredEnvelope& envelope) {
  for (const bool checked : {false, true}) {
    archive::StoredOctets octets(archive, envelope);
    while (true) {
      DISTRICT_TRY(const auto block, octets.next());
      if (block.empty()) break;
      if (!checked) continue;
      const auto text = as_text(block);
      session.terminal.out().write(text.data(), static_cast<std::streamsize>(text.size()));
    }
  }
  return exit_ok;
}

Result<int> show(Session& session, const std::string& receipt_id, bool raw) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  store::ArchiveReader archive(*database);
  auto envelope = archive.find(receipt_id);
  if (!envelope && envelope.error().code == ErrorCode::not_found) {
    const bool import = receipt_id.starts_with("site-import-");
    return fail(ErrorCode::not_found, "no envelope " + receipt_id,
                import ? "it is an import of master data: 'districtctl site show-import " +
                             receipt_id + "' shows it"
                       : "'districtctl envelope list' shows them");
  }
  if (!envelope) return fail(std::move(envelope).error());
  if (!raw) return show_details(session, *database, *envelope);
  return show_raw(session, archive, *envelope);
}

}  // namespace

void add_envelope_commands(CLI::App& app, Session& session) {
  auto* envelope = app.add_subcommand("envelope", "Archived envelopes");
  envelope->require_subcommand(1);

  auto options = std::make_shared<EnvelopeListOptions>();
  auto* list_command = envelope->add_subcommand("list", "List envelopes in the order of the log");
  add_list_options(*list_command, session, *options, "Only this tenant's");
  list_command
      ->add_option("--signer", options->signer,
                   "Only those signed with this certificate: its SHA-256 in hex, or a unique "
                   "beginning of 8 digits or more")
      ->type_name("FINGERPRINT");
  list_command->add_flag("--newest", options->newest, "The newest first");
  list_command->footer(
      std::string(kDateNote) +
      "Examples:\n"
      "  districtctl --data /var/lib/district envelope list --tenant 20 --from 2026-11-01\n"
      "  districtctl --data /var/lib/district envelope list --signer 9f3a61c0 --newest --limit 1");
  list_command->callback([&session, options] {
    session.action = [&session, options] { return list(session, *options); };
  });

  auto receipt_id = std::make_shared<std::string>();
  auto raw = std::make_shared<bool>(false);
  auto* show_command = envelope->add_subcommand(
      "show", "Show what is kept of one envelope, with its proof of inclusion in the log");
  show_command->add_option("receipt-id", *receipt_id, "As in its receipt")
      ->type_name("RECEIPT_ID")
      ->required();
  show_command->add_flag(
      "--raw", *raw, "Write the octets as they were received, once their digest is found right");
  show_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district envelope show 01JD3Z0A9V4T8M6Q2H5W7X1C0B\n"
      "  districtctl --data /var/lib/district envelope show 01JD3Z0A9V4T8M6Q2H5W7X1C0B --raw > "
      "envelope.xml");
  show_command->callback([&session, receipt_id, raw] {
    session.action = [&session, receipt_id, raw] { return show(session, *receipt_id, *raw); };
  });
}

}  // namespace district::admin
