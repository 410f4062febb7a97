// districtctl audit replay, audit verify
#include <CLI/CLI.hpp>

#include "admin/session.h"
#include "audit/replay.h"
#include "audit/tree_verifier.h"
#include "config/standards_file.h"
#include "trust/trust.h"
#include "validate/validator.h"
#include "xml/document.h"

namespace district::admin {
namespace {

struct AuditOptions {
  std::string receipt_id, from, to;
  bool only_signatures = false;
};

// A line for people names this many envelopes; JSON has all.
constexpr std::size_t kNamesShown = 3;

Result<audit::Selection> selection_of(const AuditOptions& options) {
  audit::Selection selection;
  if (!options.receipt_id.empty()) selection.receipt_id = options.receipt_id;
  DISTRICT_TRY(selection.from, read_instant("--from", options.from));
  DISTRICT_TRY(selection.to, read_instant("--to", options.to));
  DISTRICT_CHECK(check_order(selection.from, selection.to));
  return selection;
}

// One progress line for each phase.
class Phases {
 public:
  explicit Phases(Terminal& terminal) : terminal_(terminal) {}

  void update(std::string_view phase, std::uint64_t done, std::uint64_t total) {
    if (!progress_ || phase != phase_) {
      progress_.reset();
      progress_.emplace(terminal_, std::string(phase));
      phase_ = phase;
    }
    progress_->update(done, total);
  }

