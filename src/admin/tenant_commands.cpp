// districtctl tenant add, tenant list, tenant show
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "config/tenant_file.h"
#include "store/trust_store.h"
#include "trust/changes.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

struct AddOptions {
  Tenant tenant;
  std::string file;
};

Result<Tenant> tenant_of(const AddOptions& options) {
  const auto& tenant = options.tenant;
  if (!options.file.empty()) return config::load_tenant_file(options.file);
  if (tenant.code.empty() || tenant.name.empty() || tenant.zone.empty() ||
      tenant.content_types.empty()) {
    return fail(ErrorCode::admin_invalid, "CODE, --name, --zone and --content-type are all needed",
                "or give --file TENANT.toml");
  }
  return tenant;
}

Result<int> add(Session& session, const AddOptions& options) {
  DISTRICT_TRY(const auto tenant, tenant_of(options));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::create));
  DISTRICT_TRY(const auto before, store::TrustStore(*database).load());
  const bool known = std::any_of(before.tenants.begin(), before.tenants.end(),
                                 [&tenant](const Tenant& t) { return t.code == tenant.code; });
  const auto added = trust::add_tenant(*database, tenant, session.now());
  const bool unchanged = !added && added.error().code == ErrorCode::admin_conflict;
  if (!added && !unchanged) return fail(added.error());
  const std::string outcome = unchanged ? "unchanged" : known ? "changed" : "added";
  Details details;
  details.add("tenant", "", tenant.code);
  details.add("outcome", "", outcome);
  if (session.json) {
    details.write(session.terminal.out(), Format::json);
  } else if (unchanged) {
    session.terminal.out() << "tenant " << printable(tenant.code)
                           << " already has these settings\n";
  } else {
    session.terminal.out() << "tenant " << printable(tenant.code) << ' ' << outcome
                           << (known ? ", from now on" : "") << '\n';
  }
  return exit_ok;
}

Result<int> list(Session& session) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  Listing listing({{"tenant", "TENANT"},
                   {"name", "NAME"},
                   {"zone", "ZONE"},
                   {"content_types", "CONTENT TYPES"},
                   {"sources", "SOURCES"},
                   {"valid_from", "SINCE"}});
  for (const auto& [code, tenant] : current_tenants(records)) {
    listing.add({code, tenant->name, tenant->zone, cell_of(tenant->content_types, "-"),
                 cell_of(tenant->sources, "any"), cell_of(tenant->valid_from)});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

Result<int> show(Session& session, const std::string& code) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  DISTRICT_CHECK(find_tenant(records, code));
  Listing listing({{"valid_from", "SINCE"},
                   {"name", "NAME"},
                   {"zone", "ZONE"},
                   {"content_types", "CONTENT TYPES"},
                   {"sources", "SOURCES"}});
  for (const auto& tenant : records.tenants) {
    if (tenant.code != code) continue;
    listing.add({cell_of(tenant.valid_from, 6), tenant.name, tenant.zone,
                 cell_of(tenant.content_types, "-"), cell_of(tenant.sources, "any")});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

}  // namespace

void add_tenant_commands(CLI::App& app, Session& session) {
  auto* tenant = app.add_subcommand("tenant", "Tenants: pilots that may send");
  tenant->require_subcommand(1);

  auto options = std::make_shared<AddOptions>();
  auto* add_command = tenant->add_subcommand(
      "add", "Add a tenant, or change its settings from now on; earlier settings stay on record");
  auto* code = add_command->add_option("code", options->tenant.code, "tenantCode of its messages")
                   ->type_name("CODE");
  auto* name =
      add_command->add_option("--name", options->tenant.name, "For people")->type_name("NAME");
  auto* zone = add_command->add_option("--zone", options->tenant.zone,
                                       "IANA time zone of its sites, e.g. Europe/Madrid");
  auto* types = add_command
                    ->add_option("--content-type", options->tenant.content_types,
                                 "Allowed content, TYPE/VERSION; may be repeated")
                    ->type_name("TYPE/VERSION");
  auto* sources = add_command->add_option("--source", options->tenant.sources,
                                          "Allowed messageSourceElement; may be repeated. Without "
                                          "any, unknown sources are flagged only");
  add_command->add_option("--file", options->file, "Read all settings from a TOML file")
      ->type_name("TENANT.toml")
      ->excludes(code)
      ->excludes(name)
      ->excludes(zone)
      ->excludes(types)
      ->excludes(sources);
  add_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district tenant add 20 --name 'Barcelona' \\\n"
      "      --zone Europe/Madrid --content-type 001/0.0.1 --content-type 002/001\n"
      "  districtctl --data /var/lib/district tenant add --file truststore/20/tenant.toml");
  add_command->callback([&session, options] {
    session.action = [&session, options] { return add(session, *options); };
  });

  auto* list_command =
      tenant->add_subcommand("list", "Show the tenants and their present settings");
  add_csv_option(*list_command, session);
  list_command->footer("Example:\n  districtctl --data /var/lib/district tenant list");
  list_command->callback([&session] { session.action = [&session] { return list(session); }; });

  auto shown = std::make_shared<std::string>();
  auto* show_command = tenant->add_subcommand(
      "show", "Show all settings that a tenant ever had, the oldest first; the last are in force");
  show_command->add_option("code", *shown, "Its tenantCode")->type_name("CODE")->required();
  add_csv_option(*show_command, session);
  show_command->footer("Example:\n  districtctl --data /var/lib/district tenant show 20");
  show_command->callback(
      [&session, shown] { session.action = [&session, shown] { return show(session, *shown); }; });
}

}  // namespace district::admin
