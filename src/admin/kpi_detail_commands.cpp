// districtctl kpi explain, kpi catalogue, kpi recompute
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <iostream>

#include "admin/session.h"
#include "config/standards_file.h"
#include "quantify/catalogue.h"
#include "quantify/engine.h"
#include "quantify/plausibility.h"
#include "quantify/rebuild.h"
#include "store/series_store.h"
#include "store/trust_store.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "xml/document.h"

namespace district::admin {
namespace {

struct DetailOptions {
  std::string tenant, source, meter, kpi, window = "day", at, from, to;
};

quantify::Engine::ZoneLookup zones_of(const store::TrustRecords& records) {
  return [&records](std::string_view code) -> std::optional<std::string> {
    const auto found = std::find_if(records.tenants.rbegin(), records.tenants.rend(),
                                    [code](const Tenant& tenant) { return tenant.code == code; });
    return found == records.tenants.rend() ? std::nullopt : std::optional(found->zone);
  };
}

Result<KpiValue> find_kpi(store::Database& database, const DetailOptions& options) {
  DISTRICT_TRY(const auto tenant, find_tenant(database, options.tenant));
  DISTRICT_TRY(const auto local, LocalTime::of(tenant.zone));
  DISTRICT_TRY(const auto at, read_local_instant("--at", options.at, local));
  store::KpiFilter filter;
  filter.tenant = options.tenant;
  filter.source = options.source;
  filter.meter = options.meter;
  filter.kpi = options.kpi;
  filter.window = window_kind_of(options.window);
  DISTRICT_TRY(const auto values, store::SeriesStore(database).kpis(filter));
  for (const auto& value : values)
    if (at && value.start <= *at && *at < value.end) return value;
  return fail(ErrorCode::not_found,
              "no " + options.kpi + " of " + options.source + " for the " + options.window +
                  " at " + options.at,
              "'districtctl kpi --tenant " + options.tenant + "' shows what there is");
}

std::string remark_of(const store::Measurement& input) {
  const auto rules = quantify::names_of_rules(input.observation.flags);
  std::string remark = store::name_of(input.state);
  if (!rules.empty()) remark += " (" + rules + ")";
  if (input.observation.flags & flag_estimated) remark += ", estimated";
  return remark;
}

Details details_of(const KpiValue& kpi, const quantify::KpiDefinition& definition) {
  Details details;
  details.add("tenant", "", kpi.meter.tenant);
  details.add("source", "", kpi.meter.source);
  details.add("meter", "", kpi.meter.meter);
  details.add("kpi", "KPI", kpi.kpi);
  details.add("formula", "Formula", std::string(definition.formula));
  details.add("source_of_definition", "Source", std::string(definition.source));
  details.add("window", "", name_of(kpi.window));
  details.add("window_start", "Window", cell_of(kpi.start));
  details.add("window_end", "until", cell_of(kpi.end));
  details.add("value", "Value", cell_of(kpi.value, 6));
  details.add("unit", "Unit", kpi.unit);
  details.add("completeness", "Completeness", cell_of(std::optional(kpi.completeness), 6));
  details.add("completeness_rule", "which is", quantify::text_of(definition.completeness));
  details.add("status", "Status", name_of(kpi.status));
  details.add("revision", "Revision", std::uint64_t{kpi.revision});
  details.add("computed_at", "Computed at", cell_of(kpi.computed_at));
  for (const auto& [name, value] : kpi.attributes) details.add(name, name, value);
  return details;
}

Result<int> explain(Session& session, const DetailOptions& options) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto kpi, find_kpi(*database, options));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  quantify::Engine engine(*database, zones_of(records));
  DISTRICT_TRY(const auto explanation, engine.explain(kpi));
  Listing inputs({{"source", "SOURCE"},
                  {"meter", "METER"},
                  {"quantity", "QUANTITY"},
                  {"start", "START"},
                  {"end", "END"},
                  {"value", "VALUE", true},
                  {"unit", "UNIT"},
                  {"state", "STATE"},
                  {"receipt_id", "RECEIPT"}});
  for (const auto& input : explanation.inputs) {
    const auto& o = input.observation;
    inputs.add({o.source, o.meter, o.quantity, cell_of(o.start), cell_of(o.end),
                cell_of(std::optional(o.value), 3), o.unit, remark_of(input),
                input.origin.receipt_id});
  }
  for (const auto& statement : explanation.statements) {
    inputs.add({kpi.meter.source,
                kpi.meter.meter,
                statement.attribute,
                cell_of(statement.valid_from),
                {Json(nullptr), ""},
                statement.value,
                "",
                "master data",
                statement.origin.receipt_id});
  }
  auto& out = session.terminal.out();
  const auto format = session.format();
  auto details = details_of(kpi, *explanation.definition);
  if (format == Format::json) details.add("inputs", "", {inputs.json(), ""});
  if (format != Format::csv) details.write(out, format);
  if (format == Format::table) out << '\n';
  if (format != Format::json) inputs.write(out, format);
  return exit_ok;
}

