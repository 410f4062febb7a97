// The administrator's and auditor's command line. This file only wires; the commands are in admin/.
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "admin/cli.h"
#include "base/time.h"
#include "soap/operation_reader.h"

int main(int argc, char** argv) {
  const district::SystemClock clock;
  const district::soap::OperationReader operations;
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return district::admin::run(
      arguments, {std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1, clock, operations});
}
