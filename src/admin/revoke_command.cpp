// districtctl revoke
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

struct RevokeOptions {
  std::string fingerprint, tenant, reason;
};

Result<int> revoke(Session& session, const RevokeOptions& options) {
  if (options.reason.find_first_not_of(' ') == std::string::npos) {
    return fail(ErrorCode::admin_invalid, "the reason is empty",
                "say why: it stays on record, and auditors read it");
  }
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  const auto tenant =
      options.tenant.empty() ? std::nullopt : std::optional<std::string>(options.tenant);
  DISTRICT_TRY(const auto count, trust::revoke(*database, options.fingerprint, tenant,
                                               options.reason, session.now()));
  if (session.json) {
    Details details;
    details.add("revoked", "", std::uint64_t{count});
    details.write(session.terminal.out(), Format::json);
    return exit_ok;
  }
  session.terminal.out() << "revoked " << count << (count == 1 ? " enrolment" : " enrolments")
                         << ", from the next request on\n";
  return exit_ok;
}

}  // namespace

void add_revoke_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<RevokeOptions>();
  auto* command = app.add_subcommand(
      "revoke", "Stop a certificate, from the next request on; what it signed before stays valid");
  command
      ->add_option("fingerprint", options->fingerprint,
                   "SHA-256 of the certificate in hex, or a unique beginning of 8 digits or more")
      ->type_name("FINGERPRINT")
      ->required();
  command->add_option("--tenant", options->tenant, "Only for this tenant; default: for all")
      ->type_name("CODE");
  command->add_option("--reason", options->reason, "Why; stays on record")->required();
  command->footer(
      "Example:\n"
      "  districtctl --data /var/lib/district revoke 9f3a61c0 --reason 'key lost with the "
      "gateway'");
  command->callback([&session, options] {
    session.action = [&session, options] { return revoke(session, *options); };
  });
}

}  // namespace district::admin