std::string windows_of(const quantify::KpiDefinition& kpi) {
  std::string text;
  for (const auto window : kpi.windows)
    text += (text.empty() ? "" : ", ") + std::string(name_of(window));
  return text;
}

std::string escaped(std::string_view text) {  // for a cell of a Markdown table
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c);
  return result;
}

void write_family(std::ostream& out, const quantify::FamilyDefinition& family) {
  out << "\n## " << static_cast<char>(std::toupper(family.name.front())) << family.name.substr(1)
      << "\n\nInputs: ";
  const char* separator = "";
  for (const auto& input : family.inputs) {
    out << separator << '`' << input.quantity << '`';
    if (input.unit != "meter") out << " in " << input.unit;
    separator =
        input.quantity == family.inputs.front().quantity ? "; where there are some, " : ", ";
  }
  out << ". Master data: ";
  separator = "";
  for (const auto fact : family.facts) {
    out << separator << '`' << fact << '`';
    separator = ", ";
  }
  out << ".\n\n| KPI | formula | unit | windows | completeness | source |\n"
         "|---|---|---|---|---|---|\n";
  for (const auto& kpi : quantify::catalogue()) {
    if (kpi.family != family.family) continue;
    out << "| `" << kpi.id << "` | " << escaped(kpi.formula) << " | "
        << (kpi.unit.empty() ? "the meter's" : kpi.unit) << " | " << windows_of(kpi) << " | "
        << text_of(kpi.completeness) << " | " << kpi.source << " |\n";
  }
}

void write_common_rules(std::ostream& out) {
  out << "\n## What holds for all\n\n"
         "- **The value that counts** for a meter, a quantity and a period or instant is the one "
         "that was received last; in one request, the later message. An equal one is a duplicate: "
         "it changes nothing, and its period is as old as before. A period that one received later "
         "overlaps is left out, also where that one is left out itself.\n"
         "- **A period across a boundary** gives each window its share of the energy, cost and "
         "hours. Peaks, percentiles, average prices and data quality have it in the window in "
         "which it starts. Whether it is of the night, its CO2 factor, season and running mean are "
         "those at its start, for all of it. A price or a series' CO2 factor applies to "
         "periods that it covers wholly.\n"
         "- **Master data** of a window (areas, installed power, unit, medium, the step of data "
         "quality) are those at its end. A sample's threshold and hold are those at its instant, a "
         "register's modulus that at the later reading. The zone is that of the latest "
         "`valid_from`.\n"
         "- **Days** of temperatures (T_d) are means weighted by time. A day is valid when values "
         "cover at least half of it.\n"
         "- **Windows** have rows where values lie, or samples may be held, and in gaps from start "
         "to start of at most 31 days (hours), 366 days (days) or ten years (months, years). "
         "Without data their values are null; `availability` is 0 where the step is known.\n"
         "- **Registers**: readings at the start of a window are its own, those at its end are "
         "the next one's. At an exchange the registers of both meters count as one reading; where "
         "they are "
         "not stated, the time between the two meters' readings adds nothing and is not covered.\n"
         "- **Data quality** expects a period every `nominal_step`, or else as long as "
         "the window's periods usually are (their median), or for samples as the settings say. "
         "Periods that are "
         "left out because of an overlap are not counted, those of implausible values are: they "
         "were received.\n";
}

