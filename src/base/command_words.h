// What was meant by a word of the command line that is no command and no option.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/near_name.h"

namespace district {

// "did you mean 'tenant'? ", or nothing. `app` is the program, a CLI::App: what it knows is its own
// options, and the commands and options of the subcommand that was understood before the word.
template <typename App>
std::string did_you_mean(const App& app, std::string_view word) {
  std::vector<std::string> known;
  const App* at = &app;
  while (true) {
    for (const auto* option : at->get_options()) {
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
    }
    const auto understood = at->get_subcommands();
    if (understood.empty()) break;
    at = understood.front();
  }
  for (const auto* command : at->get_subcommands([](const App*) { return true; })) {
    known.push_back(command->get_name());
  }
  return meant_hint(word.substr(0, word.find('=')), known);
}

}  // namespace district
