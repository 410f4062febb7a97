// The load driver: signs envelopes ahead and drives a server with them. tools/bench starts a server
// for it and knows which runs belong together.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>

#include "fill.h"
#include "primitives.h"
#include "scenarios.h"
#include "simulation.h"
#include "xml/document.h"

namespace {

using namespace district;
using bench::Json;

constexpr const char* kFooter = R"(Prints one JSON object. tools/bench is what people run.
Exit: 0 measured, 1 failed, 2 wrong usage.)";

struct Options {
  std::string url, ca_file, gateways_folder, sync_file;
  std::string samples_folder = DISTRICT_SOURCE_DIR "/tests/data/pilots";
  int process = 0;
  std::size_t messages = 1;
  bench::ClosedPlan closed;
  bench::OpenPlan open;
  bench::HerdPlan herd;
  bench::IdlePlan idle;
  bench::LargePlan large;
  bench::SimulationPlan simulation;
  bench::FillPlan fill;
  bench::GatewayPlan make;
  bool p256 = false;
  std::string folder;
  double seconds_each = 0.3;
};

// A connection is a file; the herd needs thousands.
void allow_many_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

using Scenario = std::function<Result<Json>(const bench::Setting&)>;

Result<Json> with_setting(const Options& options, const Scenario& scenario) {
  DISTRICT_TRY(const auto target, bench::Target::create(options.url, options.ca_file));
  DISTRICT_TRY(const auto gateways, bench::read_gateways(options.gateways_folder));
  DISTRICT_TRY(const auto samples, bench::Samples::read(options.samples_folder));
  const bench::Server server(options.process, options.sync_file);
  return scenario({target, server, gateways, samples, options.ca_file, options.messages});
}

// The commands and the one that was chosen.
class Commands {
 public:
  explicit Commands(CLI::App& app) : app_(app) {
    add_closed();
    add_open();
    add_herd();
    add_idle();
    add_large();
    add_simulate();
    add_fill();
    add_make_gateways();
    add_primitives();
  }

  Result<Json> run() const { return chosen_(); }

 private:
  // A command that needs a server, or at least to know where it will be.
  CLI::App& scenario(const char* name, const char* text, const Scenario& run) {
    CLI::App& command = *app_.add_subcommand(name, text);
    command.add_option("--url", options_.url, "https://HOST:PORT of the server")->required();
    command.add_option("--ca", options_.ca_file, "PEM authority of its certificate")->required();
    command.add_option("--gateways", options_.gateways_folder, "Folder of make-gateways")
        ->required();
    command.add_option("--samples", options_.samples_folder, "Folder of the pilots' sample data");
    command.add_option("--pid", options_.process, "Process of the server, to measure what it uses");
    command.add_option("--sync-count", options_.sync_file, "Counter file of the preloaded library");
    command.add_option("--messages", options_.messages, "Messages in an envelope")
        ->check(CLI::Range(1, 10'000'000));
    choose(command, [this, run] { return with_setting(options_, run); });
    return command;
  }
  void choose(CLI::App& command, std::function<Result<Json>()> run) {
    command.callback([this, run = std::move(run)] { chosen_ = run; });
  }

  void add_closed() {
    auto& plan = options_.closed;
    auto& command = scenario("closed", "Closed loop over connections kept open",
                             [&](const auto& setting) { return run_closed(setting, plan); });
    command.add_option("--connections", plan.connections)->check(CLI::Range(1, 60'000));
    command.add_option("--count", plan.count, "Envelopes")->check(CLI::Range(1, 100'000'000));
    command.add_flag("--one-per-connection", plan.one_per_connection,
                     "A new TLS connection for each envelope");
  }

  void add_open() {
    auto& plan = options_.open;
    auto& command = scenario("open", "Open loop at a fixed rate",
                             [&](const auto& setting) { return run_open(setting, plan); });
    command.add_option("--connections", plan.connections)->check(CLI::Range(1, 60'000));
    command.add_option("--rate", plan.rate, "Envelopes/s")->check(CLI::Range(0.1, 1e6));
    command.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 240.0));
    command.add_option("--count", plan.count, "Envelopes to sign; those refused are sent again");
    command.add_option("--heavy-share", plan.heavy_share, "Share of the first tenant")
        ->check(CLI::Range(0.0, 1.0));
  }

  void add_herd() {
    auto& plan = options_.herd;
    auto& command = scenario("herd", "Every gateway connects once",
                             [&](const auto& setting) { return run_herd(setting, plan); });
    command.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 200.0));
  }