 private:
  Terminal& terminal_;
  std::string phase_;
  std::optional<Progress> progress_;
};

Result<audit::ReplayReport> examine(Session& session, const AuditOptions& options) {
  DISTRICT_TRY(const auto selection, selection_of(options));
  DISTRICT_TRY(const auto settings, session.settings());
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  std::unique_ptr<store::SeriesDatabase> series;
  DISTRICT_TRY(const bool has_series, session.has_series());
  if (has_series && !options.only_signatures) {
    DISTRICT_TRY(series, session.open_series(store::OpenMode::read_only));
  } else if (!has_series && !options.only_signatures) {
    DISTRICT_TRY(const auto location, session.location());
    session.terminal.note("there is no " + location.series() +
                          ": the envelopes are verified and validated, but there are no "
                          "measurements and KPI values to compare with");
  }
  DISTRICT_TRY(const auto trust, trust::Trust::open(store::Location::of(settings.database()),
                                                    store::OpenMode::read_only));
  DISTRICT_TRY(const auto validator, session.validator());
  const verify::Window window{settings.window.created_age_seconds,
                              settings.window.created_ahead_seconds};
  Phases phases(session.terminal);
  audit::Replay replay(*database, series.get(), *trust->snapshot(), window, *validator,
                       [&phases](std::string_view phase, std::uint64_t done, std::uint64_t total) {
                         phases.update(phase, done, total);
                       });
  DISTRICT_TRY(auto standards, config::load_standards(settings.data.folder / "standards.toml"));
  replay.set_standards(std::move(standards));
  return options.only_signatures ? replay.verify(selection) : replay.run(selection);
}

std::string names_of(const std::vector<std::string>& receipt_ids) {
  if (receipt_ids.empty()) return "no envelope";
  std::string names = receipt_ids.size() == 1 ? "envelope " : "envelopes ";
  for (std::size_t i = 0; i < std::min(receipt_ids.size(), kNamesShown); ++i) {
    names += (i > 0 ? ", " : "") + printable(receipt_ids[i]);
  }
  if (receipt_ids.size() > kNamesShown) {
    names += " and " + std::to_string(receipt_ids.size() - kNamesShown) + " more";
  }
  return names;
}

void write_text(std::ostream& out, const audit::ReplayReport& report, bool only_signatures) {
  for (const auto& difference : report.differences) {
    out << names_of(difference.receipt_ids) << ": " << name_of(difference.kind);
    if (!difference.where.empty()) out << ", " << printable(difference.where);
    out << "\n  recorded  "
        << (difference.recorded.empty() ? "nothing" : printable(difference.recorded))
        << "\n  replayed  "
        << (difference.replayed.empty() ? "nothing" : printable(difference.replayed)) << '\n';
  }
  out << counted(report.envelopes, "envelope");
  if (!only_signatures) {
    out << ", " << counted(report.measurements, "measurement") << ", "
        << counted(report.master_facts, "statement of master data", "statements of master data")
        << ", " << counted(report.kpis, "KPI value");
  }
  if (report.differences.empty()) {
    out << ": no difference\n";
  } else {
    out << ": " << counted(report.differences.size(), "difference") << '\n';
  }
}

void write_json(std::ostream& out, const audit::ReplayReport& report) {
  auto differences = Json::array();
  for (const auto& difference : report.differences) {
    differences.push_back({{"receiptIds", difference.receipt_ids},
                           {"kind", name_of(difference.kind)},
                           {"where", difference.where},
                           {"recorded", difference.recorded},
                           {"replayed", difference.replayed}});
  }
  Details details;
  details.add("envelopes", "", report.envelopes);
  details.add("not_quantified", "", report.not_quantified);
  details.add("measurements", "", report.measurements);
  details.add("master_facts", "", report.master_facts);
  details.add("kpis", "", report.kpis);
  details.add("differences", "", {std::move(differences), ""});
  details.write(out, Format::json);
}

Result<int> audit(Session& session, const AuditOptions& options) {
  DISTRICT_TRY(const auto report, examine(session, options));
  if (session.json) {
    write_json(session.terminal.out(), report);
  } else {
    write_text(session.terminal.out(), report, options.only_signatures);
  }
  if (report.envelopes == 0) session.terminal.note("no envelope fits, so nothing was checked");
  if (report.not_quantified > 0) {
    session.terminal.note("only the signature was checked of " +
                          counted(report.not_quantified, "envelope") +
                          " that the quantifier has still to do; 'districtctl status --wait' waits "
                          "for it");
  }
  return report.differences.empty() ? exit_ok : exit_difference;
}

CLI::App* add_command(CLI::App& parent, Session& session, const char* name, const char* description,
                      bool only_signatures) {
  auto options = std::make_shared<AuditOptions>();
  options->only_signatures = only_signatures;
  auto* command = parent.add_subcommand(name, description);
  auto* receipt = command->add_option("receipt-id", options->receipt_id, "Only this envelope")
                      ->type_name("RECEIPT_ID");
  command->add_option("--from", options->from, "Only those received at or after")
      ->type_name("DATE")
      ->excludes(receipt);
  command->add_option("--to", options->to, "Only those received before")
      ->type_name("DATE")
      ->excludes(receipt);
  command->callback([&session, options] {
    session.action = [&session, options] { return audit(session, *options); };
  });
  return command;
}

}  // namespace

void add_audit_commands(CLI::App& app, Session& session) {
  auto* audit_command = app.add_subcommand("audit", "Check again what was accepted and computed");
  audit_command->require_subcommand(1);
  add_command(*audit_command, session, "replay",
              "Verify, validate and quantify stored envelopes again, as of their time of receipt, "
              "and compare verdict, measurements and KPIs with what was recorded",
              false)
      ->footer(
          "With a selection, the KPIs that it is part of are computed from it and from what is "
          "recorded\nof the other envelopes. Reads only. Exit code 1 when anything differs.\n\n"
          "Examples:\n"
          "  districtctl --data /var/lib/district audit replay\n"
          "  districtctl --data /var/lib/district audit replay 01JD3Z0A9V4T8M6Q2H5W7X1C0B\n"
          "  districtctl --data /var/lib/district audit replay --from 2026-11-01 --to 2026-12-01 "
          "--json");
  add_command(*audit_command, session, "verify",
              "Check digest, leaf of the log and signature of stored envelopes", true)
      ->footer(
          "Reads only. Exit code 1 when anything is not as recorded.\n\n"
          "Examples:\n"
          "  districtctl --data /var/lib/district audit verify\n"
          "  districtctl --data /var/lib/district audit verify 01JD3Z0A9V4T8M6Q2H5W7X1C0B");
}

}  // namespace district::admin
