// districtctl check
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "audit/explanation.h"
#include "base/diagnosis.h"
#include "base/file.h"
#include "model/fault.h"
#include "trust/trust.h"
#include "xml/document.h"

namespace district::admin {
namespace {

using audit::Finding;

struct CheckOptions {
  std::string file, tenant, at, content_type, soap_action, certificate;
};

const char* sign_of(Finding finding) {
  switch (finding) {
    case Finding::good:
      return "✓";
    case Finding::bad:
      return "✗";
    case Finding::note:
      return "!";
    case Finding::not_checked:
      return "–";
  }
  return "?";
}

const char* name_of(Finding finding) {
  switch (finding) {
    case Finding::good:
      return "good";
    case Finding::bad:
      return "bad";
    case Finding::note:
      return "note";
    case Finding::not_checked:
      return "not checked";
  }
  return "?";
}

Result<audit::RequestToExplain> request_of(const Session& session, const CheckOptions& options) {
  audit::RequestToExplain request;
  const Result<config::Config> settings =
      session.names_data() ? session.settings() : config::Config{};
  DISTRICT_CHECK(settings);
  DISTRICT_TRY(const auto text, read_file(options.file == "-" ? "/dev/stdin" : options.file,
                                          static_cast<std::size_t>(settings->limits.body_bytes)));
  request.octets = to_bytes(as_bytes(text));
  request.content_type = options.content_type;
  request.soap_action = options.soap_action;
  if (!options.tenant.empty()) request.tenant = options.tenant;
  DISTRICT_TRY(const auto at, read_instant("--at", options.at));
  request.at = at.value_or(session.now());
  if (!options.certificate.empty()) {
    DISTRICT_TRY(request.certificate, crypto::Certificate::from_pem_file(options.certificate));
  }
  if (!session.names_data()) return request;
  request.window = {settings->window.created_age_seconds, settings->window.created_ahead_seconds};
  // Opening it says in its own words when there is no database.
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto trust, trust::Trust::open(store::Location::of(settings->database()),
                                                    store::OpenMode::read_only));
  // From now on as the server judges now: a revocation holds whatever time it was given. For a time
  // before, by the trust that there was.
  request.trust = trust->snapshot();
  if (at && *at < session.now())
    request.trust = std::make_shared<const trust::TrustSnapshot>(request.trust->as_of(*at));
  return request;
}

std::string judgement_text(const audit::Judgement& judgement, SoapVersion version) {
  if (!judgement.error) return "accepted";
  const auto& error = *judgement.error;
  return "refused with " + fault_name(error.code, version) + " (" +
         std::to_string(static_cast<unsigned>(error.code)) + "): " + error.detail;
}

Json judgement_json(const audit::Judgement& judgement, SoapVersion version) {
  if (!judgement.error) return {{"accepted", true}};
  const auto& error = *judgement.error;
  return {{"accepted", false},
          {"code", static_cast<unsigned>(error.code)},
          {"fault", fault_name(error.code, version)},
          {"rule", rule_of(error)},
          {"detail", error.detail}};
}

void write_json(std::ostream& out, const audit::RequestToExplain& request,
                const audit::Explanation& explanation) {
  Json steps = Json::array();
  for (const auto& step : explanation.steps) {
    steps.push_back({{"step", step.name},
                     {"finding", name_of(step.finding)},
                     {"text", step.text},
                     {"more", step.more},
                     {"hints", step.hints}});
  }
  const Json all = {{"accepted", explanation.accepted()},
                    {"at", format_instant(request.at)},
                    {"trustStore", request.trust != nullptr},
                    {"steps", steps},
                    {"server", judgement_json(explanation.server, explanation.soap_version)},
                    {"auditor", judgement_json(explanation.auditor, explanation.soap_version)},
                    {"verifiersAgree", explanation.agree()}};
  out << dump(all, 2) << '\n';
}

void write_verdict(std::ostream& out, const audit::RequestToExplain& request,
                   const audit::Explanation& explanation) {
  out << '\n';
  if (explanation.accepted()) {
    out << "It would be accepted at " << format_instant(request.at, 0);
    if (!request.trust) out << ", if the certificate is enrolled for the tenant";
    out << ".\n";
  } else if (!request.trust && !request.certificate && explanation.server.error &&
             explanation.server.error->code == ErrorCode::token_unavailable) {
    out << "Whether it would be accepted cannot be told: the message only refers to its "
           "certificate.\nGive --data or --config, or --certificate.\n";
  } else if (explanation.server.error) {
    out << "It would be " << printable(judgement_text(explanation.server, explanation.soap_version))
        << ".\n";
  } else {
    out << "The server would accept it, but not as what was asked for: see the steps marked "
        << sign_of(Finding::bad) << ".\n";
  }
  if (!explanation.agree()) {
    out << "The auditor's verifier says otherwise: "
        << printable(judgement_text(explanation.auditor, explanation.soap_version))
        << ".\nThat is an error of District: please report it with this file.\n";
  } else if (explanation.server.error &&
             explanation.server.error->code != explanation.auditor.error->code) {
    out << "The auditor's verifier refuses it too, for another of its faults: "
        << printable(judgement_text(explanation.auditor, explanation.soap_version)) << ".\n";
  } else {
    out << "The server's verifier and the auditor's agree.\n";
  }
}

void write_text(std::ostream& out, const audit::RequestToExplain& request,
                const audit::Explanation& explanation) {
  std::size_t width = 0;
  for (const auto& step : explanation.steps) width = std::max(width, step.title.size());
  const std::string indent(width + 4, ' ');
  for (const auto& step : explanation.steps) {
    out << sign_of(step.finding) << ' ' << step.title
        << std::string(width - step.title.size() + 2, ' ') << printable(step.text) << '\n';
    for (const auto& line : step.more) out << indent << printable(line) << '\n';
    for (const auto& hint : step.hints) out << indent << "hint: " << printable(hint) << '\n';
  }
  write_verdict(out, request, explanation);
}

Result<int> check(Session& session, const CheckOptions& options) {
  DISTRICT_TRY(const auto request, request_of(session, options));
  xml::initialize();
  DISTRICT_TRY(const auto validator, session.validator());
  const auto explanation = audit::explain(request, *validator);
  auto& out = session.terminal.out();
  if (session.format() == Format::json) {
    write_json(out, request, explanation);
  } else {
    write_text(out, request, explanation);
  }
  return explanation.accepted() ? exit_ok : exit_difference;
}

}  // namespace