  void add_idle() {
    auto& plan = options_.idle;
    auto& command = scenario("idle", "Closed loop beside idle connections",
                             [&](const auto& setting) { return run_idle(setting, plan); });
    command.add_option("--idle", plan.idle)->check(CLI::Range(1, 60'000));
    command.add_option("--connections", plan.connections)->check(CLI::Range(1, 60'000));
    command.add_option("--count", plan.count)->check(CLI::Range(1, 100'000'000));
  }

  void add_large() {
    auto& plan = options_.large;
    auto& command = scenario("large", "Large envelopes, one after the other",
                             [&](const auto& setting) { return run_large(setting, plan); });
    command.add_option("--octets", plan.octets)
        ->check(CLI::Range(std::size_t{1000}, std::size_t{2'000'000'000}));
    command.add_option("--count", plan.count)->check(CLI::Range(1, 1000));
  }

  void add_simulate() {
    auto& plan = options_.simulation;
    auto& command = scenario("simulate", "Pilots with faults and wrong clocks",
                             [&](const auto& setting) { return run_simulation(setting, plan); });
    command.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 1e7));
    command.add_option("--speed", plan.speed, "Simulated seconds in a second")
        ->check(CLI::Range(1.0, 1e6));
    command.add_option("--faults", plan.fault_share, "Share of envelopes")
        ->check(CLI::Range(0.0, 1.0));
    command.add_option("--wrong-clocks", plan.clock_share, "Share of gateways")
        ->check(CLI::Range(0.0, 1.0));
    command.add_option("--receipts", plan.receipts_file, "Written: tenant,receipt_id")->required();
  }

  void add_fill() {
    auto& plan = options_.fill;
    auto& command = scenario(
        "fill", "Fill the archive of a server that has ended", [&](const bench::Setting& setting) {
          plan.messages = setting.messages;
          return fill_archive(setting.gateways, setting.samples, setting.target, plan);
        });
    command.add_option("--database", plan.database)->required();
    command.add_option("--envelopes", plan.envelopes)
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  }

  void add_make_gateways() {
    auto& plan = options_.make;
    auto& command =
        *app_.add_subcommand("make-gateways", "Keys, certificates, list for districtctl enrol");
    command.add_option("folder", options_.folder)->required();
    command.add_option("--tenant", plan.tenants, "CODE:PILOT; may be repeated")->required();
    command.add_option("--count", plan.count)->check(CLI::Range(1, 60'000));
    command.add_flag("--p256", options_.p256, "P-256 instead of RSA-2048");
    command.add_option("--ca", plan.ca_certificate_file)->required();
    command.add_option("--ca-key", plan.ca_key_file)->required();
    choose(command, [this, &plan]() -> Result<Json> {
      plan.family = options_.p256 ? KeyFamily::ecdsa : KeyFamily::rsa;
      DISTRICT_CHECK(bench::make_gateways(options_.folder, plan));
      return Json{{"gateways", plan.count}};
    });
  }

  void add_primitives() {
    auto& command = *app_.add_subcommand("primitives", "Cost of the unavoidable parts, each alone");
    command.add_option("folder", options_.folder, "Where the disk is measured")->required();
    command.add_option("--seconds", options_.seconds_each, "For each")
        ->check(CLI::Range(0.01, 60.0));
    choose(command,
           [this] { return bench::measure_primitives(options_.folder, options_.seconds_each); });
  }

  CLI::App& app_;
  Options options_;
  std::function<Result<Json>()> chosen_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Drives a District server with signed envelopes and measures it.", "district-bench"};
  app.footer(kFooter);
  app.require_subcommand(1);
  const Commands commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "district-bench: error: %s\ndistrict-bench: hint: district-bench --help\n",
                 error.what());
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);  // a connection that the server has closed is counted as such
  allow_many_files();
  xml::initialize();
  const auto result = commands.run();
  if (!result) {
    std::fprintf(stderr, "district-bench: error: %s\n", result.error().detail.c_str());
    return 1;
  }
  std::printf("%s\n", result->dump(1).c_str());
  return 0;
}
