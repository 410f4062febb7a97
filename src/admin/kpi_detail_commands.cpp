// districtctl kpi explain, kpi recompute
#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

#include "admin/session.h"
#include "config/standards_file.h"
#include "kpi/catalogue.h"
#include "quantify/engine.h"
#include "quantify/rebuild.h"
#include "series/plausibility.h"
#include "store/series_reader.h"
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

Result<KpiValue> find_kpi(store::ArchiveDatabase& database, store::SeriesDatabase& series,
                          const DetailOptions& options) {
  DISTRICT_TRY(const auto tenant, find_tenant(database, options.tenant));
  DISTRICT_TRY(const auto local, LocalTime::of(tenant.zone));
  DISTRICT_TRY(const auto at, read_local_instant("--at", options.at, local));
  store::KpiFilter filter;
  filter.tenant = options.tenant;
  filter.source = options.source;
  filter.meter = options.meter;
  filter.kpi = options.kpi;
  filter.window = window_kind_of(options.window);
  DISTRICT_TRY(const auto values, store::SeriesReader(series).kpis(filter));
  for (const auto& value : values)
    if (at && value.start <= *at && *at < value.end) return value;
  DISTRICT_CHECK(check_kpi_name(options.kpi));
  DISTRICT_CHECK(
      check_meter_names(series, options.tenant, options.source,
                        options.meter.empty() ? std::nullopt : std::optional(options.meter)));
  return fail(ErrorCode::not_found,
              "no " + options.kpi + " of " + options.source + " for the " + options.window +
                  " at " + options.at,
              "'districtctl kpi --tenant " + options.tenant + "' shows what there is");
}

std::string remark_of(const Measurement& input) {
  const auto rules = series::names_of_rules(input.observation.flags);
  std::string remark = name_of(input.state);
  if (!rules.empty()) remark += " (" + rules + ")";
  if (input.observation.flags & flag_estimated) remark += ", estimated";
  return remark;
}

Details details_of(const KpiValue& kpi, const kpi::KpiDefinition& definition) {
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
  details.add("completeness", "Completeness", share_cell(kpi.completeness));
  details.add("completeness_rule", "which is", kpi::text_of(definition.completeness));
  details.add("status", "Status", name_of(kpi.status));
  details.add("revision", "Revision", std::uint64_t{kpi.revision});
  details.add("computed_at", "Computed at", cell_of(kpi.computed_at));
  for (const auto& [name, value] : kpi.attributes) details.add(name, name, value);
  return details;
}

Result<int> explain(Session& session, const DetailOptions& options) {
  DISTRICT_TRY(const auto settings, session.settings());
  DISTRICT_TRY(const auto standards,
               config::load_standards(settings.data.folder / "standards.toml"));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::read_only));
  DISTRICT_TRY(const auto kpi, find_kpi(*database, *series, options));
  DISTRICT_TRY(const auto records, store::TrustStore(*database).load());
  quantify::Engine engine(*series, zones_of(records), {}, standards);
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
  if (!is_csv(format)) details.write(out, format);
  if (format == Format::table) out << '\n';
  if (format != Format::json) inputs.write(out, format);
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
  DISTRICT_TRY(const auto series, session.open_series(store::OpenMode::existing));
  if (selection.tenant) DISTRICT_CHECK(find_tenant(*database, *selection.tenant));
  DISTRICT_TRY(const auto trust, trust::Trust::open(store::Location::of(settings.database()),
                                                    store::OpenMode::read_only));
  DISTRICT_TRY(const auto validator, session.validator());
  DISTRICT_TRY(const auto standards,
               config::load_standards(settings.data.folder / "standards.toml"));
  Progress progress(session.terminal, "reading envelopes");
  DISTRICT_TRY(const auto report,
               quantify::rebuild(
                   *database, *series, *validator, *trust, selection, standards, session.now(),
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
