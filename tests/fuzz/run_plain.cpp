// A target as a plain program, without libFuzzer: runs the inputs given, then random changes of
// them.
// usage: fuzz_NAME [--seconds N] [--seed N] FILE|FOLDER...
// The changes are others at each run, unless a seed is given.
// Exit: 0 all agreed, 1 a failure, whose input is written to failed-input, 2 usage.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "fuzz_target.h"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return text.str();
}

std::vector<std::string> read_all(const fs::path& place) {
  if (!fs::is_directory(place)) return {read(place)};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(place)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const auto& file : files) texts.push_back(read(file));
  return texts;
}

bool run(const std::string& input) {
  try {
    district::fuzz::fuzz(input);
    return true;
  } catch (const district::fuzz::Failure& failure) {
    std::ofstream("failed-input", std::ios::binary) << input;
    std::fprintf(stderr, "%s\nthe input is in failed-input\n", failure.what());
    return false;
  }
}

int run_all(const std::vector<std::string>& inputs, unsigned long seconds, unsigned long seed) {
  using Clock = std::chrono::steady_clock;
  for (const auto& input : inputs) {
    if (!run(input)) return 1;
  }
  std::printf("seed %lu\n", seed);
  std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
  unsigned long runs = 0;
  for (const auto end = Clock::now() + std::chrono::seconds(seconds); Clock::now() < end; ++runs) {
    const auto& input = inputs[random() % inputs.size()];
    const auto& other = inputs[random() % inputs.size()];
    if (!run(district::fuzz::mutated(input, other, random))) return 1;
  }
  std::printf("%zu inputs and %lu changed ones agreed\n", inputs.size(), runs);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  unsigned long seconds = 0;
  unsigned long seed = std::random_device()();
  std::vector<std::string> inputs;
  try {
    for (int i = 1; i < count; ++i) {
      const std::string argument = arguments[i];
      if ((argument == "--seconds" || argument == "--seed") && i + 1 < count) {
        (argument == "--seconds" ? seconds : seed) = std::strtoul(arguments[++i], nullptr, 10);
        continue;
      }
      for (auto& text : read_all(argument)) inputs.push_back(std::move(text));
    }
    if (inputs.empty()) {
      std::fputs("usage: fuzz_NAME [--seconds N] [--seed N] FILE|FOLDER...\n", stderr);
      return 2;
    }
    return run_all(inputs, seconds, seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
