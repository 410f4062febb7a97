// districtctl status
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "admin/session.h"
#include "store/inventory.h"
#include "store/log_reader.h"
#include "store/series_reader.h"

namespace district::admin {
namespace {

using namespace std::chrono_literals;

struct StatusOptions {
  bool wait = false;
  std::string seconds;
};

constexpr auto kDefaultWait = 60s;
constexpr auto kMaxWait = 24h;
constexpr auto kPollInterval = 200ms;

Result<std::chrono::seconds> wait_of(const StatusOptions& options) {
  if (!options.wait) return 0s;
  if (options.seconds.empty()) return std::chrono::seconds(kDefaultWait);
  std::uint32_t seconds = 0;
  const bool is_number = CLI::detail::lexical_cast(options.seconds, seconds);
  if (!is_number || std::chrono::seconds(seconds) > kMaxWait) {
    return fail(ErrorCode::admin_invalid,
                "--wait: '" + options.seconds + "' is not a number of seconds up to a day",
                "--wait 300 waits for five minutes at most, --wait for one");
  }
  return std::chrono::seconds(seconds);
}

// Waits until no work is left, or the time is over.
Result<store::Inventory> wait_for_work(Session& session, store::ArchiveDatabase& database,
                                       store::SeriesDatabase* series, std::chrono::seconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  Progress progress(session.terminal, "work items waiting");
  while (true) {
    DISTRICT_TRY(const auto inventory, series == nullptr
                                           ? store::take_inventory(database)
                                           : store::take_inventory(database, *series));
    if (inventory.work_waiting == 0 || std::chrono::steady_clock::now() >= until) return inventory;
    progress.update(inventory.work_waiting, 0);
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<int> status(Session& session, const StatusOptions& options) {
  DISTRICT_TRY(const auto wait, wait_of(options));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const bool has_series, session.has_series());
  std::unique_ptr<store::SeriesDatabase> series;
  if (has_series) {
    DISTRICT_TRY(series, session.open_series(store::OpenMode::read_only));
  } else {
    DISTRICT_TRY(const auto location, session.location());
    session.terminal.note("there is no " + location.series() +
                          ": nothing is said of measurements and KPI values");
  }
  DISTRICT_TRY(const auto inventory, wait_for_work(session, *database, series.get(), wait));
  DISTRICT_TRY(const auto log_head, store::LogReader(*database).head());
  Details details;
  details.add("envelopes", "Envelopes", inventory.envelopes);
  details.add("work_waiting", "Work items waiting", inventory.work_waiting);
  details.add("work_failed", "Work items failed", inventory.work_failed);
  details.add("tree_size", "Tree size", log_head.tree_size);
  details.add("root_hash", "Root hash", to_base64(log_head.root_hash));
  store::SeriesCounts counts;
  if (series) {
    DISTRICT_TRY(counts, store::SeriesReader(*series).counts());
  }
  for (const auto state : kMeasurementStates) {
    const std::string name = name_of(state);
    const auto count = counts.measurements.find(state);
    details.add("values_" + name, "Values " + name,
                count == counts.measurements.end() ? std::uint64_t{0} : count->second);
  }
  for (const auto& [rule, number] : counts.rules)
    details.add("rule_" + rule, "Rule " + rule, number);
  details.write(session.terminal.out(), session.format());
  return options.wait && inventory.work_waiting > 0 ? exit_waiting : exit_ok;
}

}  // namespace

void add_status_command(CLI::App& app, Session& session) {
  auto options = std::make_shared<StatusOptions>();
  auto* command =
      app.add_subcommand("status", "Show what is stored, and what the quantifier has still to do");
  auto* wait =
      command
          ->add_option("--wait", options->seconds,
                       "Wait until no work is left, at most so long; default: 60. Exit code "
                       "6 when time runs out")
          ->type_name("[SECONDS]")
          ->expected(0, 1);
  command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district status\n"
      "  districtctl --data /var/lib/district status --wait 300 && echo 'KPIs are up to date'");
  command->callback([&session, options, wait] {
    options->wait = wait->count() > 0;
    session.action = [&session, options] { return status(session, *options); };
  });
}

}  // namespace district::admin
