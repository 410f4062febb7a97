// What the commands of one run share: the global options and the way to the database.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/cli.h"
#include "admin/terminal.h"
#include "base/error.h"
#include "base/local_time.h"
#include "config/config.h"
#include "model/trust.h"
#include "store/database.h"
#include "store/trust_store.h"
#include "validate/validator.h"

namespace CLI {
class App;
}

namespace district::admin {

struct Session {
  Session(Terminal& the_terminal, const World& the_world)
      : terminal(the_terminal), world(the_world) {}

  Terminal& terminal;
  const World& world;
  std::string config_file;
  std::string data_folder;
  bool json = false;
  bool csv = false, csv_exact = false;
  // Set by the command that the arguments name, and run when all of them have been read. Gives the
  // exit code.
  std::function<Result<int>()> action;

  Format format() const;
  Instant now() const { return world.clock.now(); }
  bool names_data() const { return !config_file.empty() || !data_folder.empty(); }
  // The settings of --config, or the defaults with the folder of --data. Errors: admin_invalid when
  // neither is given, and those of config::load().
  Result<config::Config> settings() const;
  // Where settings() has the databases. Errors: those of settings().
  Result<store::Location> location() const;
  // The archive. Errors: archive_unavailable, archive_foreign, and those of settings().
  Result<std::unique_ptr<store::ArchiveDatabase>> open(store::OpenMode mode) const;
  // Whether open_series() can read a series: there is one, or nothing has been computed yet. A copy
  // of the archive alone has none; then only a part can be read.
  Result<bool> has_series() const;
  // The series that belongs to the archive, which must exist. To be written to, it is made if there
  // is none, and compared with the archive. Errors: those of open().
  Result<std::unique_ptr<store::SeriesDatabase>> open_series(store::OpenMode mode) const;
  // A validator with the built-in content schemas and those of the data folder. Errors:
  // config_invalid.
  Result<std::unique_ptr<validate::Validator>> validator() const;
};

// Adds --csv and --csv-exact, for the commands that list.
void add_csv_option(CLI::App& command, Session& session);

// The value of an option that is a day or an instant; nullopt when it is empty. Errors:
// admin_invalid.
Result<std::optional<Instant>> read_instant(const std::string& option, const std::string& text);
// Errors: admin_invalid when --to is not after --from, so that nothing could lie between them.
Result<Ok> check_order(const std::optional<Instant>& from, const std::optional<Instant>& to);
// The present settings of the tenant. Errors: not_found.
Result<Tenant> find_tenant(const store::TrustRecords& records, const std::string& code);
Result<Tenant> find_tenant(store::ArchiveDatabase& database, const std::string& code);
// Checks that the tenant has such a source and, if one is named, such a meter or site, so that a
// misspelt name is not taken for one without values. If `source` is empty, any source may have the
// meter. Errors: not_found, with the name that is near.
Result<Ok> check_meter_names(store::SeriesDatabase& database, const std::string& tenant,
                             const std::string& source, const std::optional<std::string>& meter);
// Checks that the catalogue has the KPI; an empty name is good. Errors: not_found, with the name
// that is near.
Result<Ok> check_kpi_name(const std::string& kpi);
// The present settings of each tenant, by its code. The pointers are into `records`.
std::map<std::string, const Tenant*> current_tenants(const store::TrustRecords& records);
// Whether there is such a file. Errors: archive_unavailable when this user may not know.
Result<bool> file_exists(const std::string& path);

// The options of the commands that list envelopes and rejections.
struct ListOptions {
  std::string tenant, from, to;
  std::size_t limit = 1000;
};
// Adds --tenant, --from, --to, --limit and --csv.
void add_list_options(CLI::App& command, Session& session, ListOptions& options,
                      const std::string& tenant_means);
// Makes a filter of --tenant, --from, --to and --limit. Its limit is one more, which tells whether
// there are more. Errors: those of read_instant() and check_order().
template <typename Filter>
Result<Filter> filter_of(const ListOptions& options) {
  Filter filter;
  if (!options.tenant.empty()) filter.tenant = options.tenant;
  DISTRICT_TRY(filter.from, read_instant("--from", options.from));
  DISTRICT_TRY(filter.to, read_instant("--to", options.to));
  DISTRICT_CHECK(check_order(filter.from, filter.to));
  filter.limit = options.limit + 1;
  return filter;
}
// Removes what is beyond --limit. false: there is nothing beyond.
template <typename Found>
bool cut_to_limit(std::vector<Found>& found, const ListOptions& options) {
  const bool more = found.size() > options.limit;
  if (more) found.resize(options.limit);
  return more;
}
// As read_instant(), but a day begins at midnight in the zone of the tenant.
Result<std::optional<Instant>> read_local_instant(const std::string& option,
                                                  const std::string& text, const LocalTime& local);
// Adds --window, with the names of WindowKind.
void add_window_option(CLI::App& command, std::string& window, const std::string& means);

inline constexpr const char* kDateNote =
    "DATE is a day (2018-03-01: midnight UTC) or an instant (2018-03-01T12:00:00Z).\n\n";

// Each of these is in the file of its name.
void add_tenant_commands(CLI::App& app, Session& session);
void add_apikey_commands(CLI::App& app, Session& session);
void add_enrol_command(CLI::App& app, Session& session);
void add_revoke_command(CLI::App& app, Session& session);
void add_certificate_commands(CLI::App& app, Session& session);
void add_envelope_commands(CLI::App& app, Session& session);
void add_rejection_commands(CLI::App& app, Session& session);
void add_check_command(CLI::App& app, Session& session);
void add_kpi_command(CLI::App& app, Session& session);  // with those below it:
void add_kpi_explain_command(CLI::App& kpi, Session& session);
void add_kpi_recompute_command(CLI::App& kpi, Session& session);
void add_kpi_catalogue_command(CLI::App& kpi, Session& session);
void add_site_commands(CLI::App& app, Session& session);
void add_content_commands(CLI::App& app, Session& session);
void add_log_commands(CLI::App& app, Session& session);
void add_status_command(CLI::App& app, Session& session);
void add_audit_commands(CLI::App& app, Session& session);

}  // namespace district::admin
