// districtctl kpi recompute
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "config/standards_file.h"
#include "quantify/rebuild.h"
#include "trust/trust.h"

namespace district::admin {
namespace {

struct RecomputeOptions {
  std::string tenant, from, to;
};

Result<int> recompute(Session& session, const RecomputeOptions& options) {
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

void add_kpi_recompute_command(CLI::App& kpi, Session& session) {
  auto options = std::make_shared<RecomputeOptions>();
  auto* command = kpi.add_subcommand("recompute",
                                     "Compute the windows of a time again, from the raw envelopes");
  command->add_option("--tenant", options->tenant, "Only this tenant")->type_name("CODE");
  command->add_option("--from", options->from, "Windows that end after")
      ->type_name("DATE")
      ->required();
  command->add_option("--to", options->to, "Windows that begin before")
      ->type_name("DATE")
      ->required();
  command->footer(
      "Values that differ from the raw envelopes, or are gone, are restored; values and KPIs that "
      "come from no envelope are removed. Where nothing is damaged, no value changes.\n\n"
      "Example:\n  districtctl --data /var/lib/district kpi recompute --from 2018-03-01 --to "
      "2018-04-01");
  command->callback([&session, options] {
    session.action = [&session, options] { return recompute(session, *options); };
  });
}

}  // namespace district::admin
