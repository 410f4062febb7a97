// districtctl apikey create, apikey list, apikey revoke
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "store/api_key_store.h"
#include "trust/api_keys.h"
#include "trust/changes.h"

namespace district::admin {
namespace {

struct CreateOptions {
  trust::ApiKeyRequest request;
  std::string role = "reader";
  std::string expires;
};

struct RevokeOptions {
  std::string key_id;
  std::string reason;
};

Cell tenants_of(const ApiKey& key) {
  return cell_of(key.every_tenant ? std::vector<std::string>{"*"} : key.tenants, "-");
}

const char* state_of(const ApiKey& key, Instant now) {
  if (key.revoked_at) return "revoked";
  return key.in_force(now) ? "in force" : "expired";
}

Result<int> create(Session& session, const CreateOptions& options) {
  auto request = options.request;
  request.role = trust::api_role_of(options.role).value_or(ApiRole::reader);
  DISTRICT_TRY(request.expires_at, read_instant("--expires", options.expires));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  DISTRICT_TRY(const auto made,
               trust::create_api_key(*database, std::move(request), session.now()));
  Details details;
  details.add("key_id", "Key id", made.key.key_id);
  details.add("role", "Role", trust::name_of(made.key.role));
  details.add("tenants", "Tenants", tenants_of(made.key));
  details.add("expires_at", "Expires", cell_of(made.key.expires_at));
  details.add("api_key", "API key", made.text);
  details.write(session.terminal.out(), session.format());
  session.terminal.note("the API key is shown this once; the server keeps only its digest");
  return exit_ok;
}

Result<int> list(Session& session) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto keys, store::ApiKeyStore(*database).list());
  Listing listing({{"key_id", "KEY"},
                   {"name", "NAME"},
                   {"role", "ROLE"},
                   {"tenants", "TENANTS"},
                   {"state", "STATE"},
                   {"created_at", "CREATED"},
                   {"expires_at", "EXPIRES"},
                   {"revoked_at", ""},
                   {"revocation_reason", ""}});
  const auto now = session.now();
  for (const auto& key : keys) {
    listing.add({key.key_id, key.name, trust::name_of(key.role), tenants_of(key),
                 state_of(key, now), cell_of(key.created_at), cell_of(key.expires_at),
                 cell_of(key.revoked_at), key.revocation_reason});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

Result<int> revoke(Session& session, const RevokeOptions& options) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  DISTRICT_CHECK(trust::revoke_api_key(*database, options.key_id, options.reason, session.now()));
  Details details;
  details.add("key_id", "", options.key_id);
  details.add("outcome", "", "revoked");
  if (session.json) {
    details.write(session.terminal.out(), Format::json);
  } else {
    session.terminal.out() << "API key " << printable(options.key_id) << " revoked\n";
  }
  return exit_ok;
}

}  // namespace

void add_apikey_commands(CLI::App& app, Session& session) {
  auto* keys = app.add_subcommand("apikey", "Keys for reading by way of the query API");
  keys->require_subcommand(1);

  auto creation = std::make_shared<CreateOptions>();
  auto* create_command = keys->add_subcommand("create", "Make a key, and show it this once");
  create_command->add_option("--name", creation->request.name, "Who will hold it")->required();
  create_command->add_option("--role", creation->role, "reader or auditor; default: reader")
      ->check(CLI::IsMember({"reader", "auditor"}));
  auto* some = create_command
                   ->add_option("--tenant", creation->request.tenants,
                                "A tenant whose data it reads; may be repeated")
                   ->type_name("CODE");
  create_command
      ->add_flag("--all-tenants", creation->request.every_tenant,
                 "It reads all tenants, also those added later")
      ->excludes(some);
  create_command
      ->add_option("--expires", creation->expires,
                   "Day or instant from which it is void; default: in 365 days")
      ->type_name("WHEN");
  create_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district apikey create --name dashboard --tenant 20\n"
      "  districtctl --data /var/lib/district apikey create --name 'Auditor' --role auditor \\\n"
      "      --all-tenants --expires 2027-01-01");
  create_command->callback([&session, creation] {
    session.action = [&session, creation] { return create(session, *creation); };
  });

  auto* list_command = keys->add_subcommand("list", "Show all keys ever made, without secrets");
  add_csv_option(*list_command, session);
  list_command->footer("Example:\n  districtctl --data /var/lib/district apikey list");
  list_command->callback([&session] { session.action = [&session] { return list(session); }; });

  auto revocation = std::make_shared<RevokeOptions>();
  auto* revoke_command = keys->add_subcommand("revoke", "Make a key void from now on");
  revoke_command->add_option("key", revocation->key_id, "Its id, as 'apikey list' shows it")
      ->type_name("KEY")
      ->required();
  revoke_command->add_option("--reason", revocation->reason, "Why")->required();
  revoke_command->footer(
      "Example:\n"
      "  districtctl --data /var/lib/district apikey revoke 01KAG3ZK8QF4T0V9M2N7C5R1WX \\\n"
      "      --reason 'dashboard retired'");
  revoke_command->callback([&session, revocation] {
    session.action = [&session, revocation] { return revoke(session, *revocation); };
  });
}

}  // namespace district::admin
