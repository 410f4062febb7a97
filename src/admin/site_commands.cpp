// districtctl site
#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "admin/session.h"
#include "base/characters.h"
#include "base/local_time.h"
#include "base/near_name.h"
#include "config/site_file.h"
#include "log/log.h"
#include "quantify/site_import.h"
#include "store/archive_reader.h"
#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/series_reader.h"
#include "validate/statements.h"
#include "xml/document.h"

namespace district::admin {
namespace {

struct SiteOptions {
  std::string file, tenant, source, meter;
  bool dry_run = false;
};

void write_outcome(Session& session, const char* outcome, std::uint64_t statements, Json leaf_index,
                   const std::vector<std::string>& unknown_names) {
  Details details;
  details.add("outcome", "", outcome);
  details.add("statements", "", statements);
  details.add("leaf_index", "", {std::move(leaf_index), ""});
  details.add("unknown_names", "", cell_of(unknown_names, ""));
  details.write(session.terminal.out(), Format::json);
}

// Collects the names in master data of which nothing is known, each once, for people. A name may be
// new or misspelt.
class NewNames {
 public:
  NewNames(std::vector<MeterKey> meters, const std::string& tenant,
           const std::vector<MasterFact>& facts) {
    std::erase_if(meters, [&](const MeterKey& key) { return key.tenant != tenant; });
    for (const MeterKey& key : meters) add_known(key.source, key.meter);
    for (const MasterFact& fact : facts) look_at(fact.source, fact.meter);
    // Records of one file may name each other.
    for (const MasterFact& fact : facts) add_known(fact.source, fact.meter);
    for (const MasterFact& fact : facts) look_at_reference(fact);
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  void add_known(const std::string& source, const std::string& meter) {
    sources_.insert(source);
    meters_[source].insert(meter);
  }
  void tell(const std::string& name, const std::string& what, const std::string& shown,
            const std::set<std::string>& known) {
    if (!told_.insert(name).second) return;
    std::vector<std::string> candidates(known.begin(), known.end());
    std::erase(candidates, shown);
    names_.push_back(name);
    std::string text = what + " '" + visible(shown) + "' is not known";
    const auto alike = std::ranges::find_if(candidates, [&](const std::string& candidate) {
      return outline_of(candidate) == outline_of(shown);
    });
    text += alike == candidates.end() ? did_you_mean(shown, candidates)
                                      : ", and looks like '" + visible(*alike) + "'";
    texts_.push_back(text);
  }
  void look_at(const std::string& source, const std::string& meter) {
    if (!sources_.contains(source)) return tell(source, "source", source, sources_);
    const auto& known = meters_[source];
    if (!known.contains(meter) && !meter.empty())
      tell(source + "/" + meter, "source " + visible(source) + ": meter or site", meter, known);
  }
  void look_at_reference(const MasterFact& fact) {
    const auto& known = meters_[fact.source];
    if (fact.attribute == "at_site" || fact.attribute == "replaces_meter") {
      if (!known.contains(fact.value))
        tell(fact.source + "/" + fact.value, fact.attribute, fact.value, known);
    }
    if (fact.attribute != "outdoor_sensor") return;
    const auto slash = fact.value.find('/');
    const auto source = fact.value.substr(0, slash);
    const auto meter = slash == std::string::npos ? std::string() : fact.value.substr(slash + 1);
    if (!sources_.contains(source)) return tell(source, fact.attribute, source, sources_);
    if (!meters_[source].contains(meter) && !meter.empty())
      tell(fact.value, fact.attribute, meter, meters_[source]);
  }

  std::set<std::string> sources_, told_;
  std::map<std::string, std::set<std::string>> meters_;  // by source
  std::vector<std::string> names_, texts_;
};
// If only some machines knew a zone, the same envelopes would give different KPIs.
Result<Ok> check_zones(const std::string& path, const config::SiteFile& file) {
  for (const auto& record : file.records) {
    for (const auto& [name, value] : record.fields) {
      if ((name != "zone" && name != "site_zone") || find_zone(value) != nullptr) continue;
      return fail(ErrorCode::config_invalid,
                  path + " line " + std::to_string(record.line) + ": " + record.kind + ": " + name +
                      ": there is no time zone '" + value + "'",
                  "use a name of the IANA database, such as Europe/Madrid (timedatectl "
                  "list-timezones shows them)");
    }
  }
  return Ok{};
}

Result<int> import(Session& session, const SiteOptions& options) {
  DISTRICT_TRY(const auto file, config::load_site_file(options.file));
  DISTRICT_CHECK(check_zones(options.file, file));
  DISTRICT_TRY(const auto validator, session.validator());
  std::vector<validate::StatedRecord> records;
  for (const auto& record : file.records)
    records.push_back({record.kind, record.source, record.fields});
  DISTRICT_TRY(const auto facts, validate::read_statements(*validator, records));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::create));
  DISTRICT_CHECK(find_tenant(*database, file.tenant));
  DISTRICT_TRY(auto meters, store::all_meters(*series));
  const NewNames news(std::move(meters), file.tenant, facts);
  for (const auto& text : news.texts()) session.terminal.note(text);
  if (options.dry_run) {
    const auto unknown = news.names().size();
    if (session.json) {
      write_outcome(session, unknown == 0 ? "good" : "unknown_names", facts.size(), Json(),
                    news.names());
    } else {
      session.terminal.out() << counted(facts.size(), "statement")
                             << (unknown == 0 ? " good"
                                              : " can be imported, with " +
                                                    counted(unknown, "name") + " not known")
                             << "; nothing is written\n";
    }
    return exit_ok;
  }
  DISTRICT_TRY(const auto report,
               quantify::import_statements(*database, *series, file.tenant, facts, session.now()));
  const bool unchanged = report.statements == 0;
  if (session.json) {
    write_outcome(session, unchanged ? "unchanged" : "imported", report.statements,
                  unchanged ? Json() : Json(report.leaf_index), news.names());
  } else if (unchanged) {
    session.terminal.out() << "all of it is stated already; nothing has changed\n";
  } else {
    session.terminal.out() << counted(report.statements, "statement") << ", leaf "
                           << report.leaf_index << " of the log; KPIs of "
                           << counted(report.meters, "meter") << " will be computed anew\n";
  }
  return exit_ok;
}

Result<Listing> statements_of(store::SeriesDatabase& database, const SiteOptions& options) {
  store::SeriesReader store(database);
  Listing listing({{"source", "SOURCE"},
                   {"meter", "METER OR SITE"},
                   {"attribute", "ATTRIBUTE"},
                   {"value", "VALUE"},
                   {"valid_from", "FROM"},
                   {"valid_to", "TO"},
                   {"stated_in", "STATED IN"}});
  DISTRICT_TRY(const auto meters, store::all_meters(database));
  for (const auto& meter : meters) {
    if (meter.tenant != options.tenant) continue;
    if (!options.source.empty() && meter.source != options.source) continue;
    if (!options.meter.empty() && meter.meter != options.meter) continue;
    DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
    if (!meter_id) continue;
    DISTRICT_TRY(const auto facts, store.facts(*meter_id));
    for (const auto& [fact, origin] : facts) {
      listing.add({meter.source, meter.meter, fact.attribute, fact.value, cell_of(fact.valid_from),
                   cell_of(fact.valid_to), origin.receipt_id});
    }
  }
  return listing;
}

Result<int> show(Session& session, const SiteOptions& options) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::read_only));
  DISTRICT_CHECK(find_tenant(*database, options.tenant));
  DISTRICT_TRY(const auto listing, statements_of(*series, options));
  if (listing.empty()) {
    DISTRICT_CHECK(
        check_meter_names(*series, options.tenant, options.source,
                          options.meter.empty() ? std::nullopt : std::optional(options.meter)));
    session.terminal.note("no rows: nothing is stated");
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

// Reads "12", or "site-import-12" as other commands show it as the origin of a statement.
std::optional<std::uint64_t> import_number(std::string_view name) {
  constexpr std::string_view kPrefix = "site-import-";
  if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = problem == std::errc() && end == name.data() + name.size();
  return whole ? std::optional(number) : std::nullopt;
}

Result<Listing> statements_of(const SiteImport& import) {
  Listing listing({{"source", "SOURCE"},
                   {"meter", "METER OR SITE"},
                   {"attribute", "ATTRIBUTE"},
                   {"value", "VALUE"},
                   {"valid_from", "FROM"},
                   {"valid_to", "TO"}});
  const auto statements = Json::parse(import.statements, nullptr, false);
  if (!statements.is_array()) {
    return fail(ErrorCode::archive_corrupt,
                "site-import-" + std::to_string(import.leaf_index) + " cannot be read",
                "'districtctl log verify' tells whether it is as it was imported");
  }
  for (const auto& statement : statements) {
    const auto text = [&statement](const char* member) -> Cell {
      const auto found = statement.find(member);
      if (found == statement.end() || !found->is_string()) return {Json(nullptr), "-"};
      return found->get<std::string>();
    };
    listing.add({text("source"), text("meter"), text("attribute"), text("value"), text("validFrom"),
                 text("validTo")});
  }
  return listing;
}

Result<int> show_import(Session& session, const std::string& name) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  store::ArchiveReader archive(*database);
  DISTRICT_TRY(const auto imports, archive.site_imports());
  const auto number = import_number(name);
  const auto import = std::ranges::find_if(
      imports, [&number](const auto& candidate) { return candidate.leaf_index == number; });
  if (import == imports.end()) {
    return fail(ErrorCode::not_found, "no import '" + name + "'",
                "'districtctl site show' names the imports in the column STATED IN");
  }
  DISTRICT_TRY(const auto entries, store::LogReader(*database).entries(import->leaf_index, 1));
  const auto at = entries.empty() ? std::nullopt : log::time_of(entries.front().entry);
  DISTRICT_TRY(const auto listing, statements_of(*import));
  const auto format = session.format();
  Details details;
  details.add("name", "Import", quantify::receipt_id_of_import(import->leaf_index));
  details.add("tenant", "Tenant", import->tenant);
  details.add("imported_at", "Imported at", cell_of(at.value_or(Instant{}), 6));
  details.add("leaf_index", "Leaf index", import->leaf_index);
  auto& out = session.terminal.out();
  if (format == Format::json) details.add("statements", "", {listing.json(), ""});
  if (!is_csv(format)) details.write(out, format);
  if (format == Format::table) out << '\n';
  if (format != Format::json) listing.write(out, format);
  return exit_ok;
}

