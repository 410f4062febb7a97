// districtctl: the administrator's and auditor's command line on one database.
// docs/reference/districtctl.md describes the commands, options and exit codes.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "base/time.h"
#include "validate/validator.h"

namespace district::admin {

// Append only: scripts rely on the numbers.
enum ExitCode {
  exit_ok = 0,
  exit_difference = 1,            // a check found a difference or damage
  exit_invalid = 2,               // wrong usage, or bad input
  exit_database_unavailable = 3,  // absent, locked, full, not ours, or newer than this program
  exit_not_found = 4,             // no such envelope, certificate or tenant
  exit_conflict = 5,              // already there, with other settings
  exit_waiting = 6,               // status --wait: time ran out before the work was done
  exit_failed = 7,                // anything else
};

// What the commands need of their surroundings. Tests pass their own.
struct World {
  std::ostream& out;
  std::ostream& err;
  bool err_is_terminal;  // progress may overwrite its line
  const Clock& clock;
  const validate::OperationReader& operations;  // for replays
};

// Runs one command. `arguments` do not include the program's name. Gives the exit code.
int run(const std::vector<std::string>& arguments, const World& world);

}  // namespace district::admin