void write_settings(std::ostream& out) {
  out << "\n## Settings\n\n"
         "What the standards leave open is in `standards.toml` of the data folder, a key a line; "
         "without the file all is as below. The server reads it when it starts and refuses one "
         "that it does not understand; `districtd --check-config` says the same beforehand. "
         "`districtctl kpi recompute` applies a change to what is there. What belongs to one "
         "meter is master data: its step, threshold, outdoor sensor, and the unit of what it "
         "sends is in the content schema.\n\n"
         "| key | unit | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const auto& key : config::standards_keys()) {
    out << "| `" << key.name << "` | " << key.unit << " | " << key.standard << " | " << key.range
        << " | " << key.meaning << " |\n";
  }
  out << "\nThe categories of comfort (EN 16798-1) are tables, limits in degrees Celsius; "
         "`adaptive` is added to the adaptive comfort temperature. The defaults:\n\n```toml\n";
  constexpr std::array kNames = {"I", "II", "III", "IV"};
  const Standards standards;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    const auto& category = standards.comfort[i];
    const auto limits = [&out](const char* name, const ComfortLimits& l) {
      out << name << " = [" << l.low << ", " << l.high << "]\n";
    };
    out << (i == 0 ? "" : "\n") << "[comfort." << kNames[i] << "]\n";
    limits("heating", category.heating);
    limits("cooling", category.cooling);
    if (category.adaptive.low != category.adaptive.high) limits("adaptive", category.adaptive);
  }
  out << "```\n";
}

Result<int> write_catalogue(Session& session) {
  auto& out = session.terminal.out();
  out << "# KPIs\n\n"
         "Written by `districtctl kpi catalogue` from the catalogue that the quantifier runs "
         "from; a test keeps it so.\n\n"
         "A value has the window's start and end, completeness, status (`complete`; `partial` from "
         "0.9; `insufficient`; `estimated` for registers), a revision that grows when the value "
         "changes, and the time of its computation. Attributes of a value are further columns: "
         "`missing` names the master data or quantity that it lacks, `estimated_values` how many "
         "of its inputs a gateway estimated, `excluded_overlaps` how many a later received value "
         "overlaps, `implausible` how many a rule below set aside. A window without data inside a "
         "series is a row without a value. Hours are of UTC, the others of the site's calendar.\n";
  write_common_rules(out);
  for (const auto& family : quantify::families()) write_family(out, family);
  out << "\n## Rules of plausibility\n\n"
         "A value that breaks a rule is kept, counted (`districtctl status`), shown by `kpi "
         "explain`, and used for nothing but data quality. It takes no part in supersession: a "
         "correction that cannot be true does not displace what it was to correct.\n\n"
         "| rule | a value that | KPI windows count it |\n|---|---|---|\n";
  for (const auto& rule : quantify::rules()) {
    out << "| `" << rule.name << "` | " << rule.explanation << " | "
        << (rule.has_window ? "yes" : "no, it has none") << " |\n";
  }
  write_settings(out);
  return exit_ok;
}

