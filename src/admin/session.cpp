#include "admin/session.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <set>

#include "base/near_name.h"
#include "kpi/catalogue.h"
#include "store/inventory.h"
#include "store/read_snapshot.h"
#include "store/work_queue.h"
#include "validate/content_folder.h"
#include "xml/document.h"

namespace district::admin {
namespace {

// For people at a command line, an unreadable database is an unavailable one.
Error to_people(Error error) {
  if (error.code == ErrorCode::file_unreadable) error.code = ErrorCode::archive_unavailable;
  return error;
}

}  // namespace

Format Session::format() const {
  if (json) return Format::json;
  if (csv_exact) return Format::csv_exact;
  return csv ? Format::csv : Format::table;
}

Result<config::Config> Session::settings() const {
  if (!config_file.empty()) return config::load(config_file);
  if (data_folder.empty()) {
    return fail(ErrorCode::admin_invalid, "no database is named",
                "give --config FILE, as for districtd, or --data FOLDER");
  }
  config::Config defaults;
  defaults.data.folder = data_folder;
  return defaults;
}

Result<store::Location> Session::location() const {
  DISTRICT_TRY(const auto config, settings());
  return store::Location::of(config.database());
}

Result<std::unique_ptr<store::ArchiveDatabase>> Session::open(store::OpenMode mode) const {
  DISTRICT_TRY(const auto config, settings());
  const auto path = config.database().string();
  DISTRICT_TRY(const bool exists, file_exists(path));
  if (!exists && mode != store::OpenMode::create) {
    return fail(ErrorCode::archive_unavailable, "there is no database " + path,
                "districtd makes it when it starts, and so does 'districtctl tenant add'; "
                "check --config or --data");
  }
  auto database = store::ArchiveDatabase::open(store::Location::of(path), mode);
  if (!database) return fail(to_people(std::move(database).error()));
  if (!exists) terminal.note("made a new database, " + path);
  if (store::is_read_without_locks(**database)) {
    terminal.note("nothing can be written beside " + path +
                  ": it is read as it is; nobody may change it meanwhile");
  }
  return database;
}

Result<bool> Session::has_series() const {
  DISTRICT_TRY(const auto location, this->location());
  DISTRICT_TRY(const bool exists, file_exists(location.series()));
  if (exists) return true;
  DISTRICT_TRY(const auto archive,
               store::ArchiveDatabase::open(location, store::OpenMode::read_only));
  DISTRICT_TRY(const auto finished, store::WorkQueue(*archive, {}).finished_into());
  return finished.identity.empty();  // nothing has been computed yet
}

Result<std::unique_ptr<store::SeriesDatabase>> Session::open_series(store::OpenMode mode) const {
  DISTRICT_TRY(const auto location, this->location());
  DISTRICT_TRY(const bool exists, file_exists(location.series()));
  if (!exists && mode == store::OpenMode::read_only) {
    // When nothing has been computed yet, an empty database shows all that there is.
    DISTRICT_TRY(const bool nothing_lacks, has_series());
    if (nothing_lacks)
      return store::SeriesDatabase::open(store::Location::scratch(), store::OpenMode::create);
    return fail(
        ErrorCode::archive_unavailable,
        "there is no " + location.series() + ", which has the measurements and KPI values",
        "districtd makes it from the archive when it starts; of a copy of the archive alone "
        "only envelopes, the log and who may send can be read");
  }
  auto series = store::SeriesDatabase::open(location, mode);
  if (!series) return fail(to_people(std::move(series).error()));
  if (mode == store::OpenMode::read_only) return series;
  DISTRICT_TRY(const auto archive,
               store::ArchiveDatabase::open(location, store::OpenMode::existing));
  DISTRICT_TRY(const auto again, store::match_series(*archive, **series));
  if (again > 0) {
    terminal.note("made a new " + location.series() + ": districtd computes " +
                  std::to_string(again) + " envelopes and imports again");
  }
  return series;
}

void add_csv_option(CLI::App& command, Session& session) {
  auto* csv = command.add_flag("--csv", session.csv,
                               "Results as CSV with a header line (RFC 4180), safe to open in a "
                               "spreadsheet");
  command
      .add_flag("--csv-exact", session.csv_exact,
                "As --csv, but every text exactly as it was sent, for programs")
      ->excludes(csv);
}

Result<std::optional<Instant>> read_instant(const std::string& option, const std::string& text) {
  if (text.empty()) return std::optional<Instant>{};
  const auto instant = parse_day_or_instant(text);
  if (!instant) {
    return fail(ErrorCode::admin_invalid, option + ": '" + text + "' is not a day or an instant",
                "write 2018-03-01 (midnight UTC) or 2018-03-01T12:00:00Z");
  }
  return instant;
}

Result<std::optional<Instant>> read_local_instant(const std::string& option,
                                                  const std::string& text, const LocalTime& local) {
  if (text.empty()) return std::optional<Instant>{};
  const auto instant = local.parse_day_or_instant(text);
  if (!instant) {
    return fail(ErrorCode::admin_invalid, option + ": '" + text + "' is not a day or an instant",
                "write 2018-03-01 (midnight of the tenant's zone) or 2018-03-01T12:00:00Z");
  }
  return instant;
}

void add_window_option(CLI::App& command, std::string& window, const std::string& means) {
  command.add_option("--window", window, means)
      ->type_name("KIND")
      ->check(CLI::IsMember({"hour", "day", "month", "year", "baseline", "reporting"}));
}

Result<Ok> check_order(const std::optional<Instant>& from, const std::optional<Instant>& to) {
  if (!from || !to || *from < *to) return Ok{};
  return fail(ErrorCode::admin_invalid,
              "--to " + format_instant(*to, 0) + " is not after --from " + format_instant(*from, 0),
              "--from is included, --to is not");
}

Result<Tenant> find_tenant(const store::TrustRecords& records, const std::string& code) {
  const auto found = std::find_if(records.tenants.rbegin(), records.tenants.rend(),
                                  [&code](const Tenant& tenant) { return tenant.code == code; });
  if (found != records.tenants.rend()) return *found;
  std::vector<std::string> codes;
  for (const auto& tenant : records.tenants) codes.push_back(tenant.code);
  return fail(ErrorCode::not_found, "no tenant " + code + did_you_mean(code, codes),
              "'districtctl tenant list' shows them");
}

Result<Tenant> find_tenant(store::ArchiveDatabase& database, const std::string& code) {
  DISTRICT_TRY(const auto records, store::TrustStore(database).load());
  return find_tenant(records, code);
}

Result<Ok> check_meter_names(store::SeriesDatabase& database, const std::string& tenant,
                             const std::string& source, const std::optional<std::string>& meter) {
  DISTRICT_TRY(const auto all, store::all_meters(database));
  std::set<std::string> sources, meters;
  for (const auto& key : all) {
    if (key.tenant != tenant) continue;
    sources.insert(key.source);
    if (source.empty() || key.source == source) meters.insert(key.meter);
  }
  const auto hint = "'districtctl site list --tenant " + tenant + "' shows them";
  const auto unknown = [&hint](std::string what, const std::string& name,
                               const std::set<std::string>& known) {
    const std::vector<std::string> names(known.begin(), known.end());
    return fail(ErrorCode::not_found,
                std::move(what) + " '" + name + "'" + did_you_mean(name, names), hint);
  };
  if (!source.empty() && !sources.contains(source))
    return unknown("tenant " + tenant + " has no source", source, sources);
  if (!meter || meters.contains(*meter)) return Ok{};
  if (meter->empty()) {
    return fail(ErrorCode::not_found,
                (source.empty() ? "no source" : "source " + source) +
                    " is itself a meter: --meter says which",
                hint);
  }
  return unknown(
      (source.empty() ? "tenant " + tenant : "source " + source) + " has no meter or site", *meter,
      meters);
}

Result<Ok> check_kpi_name(const std::string& kpi) {
  if (kpi.empty()) return Ok{};
  return kpi::check_name(kpi, "'districtctl kpi catalogue' lists them");
}

std::map<std::string, const Tenant*> current_tenants(const store::TrustRecords& records) {
  std::map<std::string, const Tenant*> current;
  for (const auto& tenant : records.tenants) current[tenant.code] = &tenant;
  return current;
}

Result<bool> file_exists(const std::string& path) {
  std::error_code error;
  const bool exists = std::filesystem::exists(path, error);
  if (!error) return exists;
  return fail(ErrorCode::archive_unavailable, "cannot look for " + path + ": " + error.message(),
              "run it as the user of the server: sudo -u district districtctl ...");
}

void add_list_options(CLI::App& command, Session& session, ListOptions& options,
                      const std::string& tenant_means) {
  command.add_option("--tenant", options.tenant, tenant_means)->type_name("CODE");
  command.add_option("--from", options.from, "Received at or after")->type_name("DATE");
  command.add_option("--to", options.to, "Received before")->type_name("DATE");
  command.add_option("--limit", options.limit, "At most so many")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  add_csv_option(command, session);
}

Result<std::unique_ptr<validate::Validator>> Session::validator() const {
  xml::initialize();
  // Without a data folder there are only the built-in ones.
  if (names_data()) {
    DISTRICT_TRY(const auto config, settings());
    DISTRICT_CHECK(validate::add_content_folder(config.data.folder / "content"));
  }
  return validate::Validator::create(world.operations);
}

}  // namespace district::admin
