// The load driver: signs envelopes ahead and drives a server with them. tools/bench starts a server
// for it and knows which runs belong together.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
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

void add_server_options(CLI::App& command, Options& options) {
  command.add_option("--url", options.url, "https://HOST:PORT of the server")->required();
  command.add_option("--ca", options.ca_file, "PEM authority of its certificate")->required();
  command.add_option("--gateways", options.gateways_folder, "Folder of make-gateways")->required();
  command.add_option("--samples", options.samples_folder, "Folder of the pilots' sample data");
  command.add_option("--pid", options.process, "Process of the server, to measure what it uses");
  command.add_option("--sync-count", options.sync_file, "Counter file of the preloaded library");
  command.add_option("--messages", options.messages, "Messages in an envelope")
      ->check(CLI::Range(1, 10'000'000));
}

void add_commands(CLI::App& app, Options& options, std::function<Result<Json>()>& chosen) {
  const auto scenario = [&](CLI::App* command, Scenario run) {
    add_server_options(*command, options);
    command->callback([&options, &chosen, run = std::move(run)] {
      chosen = [&options, run] { return with_setting(options, run); };
    });
    return command;
  };
  auto* closed = scenario(app.add_subcommand("closed", "Closed loop over connections kept open"),
                          [&](const auto& setting) { return run_closed(setting, options.closed); });
  closed->add_option("--connections", options.closed.connections)->check(CLI::Range(1, 100'000));
  closed->add_option("--count", options.closed.count, "Envelopes")
      ->check(CLI::Range(1, 100'000'000));
  closed->add_flag("--one-per-connection", options.closed.one_per_connection,
                   "A new TLS connection for each envelope");

  auto* open = scenario(app.add_subcommand("open", "Open loop at a fixed rate"),
                        [&](const auto& setting) { return run_open(setting, options.open); });
  open->add_option("--connections", options.open.connections)->check(CLI::Range(1, 100'000));
  open->add_option("--rate", options.open.rate, "Envelopes/s")->check(CLI::Range(0.1, 1e6));
  open->add_option("--seconds", options.open.seconds)->check(CLI::Range(0.1, 240.0));
  open->add_option("--count", options.open.count, "Envelopes to sign; those refused are reused");
  open->add_option("--heavy-share", options.open.heavy_share, "Share of the first tenant")
      ->check(CLI::Range(0.0, 1.0));

  auto* herd = scenario(app.add_subcommand("herd", "Every gateway connects once"),
                        [&](const auto& setting) { return run_herd(setting, options.herd); });
  herd->add_option("--seconds", options.herd.seconds)->check(CLI::Range(0.1, 200.0));

  auto* idle = scenario(app.add_subcommand("idle", "Closed loop beside idle connections"),
                        [&](const auto& setting) { return run_idle(setting, options.idle); });
  idle->add_option("--idle", options.idle.idle)->check(CLI::Range(1, 60'000));
  idle->add_option("--connections", options.idle.connections)->check(CLI::Range(1, 100'000));
  idle->add_option("--count", options.idle.count)->check(CLI::Range(1, 100'000'000));

  auto* large = scenario(app.add_subcommand("large", "Large envelopes, one after the other"),
                         [&](const auto& setting) { return run_large(setting, options.large); });
  large->add_option("--octets", options.large.octets)
      ->check(CLI::Range(std::size_t{1000}, std::size_t{2'000'000'000}));
  large->add_option("--count", options.large.count)->check(CLI::Range(1, 1000));

  auto* simulate =
      scenario(app.add_subcommand("simulate", "Pilots with faults and wrong clocks"),
               [&](const auto& setting) { return run_simulation(setting, options.simulation); });
  simulate->add_option("--seconds", options.simulation.seconds)->check(CLI::Range(0.1, 1e7));
  simulate->add_option("--speed", options.simulation.speed, "Simulated seconds in a second")
      ->check(CLI::Range(1.0, 1e6));
  simulate->add_option("--faults", options.simulation.fault_share, "Share of envelopes")
      ->check(CLI::Range(0.0, 1.0));
  simulate->add_option("--wrong-clocks", options.simulation.clock_share, "Share of gateways")
      ->check(CLI::Range(0.0, 1.0));
  simulate->add_option("--receipts", options.simulation.receipts_file, "Written: tenant,receipt_id")
      ->required();

  auto* fill = scenario(app.add_subcommand("fill", "Fill the archive of a server that has ended"),
                        [&](const auto& setting) {
                          options.fill.messages = options.messages;
                          return fill_archive(setting.gateways, setting.samples, setting.target,
                                              options.fill);
                        });
  fill->add_option("--database", options.fill.database)->required();
  fill->add_option("--envelopes", options.fill.envelopes)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));

  auto* make =
      app.add_subcommand("make-gateways", "Keys, certificates, list for districtctl enrol");
  make->add_option("folder", options.folder)->required();
  make->add_option("--tenant", options.make.tenants, "CODE:PILOT; may be repeated")->required();
  make->add_option("--count", options.make.count)->check(CLI::Range(1, 60'000));
  make->add_flag("--p256", options.p256, "P-256 instead of RSA-2048");
  make->add_option("--ca", options.make.ca_certificate_file)->required();
  make->add_option("--ca-key", options.make.ca_key_file)->required();
  make->callback([&] {
    chosen = [&]() -> Result<Json> {
      options.make.family = options.p256 ? KeyFamily::ecdsa : KeyFamily::rsa;
      DISTRICT_CHECK(bench::make_gateways(options.folder, options.make));
      return Json{{"gateways", options.make.count}};
    };
  });

  auto* primitives = app.add_subcommand("primitives", "Cost of the unavoidable parts, each alone");
  primitives->add_option("folder", options.folder, "Where the disk is measured")->required();
  primitives->add_option("--seconds", options.seconds_each, "For each")
      ->check(CLI::Range(0.01, 60.0));
  primitives->callback([&] {
    chosen = [&] { return bench::measure_primitives(options.folder, options.seconds_each); };
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::function<Result<Json>()> chosen;
  CLI::App app{"Drives a District server with signed envelopes and measures it.", "district-bench"};
  app.footer(kFooter);
  app.require_subcommand(1);
  add_commands(app, options, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "district-bench: error: %s\ndistrict-bench: hint: district-bench --help\n",
                 error.what());
    return 2;
  }
  allow_many_files();
  xml::initialize();
  const auto result = chosen();
  if (!result) {
    std::fprintf(stderr, "district-bench: error: %s\n", result.error().detail.c_str());
    return 1;
  }
  std::printf("%s\n", result->dump(1).c_str());
  return 0;
}
