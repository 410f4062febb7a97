#include "admin/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>

#include "admin/session.h"
#include "base/command_words.h"

namespace district::admin {
namespace {

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::archive_corrupt:
      return exit_difference;
    case ErrorCode::admin_invalid:
    case ErrorCode::config_invalid:
    case ErrorCode::file_unreadable:
    case ErrorCode::token_invalid:
      return exit_invalid;
    case ErrorCode::archive_unavailable:
    case ErrorCode::archive_foreign:
      return exit_database_unavailable;
    case ErrorCode::not_found:
      return exit_not_found;
    case ErrorCode::admin_conflict:
      return exit_conflict;
    default:
      return exit_failed;
  }
}

void add_global_options(CLI::App& app, Session& session) {
  auto* config = app.add_option("--config", session.config_file,
                                "Configuration file of districtd, which names the data folder")
                     ->type_name("FILE");
  app.add_option("--data", session.data_folder,
                 "Data folder; the databases are FOLDER/district.db and FOLDER/district-series.db")
      ->type_name("FOLDER")
      ->excludes(config);
  app.add_flag("--json", session.json, "Results as JSON");
  app.set_version_flag("--version", "districtctl " DISTRICT_VERSION);
  app.set_help_flag("-h,--help", "Print this help");
}

// A group of commands shows the first example of each of them.
void add_group_examples(CLI::App& group) {
  std::string examples;
  for (auto* command : group.get_subcommands({})) {
    add_group_examples(*command);
    const auto footer = command->get_footer();
    const auto begin = footer.find("\n  districtctl ");
    if (begin == std::string::npos) continue;
    auto end = footer.find('\n', begin + 1);
    // A backslash continues the example on the next line.
    while (end != std::string::npos && footer[end - 1] == '\\') end = footer.find('\n', end + 1);
    examples += footer.substr(begin, end - begin);
  }
  if (group.get_footer().empty() && !examples.empty()) group.footer("Examples:" + examples);
}

// The words of the command, as far as it was understood: "districtctl tenant add".
std::string command_of(const CLI::App& app) {
  std::string words = app.get_name();
  const auto subcommands = app.get_subcommands();
  if (!subcommands.empty()) words += " " + command_of(*subcommands.front());
  return words;
}

// A command whose results could not be written, on a full disk for example, has failed.
int exit_code_once_written(Terminal& terminal, int code) {
  if (terminal.out().flush()) return code;
  terminal.error({ErrorCode::internal, "the results could not be written", {}, {}, {}});
  return exit_failed;
}

int run_action(Session& session) {
  const auto result = session.action();
  if (!result) {
    session.terminal.out().flush();
    session.terminal.error(result.error());
    return exit_code_of(result.error().code);
  }
  return exit_code_once_written(session.terminal, *result);
}

int parse_and_run(CLI::App& app, Session& session, std::vector<std::string> arguments) {
  // CLI11 takes the arguments from the back.
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& asked) {  // --help, --version
    app.exit(asked, session.terminal.out(), session.terminal.err());
    return exit_code_once_written(session.terminal, exit_ok);
  } catch (const CLI::ParseError& problem) {
    // When a word is no command, CLI11 would only say that a command is missing.
    const auto unknown = app.remaining(true);
    const std::string what =
        unknown.empty() ? problem.what() : "'" + unknown.front() + "' is not understood";
    const auto near = unknown.empty() ? std::string() : did_you_mean(app, unknown.front());
    session.terminal.error({ErrorCode::admin_invalid,
                            what,
                            near + "'" + command_of(app) + " --help' explains it",
                            {},
                            {}});
    return exit_invalid;
  }
  if (session.json && (session.csv || session.csv_exact)) {
    session.terminal.error(
        {ErrorCode::admin_invalid, "--csv excludes --json", "give one of them", {}, {}});
    return exit_invalid;
  }
  return run_action(session);
}

}  // namespace

int run(const std::vector<std::string>& arguments, const World& world) {
  Terminal terminal(world.out, world.err, world.err_is_terminal);
  Session session(terminal, world);
  // Libraries may throw, at least when memory is exhausted. No exception may leave without a
  // message.
  try {
    CLI::App app("Administers and audits the database of a District server.", "districtctl");
    app.fallthrough();
    app.require_subcommand(1);
    add_global_options(app, session);
    add_tenant_commands(app, session);
    add_apikey_commands(app, session);
    add_enrol_command(app, session);
    add_revoke_command(app, session);
    add_certificate_commands(app, session);
    add_envelope_commands(app, session);
    add_rejection_commands(app, session);
    add_check_command(app, session);
    add_kpi_command(app, session);
    add_site_commands(app, session);
    add_content_commands(app, session);
    add_log_commands(app, session);
    add_status_command(app, session);
    add_audit_commands(app, session);
    app.footer(
        "Exit codes: 0 done, 1 a check found a difference or damage, 2 wrong usage or input,\n"
        "3 database unavailable, 4 not found, 5 already there, 6 still waiting, 7 failed.\n\n"
        "Examples:\n"
        "  districtctl --config /etc/district/district.toml status\n"
        "  districtctl --data /var/lib/district certificate list --tenant 20\n"
        "  districtctl --data /var/lib/district audit replay\n"
        "'districtctl COMMAND --help' has examples for each command.");
    add_group_examples(app);
    return parse_and_run(app, session, arguments);
  } catch (const std::exception& exception) {
    terminal.error({ErrorCode::internal, exception.what(), {}, {}, {}});
    return exit_failed;
  }
}

}  // namespace district::admin
