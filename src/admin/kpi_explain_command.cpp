// districtctl kpi explain
#include <CLI/CLI.hpp>

#include <algorithm>

#include "admin/session.h"
#include "config/standards_file.h"
#include "kpi/catalogue.h"
#include "quantify/engine.h"
#include "series/plausibility.h"
#include "store/series_reader.h"
#include "store/trust_store.h"

namespace district::admin {
namespace {

struct ExplainOptions {
  std::string tenant, source, meter, kpi, window = "day", at;
};

quantify::Engine::ZoneLookup zones_of(const store::TrustRecords& records) {
  return [&records](std::string_view code) -> std::optional<std::string> {
    const auto found = std::find_if(records.tenants.rbegin(), records.tenants.rend(),
                                    [code](const Tenant& tenant) { return tenant.code == code; });
    return found == records.tenants.rend() ? std::nullopt : std::optional(found->zone);
  };
}

Result<KpiValue> find_kpi(store::ArchiveDatabase& database, store::SeriesDatabase& series,
                          const ExplainOptions& options) {
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

Result<int> explain(Session& session, const ExplainOptions& options) {
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
  for (const auto& fact : explanation.facts) {
    inputs.add({kpi.meter.source,
                kpi.meter.meter,
                fact.attribute,
                cell_of(fact.valid_from),
                {Json(nullptr), ""},
                fact.value,
                "",
                "master data",
                fact.origin.receipt_id});
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

}  // namespace

void add_kpi_explain_command(CLI::App& kpi, Session& session) {
  auto options = std::make_shared<ExplainOptions>();
  auto* command = kpi.add_subcommand(
      "explain", "Show what a value was computed from: inputs, master data, receipts");
  const auto add = [&](const char* name, std::string& value, const char* type, const char* means) {
    return command->add_option(name, value, means)->type_name(type);
  };
  add("--tenant", options->tenant, "CODE", "Its tenantCode")->required();
  add("--source", options->source, "NAME", "Its messageSourceElement")->required();
  add("--meter", options->meter, "ID", "Its meter of the source");
  add("--kpi", options->kpi, "KPI", "E.g. energy_kwh")->required();
  add_window_option(*command, options->window, "Kind of the window; default: day");
  command
      ->add_option("--at", options->at, "A day of the tenant's zone, or an instant, in the window")
      ->type_name("DATE")
      ->required();
  add_csv_option(*command, session);
  command->footer(
      "Example:\n  districtctl --data /var/lib/district kpi explain --tenant 20 --source "
      "BCN-SCHOOL \\\n      --kpi cost_eur --window day --at 2018-03-01");
  command->callback([&session, options] {
    session.action = [&session, options] { return explain(session, *options); };
  });
}

}  // namespace district::admin