// One row for each meter, with what is known of it.
Result<int> list(Session& session, const SiteOptions& options) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::read_only));
  DISTRICT_CHECK(find_tenant(*database, options.tenant));
  store::SeriesReader store(*series);
  Listing listing({{"source", "SOURCE"},
                   {"meter", "METER OR SITE"},
                   {"quantities", "QUANTITIES"},
                   {"statements", "STATEMENTS", true}});
  DISTRICT_TRY(const auto meters, store::all_meters(*series));
  for (const auto& meter : meters) {
    if (meter.tenant != options.tenant) continue;
    DISTRICT_TRY(const auto meter_id, store.find_meter(meter));
    if (!meter_id) continue;
    DISTRICT_TRY(const auto all_series, store.series_of(*meter_id));
    DISTRICT_TRY(const auto facts, store.facts(*meter_id));
    std::set<std::string> quantities;
    for (const auto& one : all_series) quantities.insert(one.quantity);
    listing.add({meter.source, meter.meter,
                 cell_of(std::vector<std::string>(quantities.begin(), quantities.end()), "-"),
                 std::uint64_t{facts.size()}});
  }
  listing.write(session.terminal.out(), session.format());
  return exit_ok;
}

}  // namespace

void add_site_commands(CLI::App& app, Session& session) {
  auto* site = app.add_subcommand("site", "Master data: sites, buildings, meters, factors");
  site->require_subcommand(1);
  auto options = std::make_shared<SiteOptions>();

  auto* import_command = site->add_subcommand(
      "import", "State what a file says of sites and meters; what it touches is computed anew");
  import_command->add_option("file", options->file, "A TOML file")
      ->type_name("FILE.toml")
      ->required();
  import_command->add_flag("--dry-run", options->dry_run,
                           "Only check the file, and name what nothing is known of");
  import_command->footer(
      "The statements are held to the schema of messages of type 002/001 and are a leaf of the "
      "log.\n\nExample of a file:\n"
      "  tenant = \"20\"\n"
      "  source = \"BCN-SCHOOL\"\n"
      "  valid_from = 2018-01-01\n"
      "  [[site]]\n"
      "  site_id = \"SCHOOL\"\n"
      "  site_zone = \"Europe/Madrid\"\n"
      "  floor_area_m2 = 4200\n"
      "  [[meter]]\n"
      "  at_site = \"SCHOOL\"\n"
      "  medium = \"power\"\n"
      "  co2_factor_kg_per_kwh = 0.25\n\n"
      "Example:\n  districtctl --data /var/lib/district site import school.toml");
  import_command->callback([&session, options] {
    session.action = [&session, options] { return import(session, *options); };
  });

  const auto add_tenant = [&options](CLI::App& command) {
    command.add_option("--tenant", options->tenant, "Its tenantCode")
        ->type_name("CODE")
        ->required();
  };
  auto* list_command = site->add_subcommand("list", "Show meters and sites, one a row");
  add_tenant(*list_command);
  add_csv_option(*list_command, session);
  list_command->footer("Example:\n  districtctl --data /var/lib/district site list --tenant 20");
  list_command->callback([&session, options] {
    session.action = [&session, options] { return list(session, *options); };
  });

  auto* show_command =
      site->add_subcommand("show", "Show every statement, with the envelope or import it came in");
  add_tenant(*show_command);
  show_command->add_option("--source", options->source, "Only this messageSourceElement");
  show_command->add_option("--meter", options->meter, "Only this meter, site or building");
  add_csv_option(*show_command, session);
  show_command->footer(
      "Example:\n  districtctl --data /var/lib/district site show --tenant 10 --meter KAL-W2");
  show_command->callback([&session, options] {
    session.action = [&session, options] { return show(session, *options); };
  });

  auto name = std::make_shared<std::string>();
  auto* show_import_command =
      site->add_subcommand("show-import", "Show what one import stated, and when");
  show_import_command
      ->add_option("import", *name, "Its name, as 'site show' and 'kpi explain' have it")
      ->type_name("site-import-N")
      ->required();
  add_csv_option(*show_import_command, session);
  show_import_command->footer(
      "Example:\n  districtctl --data /var/lib/district site show-import site-import-12");
  show_import_command->callback([&session, name] {
    session.action = [&session, name] { return show_import(session, *name); };
  });
}

}  // namespace district::admin