void add_check_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = app.add_subcommand(
      "check", "Explain what the server would make of a request, step by step, without a server");
  command
      ->add_option("file", options->file,
                   "The body of the request, as it is sent; -: standard input")
      ->type_name("FILE")
      ->required();
  command->add_option("--tenant", options->tenant, "That it is meant to be sent as")
      ->type_name("CODE");
  command
      ->add_option("--at", options->at,
                   "The time to judge at, by the enrolments and settings of then; default: now")
      ->type_name("DATE");
  command
      ->add_option("--content-type", options->content_type,
                   "As sent; default: that of the envelope's version of SOAP")
      ->type_name("TYPE");
  command->add_option("--soap-action", options->soap_action, "As sent")->type_name("ACTION");
  command
      ->add_option("--certificate", options->certificate,
                   "The signer's, PEM, where the message has none in it")
      ->type_name("FILE");
  command->footer(
      "Needs no database: without --data or --config it is judged as if the certificate were\n"
      "enrolled. All steps are examined, also when an earlier one fails. Exit code 1 when it "
      "would\n"
      "be refused.\n\n"
      "Examples:\n"
      "  districtctl check request.xml\n"
      "  districtctl --data /var/lib/district rejection show ID --raw | districtctl check -\n"
      "  districtctl --data /var/lib/district check request.xml --tenant 20 --at "
      "2026-11-20T10:15:00Z");
  command->callback([&session, options] {
    session.action = [&session, options] { return check(session, *options); };
  });
}

}  // namespace district::admin
