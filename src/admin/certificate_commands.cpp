// districtctl certificate list, certificate show
#include <CLI/CLI.hpp>
#include <algorithm>

#include "admin/session.h"
#include "crypto/certificate.h"
#include "store/trust_store.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

constexpr std::size_t kShortFingerprint = 16;  // hex digits in tables; commands take 8 or more

struct Period {
  Instant from;
  Instant to;
};

// The period in which the certificate may sign: its own or that of the enrolment, whichever is
// narrower.
Period period_of(const Enrolment& enrolment, const crypto::Certificate& certificate) {
  Period period{std::max(enrolment.valid_from, certificate.not_before()), certificate.not_after()};
  if (enrolment.valid_to) period.to = std::min(period.to, *enrolment.valid_to);
  return period;
}

const char* status_of(const Enrolment& enrolment, const crypto::Certificate& certificate,
                      Instant now) {
  if (enrolment.revoked_at) return "revoked";
  if (!enrolment.has_begun(now) || now < certificate.not_before()) return "not yet valid";
  if (enrolment.has_ended(now) || now > certificate.not_after()) return "expired";
  return "active";
}

// "RSA 2048"
std::string key_of(const crypto::Certificate& certificate) {
  const auto& key = certificate.public_key();
  return (key.family() == KeyFamily::rsa ? "RSA " : "ECDSA ") + std::to_string(key.bits());
}

Result<int> list(Session& session, const std::string& tenant) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  if (!tenant.empty()) DISTRICT_CHECK(find_tenant(records, tenant));
  Listing listing({{"fingerprint", "FINGERPRINT"},
                   {"subject", "SUBJECT"},
                   {"tenant", "TENANT"},
                   {"valid_from", "VALID FROM"},
                   {"valid_to", "VALID TO"},
                   {"status", "STATUS"},
                   {"allow_sha1_until", "SHA-1 UNTIL"},
                   {"issuer", ""},
                   {"serial", ""},
                   {"key", ""},
                   {"enrolled_from", ""},
                   {"enrolled_to", ""},
                   {"revoked_at", ""},
                   {"revocation_reason", ""}});
  for (const auto& enrolment : records.enrolments) {
    if (!tenant.empty() && enrolment.tenant != tenant) continue;
    DISTRICT_TRY(const auto certificate, crypto::Certificate::from_der(enrolment.certificate_der));
    const auto period = period_of(enrolment, certificate);
    const auto fingerprint = to_hex(enrolment.certificate_sha256);
    listing.add({{Json(fingerprint), fingerprint.substr(0, kShortFingerprint)},
                 enrolment.subject,
                 enrolment.tenant,
                 cell_of(period.from),
                 cell_of(period.to),
                 status_of(enrolment, certificate, session.now()),
                 cell_of(enrolment.allow_sha1_until),
                 certificate.issuer(),
                 certificate.serial_decimal(),
                 key_of(certificate),
                 cell_of(enrolment.valid_from, 6),
                 cell_of(enrolment.valid_to),
                 cell_of(enrolment.revoked_at),
                 {enrolment.revoked_at ? Json(enrolment.revocation_reason) : Json(nullptr), ""}});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

// Everything by which messages of a gateway can name the certificate, in the spelling of
// WS-Security.
Details details_of(const crypto::Certificate& certificate, const Listing& enrolments) {
  const auto& identifier = certificate.subject_key_identifier();
  Details details;
  details.add("fingerprint", "SHA-256", to_hex(certificate.sha256()));
  details.add("subject", "Subject", certificate.subject());
  details.add("issuer", "Issuer", certificate.issuer());
  details.add("serial", "Serial number", certificate.serial_decimal());
  details.add("not_before", "Not before", cell_of(certificate.not_before()));
  details.add("not_after", "Not after", cell_of(certificate.not_after()));
  details.add("key", "Key", key_of(certificate));
  details.add("thumbprint_sha1", "ThumbprintSHA1", to_base64(certificate.sha1()));
  details.add("subject_key_identifier", "SubjectKeyIdentifier",
              identifier ? Cell(to_base64(*identifier)) : Cell(Json(nullptr), "none"));
  details.add("enrolments", "", {enrolments.json(), ""});
  return details;
}

Result<int> show(Session& session, const std::string& fingerprint, bool pem) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  DISTRICT_TRY(const auto sha256, trust::find_certificate(records, fingerprint));
  std::optional<crypto::Certificate> certificate;
  Listing enrolments({{"tenant", "TENANT"},
                      {"enrolled_from", "ENROLLED FROM"},
                      {"enrolled_to", "TO"},
                      {"status", "STATUS"},
                      {"allow_sha1_until", "SHA-1 UNTIL"},
                      {"revoked_at", "REVOKED AT"},
                      {"revocation_reason", "REASON"}});
  for (const auto& enrolment : records.enrolments) {
    if (enrolment.certificate_sha256 != sha256) continue;
    if (!certificate) {
      DISTRICT_TRY(certificate, crypto::Certificate::from_der(enrolment.certificate_der));
    }
    enrolments.add(
        {enrolment.tenant, cell_of(enrolment.valid_from), cell_of(enrolment.valid_to),
         status_of(enrolment, *certificate, session.now()), cell_of(enrolment.allow_sha1_until),
         cell_of(enrolment.revoked_at),
         enrolment.revoked_at ? Cell(enrolment.revocation_reason) : Cell(Json(nullptr), "-")});
  }
  auto& out = session.terminal.out();
  if (pem) {
    out << certificate->pem();
    return exit_ok;
  }
  details_of(*certificate, enrolments).write(out, session.format());
  if (!session.json) {
    out << '\n';
    enrolments.write(out, Format::table);
  }
  return exit_ok;
}

void add_show(CLI::App& certificate, Session& session) {
  auto fingerprint = std::make_shared<std::string>();
  auto pem = std::make_shared<bool>(false);
  auto* command = certificate.add_subcommand(
      "show", "Show one with its enrolments, and how messages may name it");
  command
      ->add_option("fingerprint", *fingerprint,
                   "SHA-256 of the certificate in hex, or a unique beginning of 8 digits or more")
      ->type_name("FINGERPRINT")
      ->required();
  command->add_flag("--pem", *pem, "Write the certificate itself, and nothing else");
  command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district certificate show 9f3a61c0\n"
      "  districtctl --data /var/lib/district certificate show 9f3a61c0 --pem | "
      "openssl x509 -noout -text");
  command->callback([&session, fingerprint, pem] {
    session.action = [&session, fingerprint, pem] { return show(session, *fingerprint, *pem); };
  });
}

}  // namespace

void add_certificate_commands(CLI::App& app, Session& session) {
  auto* certificate = app.add_subcommand("certificate", "Enrolled certificates");
  certificate->require_subcommand(1);
  auto tenant = std::make_shared<std::string>();
  auto* list_command =
      certificate->add_subcommand("list", "Show all that were ever enrolled, with their status");
  list_command->add_option("--tenant", *tenant, "Only this tenant's")->type_name("CODE");
  add_csv_option(*list_command, session);
  list_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district certificate list\n"
      "  districtctl --data /var/lib/district certificate list --tenant 20 --json");
  list_command->callback([&session, tenant] {
    session.action = [&session, tenant] { return list(session, *tenant); };
  });
  add_show(*certificate, session);
}

}  // namespace district::admin