Result<int> recompute(Session& session, const DetailOptions& options) {
  quantify::RebuildSelection selection;
  if (!options.tenant.empty()) selection.tenant = options.tenant;
  DISTRICT_TRY(selection.from, read_instant("--from", options.from));
  DISTRICT_TRY(selection.to, read_instant("--to", options.to));
  DISTRICT_CHECK(check_order(selection.from, selection.to));
  DISTRICT_TRY(const auto settings, session.settings());
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::existing));
  if (selection.tenant) DISTRICT_CHECK(find_tenant(*database, *selection.tenant));
  DISTRICT_TRY(const auto trust,
               trust::Trust::open(settings.database().string(), store::OpenMode::read_only));
  DISTRICT_TRY(const auto validator, session.validator());
  DISTRICT_TRY(const auto standards,
               config::load_standards(settings.data.folder / "standards.toml"));
  Progress progress(session.terminal, "reading envelopes");
  DISTRICT_TRY(const auto report,
               quantify::rebuild(
                   *database, *validator, *trust, selection, standards, session.now(),
                   [&](std::uint64_t done, std::uint64_t total) { progress.update(done, total); }));
  auto& out = session.terminal.out();
  if (session.json) {
    Details details;
    details.add("envelopes", "", report.envelopes);
    details.add("restored", "", report.restored);
    details.add("removed", "", report.removed);
    details.add("meters", "", report.meters);
    details.add("changed", "", report.changed);
    details.write(out, Format::json);
    return exit_ok;
  }
  out << counted(report.envelopes, "envelope") << " read again, "
      << counted(report.restored, "value") << " restored, " << grouped(report.removed)
      << " removed, KPIs of " << counted(report.meters, "meter") << " computed, "
      << counted(report.changed, "value") << " changed\n";
  return exit_ok;
}

}  // namespace

void add_kpi_detail_commands(CLI::App& kpi, Session& session) {
  auto options = std::make_shared<DetailOptions>();
  auto* explain_command = kpi.add_subcommand(
      "explain", "Show what a value was computed from: inputs, master data, receipts");
  const auto add = [&](const char* name, std::string& value, const char* type, const char* means) {
    return explain_command->add_option(name, value, means)->type_name(type);
  };
  add("--tenant", options->tenant, "CODE", "Its tenantCode")->required();
  add("--source", options->source, "NAME", "Its messageSourceElement")->required();
  add("--meter", options->meter, "ID", "Its meter of the source");
  add("--kpi", options->kpi, "KPI", "E.g. energy_kwh")->required();
  add_window_option(*explain_command, options->window, "Kind of the window; default: day");
  explain_command
      ->add_option("--at", options->at, "A day of the tenant's zone, or an instant, in the window")
      ->type_name("DATE")
      ->required();
  add_csv_option(*explain_command, session);
  explain_command->footer(
      "Example:\n  districtctl --data /var/lib/district kpi explain --tenant 20 --source "
      "BCN-SCHOOL \\\n      --kpi cost_eur --window day --at 2018-03-01");
  explain_command->callback([&session, options] {
    session.action = [&session, options] { return explain(session, *options); };
  });

  auto* catalogue_command =
      kpi.add_subcommand("catalogue", "Print every KPI's definition, as docs/reference/kpis.md");
  catalogue_command->footer("Example:\n  districtctl kpi catalogue > docs/reference/kpis.md");
  catalogue_command->callback(
      [&session] { session.action = [&session] { return write_catalogue(session); }; });

  auto* recompute_command = kpi.add_subcommand(
      "recompute", "Compute the windows of a time again, from the raw envelopes");
  recompute_command->add_option("--tenant", options->tenant, "Only this tenant")->type_name("CODE");
  recompute_command->add_option("--from", options->from, "Windows that end after")
      ->type_name("DATE")
      ->required();
  recompute_command->add_option("--to", options->to, "Windows that begin before")
      ->type_name("DATE")
      ->required();
  recompute_command->footer(
      "Values that differ from the raw envelopes, or are gone, are restored; values and KPIs that "
      "come from no envelope are removed. Where nothing is damaged, no value changes.\n\n"
      "Example:\n  districtctl --data /var/lib/district kpi recompute --from 2018-03-01 --to "
      "2018-04-01");
  recompute_command->callback([&session, options] {
    session.action = [&session, options] { return recompute(session, *options); };
  });
}

}  // namespace district::admin
