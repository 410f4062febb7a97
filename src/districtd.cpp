// The server. This file only wires; the way of an envelope is in pipeline/pipeline.cpp.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "acknowledge/acknowledger.h"
#include "acknowledge/rejections.h"
#include "archive/archive.h"
#include "base/command_words.h"
#include "base/folder_lock.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/standards_file.h"
#include "crypto/key_pair.h"
#include "observe/events.h"
#include "pipeline/pipeline.h"
#include "quantify/quantifier.h"
#include "query/api.h"
#include "server/certificate_checks.h"
#include "server/routes.h"
#include "server/server.h"
#include "server/signals.h"
#include "soap/body_writer.h"
#include "soap/operation_reader.h"
#include "store/database.h"
#include "trust/api_keys.h"
#include "trust/trust.h"
#include "validate/content_folder.h"
#include "validate/validator.h"
#include "verify/stream_verifier.h"
#include "xml/document.h"

namespace {

using namespace district;

constexpr const char* kFooter = R"(Examples:
  districtd --demo demo-data              everything below one folder, port 8443
  districtd --config /etc/district/district.toml --check-config
  districtd --config /etc/district/district.toml

SIGTERM or SIGINT ends it: what is under way is finished, nothing acknowledged is lost.
SIGHUP opens log.file anew, takes log.level from the configuration, and reads certificates and keys
again: of TLS for new connections, of receipts at once.
Exit: 0 ended as asked, 1 internal error, 2 wrong usage or configuration,
      3 database or address not usable.)";

struct Options {
  std::string config_file;
  std::string demo_folder;
  std::optional<int> port;
  bool check_only = false;
  bool help_config = false;
};

int exit_code(const Error& error) {
  switch (error.code) {
    case ErrorCode::config_invalid:
    case ErrorCode::file_unreadable:
    case ErrorCode::token_invalid:
      return 2;
    case ErrorCode::address_in_use:
    case ErrorCode::data_in_use:
    case ErrorCode::archive_foreign:
    case ErrorCode::archive_unavailable:
      return 3;
    default:
      return 1;
  }
}

int report(const Error& error) {
  const char* hint = error.hint.c_str();
  if (error.hint.empty() && error.code == ErrorCode::config_invalid) {
    hint = "districtd --help-config lists every key with type, unit and default";
  }
  std::fprintf(stderr, "districtd: error: %s\n", error.detail.c_str());
  if (*hint != '\0') std::fprintf(stderr, "districtd: hint: %s\n", hint);
  return exit_code(error);
}

Result<config::Config> read_config(const Options& options) {
  config::Config config;
  if (options.demo_folder.empty()) {
    DISTRICT_TRY(config, config::load(options.config_file));
  } else {
    config = config::demo_config(options.demo_folder);
  }
  if (options.port) config.listen.port = *options.port;
  return config;
}

// Of SQLite, for which an empty file is a new one.
bool begins_like_a_database(const std::filesystem::path& file) {
  constexpr std::string_view kBegin("SQLite format 3\0", 16);
  std::ifstream in(file, std::ios::binary);
  std::string begin(kBegin.size(), '\0');
  in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return in.gcount() == 0 || begin == kBegin;
}

// What run() would find first, without a trace of the look. A server that runs keeps its folder to
// itself, and may be the one that will be told to reload what is checked here.
std::vector<config::Finding> check_data(const config::Config& config) {
  std::vector<config::Finding> findings;
  std::error_code error;
  if (!std::filesystem::is_directory(config.data.folder, error)) return {};  // made by run()
  if (const auto lock = FolderLock::take(config.data.folder); !lock) {
    const bool in_use = lock.error().code == ErrorCode::data_in_use;
    findings.push_back({!in_use, "data.folder: " + lock.error().detail,
                        in_use ? "fine if that is the server that you will reload or restart"
                               : lock.error().hint});
  }
  if (std::filesystem::is_regular_file(config.database(), error) &&
      !begins_like_a_database(config.database())) {
    findings.push_back(
        {true, "data.folder: " + config.database().string() + " is not a District database",
         "move it away, or set data.folder to the folder of the right one"});
  }
  return findings;
}

// Prints what is wrong with files, folders and certificates; true when the server could not run so,
// or, for --check-config, when clients will refuse it.
bool report_findings(const config::Config& config, bool check_only) {
  auto findings = config::check_files(config);
  for (auto& unfit : server::check_certificates_for_clients(config, SystemClock().now())) {
    findings.push_back({check_only && unfit.refused, std::move(unfit.text), std::move(unfit.hint)});
  }
  if (check_only) {
    auto of_data = check_data(config);
    std::move(of_data.begin(), of_data.end(), std::back_inserter(findings));
  }
  bool fatal = false;
  for (const auto& finding : findings) {
    fatal = fatal || finding.fatal;
    std::fprintf(stderr, "districtd: %s: %s\n", finding.fatal ? "error" : "warning",
                 finding.text.c_str());
    if (!finding.hint.empty()) std::fprintf(stderr, "districtd: hint: %s\n", finding.hint.c_str());
  }
  return fatal;
}

Result<acknowledge::SigningIdentity> load_identity(const std::filesystem::path& certificate_file,
                                                   const std::filesystem::path& key_file,
                                                   KeyFamily family) {
  DISTRICT_TRY(auto pair, crypto::read_key_pair(certificate_file.string(), key_file.string()));
  if (pair.key.family() != family) {
    return fail(ErrorCode::config_invalid, key_file.string() + " is of the wrong type",
                "receipt.rsa_key must be an RSA key, receipt.ecdsa_key an EC key");
  }
  return acknowledge::SigningIdentity{std::move(pair.certificate), std::move(pair.key)};
}

Result<acknowledge::SigningIdentities> load_identities(const config::Config& config) {
  const auto& files = config.receipt;
  DISTRICT_TRY(auto rsa, load_identity(files.rsa_certificate, files.rsa_key, KeyFamily::rsa));
  DISTRICT_TRY(auto ecdsa,
               load_identity(files.ecdsa_certificate, files.ecdsa_key, KeyFamily::ecdsa));
  return acknowledge::SigningIdentities{std::move(rsa), std::move(ecdsa)};
}

// All or nothing: new files are often put in place one after the other.
void renew(acknowledge::Acknowledger& acknowledger, const config::Config& config) {
  auto identities = load_identities(config);
  if (identities) {
    acknowledger.renew(*std::move(identities));
    observe::emit(observe::Level::info, "receipt_certificates_loaded", {});
    return;
  }
  observe::emit(observe::Level::error, "receipt_certificates_kept",
                {{"detail", identities.error().detail}, {"hint", identities.error().hint}});
}

// Nobody's measurements depend on it: the server does without rather than not start. Null: without.
std::unique_ptr<acknowledge::Rejections> keep_rejections(const config::Config& config) {
  const auto& chosen = config.rejections;
  const auto count = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
  store::RejectionBounds bounds;
  bounds.rows_per_tenant = count(chosen.rows_per_tenant);
  bounds.rows_of_others = count(chosen.rows_of_others);
  bounds.raw_octets_per_tenant = count(chosen.raw_bytes_per_tenant);
  bounds.sample_count = count(chosen.sample_envelopes);
  bounds.sample_octets = count(chosen.sample_bytes);
  bounds.age = std::chrono::hours(24 * chosen.days);
  auto opened = acknowledge::Rejections::open(config.rejections_file().string(), bounds);
  if (opened) return *std::move(opened);
  observe::emit(observe::Level::error, "rejections_not_kept",
                {{"detail", opened.error().detail},
                 {"hint", "it holds no evidence: move the file away and start the server again"}});
  return nullptr;
}

// For logrotate, and to see more for a while. Nothing else of the configuration changes while the
// server runs; what would is named.
void renew_log(const Options& options, const config::Config& config, observe::LogSettings& log) {
  const auto now = read_config(options);
  const auto wanted = now ? observe::LogSettings{now->log.level, now->log.file} : log;
  const auto opened = observe::start_log(wanted);
  if (!now) {
    observe::emit(observe::Level::error, "configuration_kept",
                  {{"detail", now.error().detail}, {"hint", now.error().hint}});
  }
  if (!opened) {
    observe::emit(observe::Level::error, "log_kept",
                  {{"detail", opened.error().detail}, {"hint", opened.error().hint}});
    return;
  }
  log = wanted;
  observe::emit(observe::Level::info, "log_opened", {{"level", log.level}});
  if (!now) return;
  for (const auto& key : config::changed_keys(config, *now)) {
    if (key == "log.level" || key == "log.file") continue;
    observe::emit(observe::Level::warning, "configuration_kept",
                  {{"key", key}, {"hint", "it holds from the next start on"}});
  }
}

Result<std::unique_ptr<validate::Validator>> load_schemas(const config::Config& config,
                                                          const soap::OperationReader& operations) {
  auto validator = [&]() -> Result<std::unique_ptr<validate::Validator>> {
    DISTRICT_CHECK(validate::add_content_folder(config.data.folder / "content"));
    return validate::Validator::create(operations);
  }();
  if (!validator && validator.error().hint.empty()) {
    validator.error().hint = "districtctl content check FILE.xsd checks one";
  }
  return validator;
}

// What run() would refuse, as far as that shows without a database and a port.
Result<Ok> check_usable(const config::Config& config) {
  DISTRICT_CHECK(load_identities(config));
  DISTRICT_CHECK(server::check_certificates(server::settings_from(config)));
  const soap::OperationReader operations;
  DISTRICT_CHECK(load_schemas(config, operations));
  return Ok{};
}

Result<Ok> run(const Options& options, const config::Config& config) {
  const SystemClock clock;
  const auto location = store::Location::of(config.database());
  std::error_code ignored;
  std::filesystem::create_directories(config.data.folder, ignored);  // locking tells what is wrong
  DISTRICT_TRY(const auto lock, FolderLock::take(config.data.folder));

  DISTRICT_CHECK(observe::start_log({config.log.level, config.log.file}));
  DISTRICT_TRY(auto identities, load_identities(config));
  const soap::OperationReader operations;
  const soap::BodyWriter bodies;
  DISTRICT_TRY(const auto validator, load_schemas(config, operations));
  DISTRICT_TRY(const auto archive,
               archive::Archive::open({location, static_cast<std::size_t>(config.archive.group_max),
                                       static_cast<std::size_t>(config.archive.queue_max),
                                       static_cast<int>(config.archive.compression_level)},
                                      clock));
  {
    DISTRICT_TRY(const auto keys,
                 store::ArchiveDatabase::open(location, store::OpenMode::existing));
    DISTRICT_CHECK(trust::log_earlier_api_keys(*keys, clock.now()));
  }
  DISTRICT_TRY(const auto trust, trust::Trust::open(location, store::OpenMode::existing));
  quantify::QuantifierSettings quantifying{.location = location};
  DISTRICT_TRY(quantifying.standards,
               config::load_standards(config.data.folder / "standards.toml"));
  DISTRICT_TRY(const auto quantifier,
               quantify::Quantifier::open(std::move(quantifying), *validator, *trust, clock));
  const verify::StreamVerifier verifier(
      *trust, {config.window.created_age_seconds, config.window.created_ahead_seconds});
  acknowledge::Acknowledger acknowledger(std::move(identities), bodies, clock);
  const auto rejections = keep_rejections(config);
  pipeline::Pipeline pipeline(verifier, *trust, *validator, *archive, acknowledger, clock,
                              static_cast<std::size_t>(config.limits.body_bytes), rejections.get());

  DISTRICT_TRY(const auto server, server::Server::open(server::settings_from(config)));
  config::Config published = config;
  published.listen.port = server->port();
  server::Routes routes(pipeline, *trust, clock, published.service_url());
  std::unique_ptr<query::Api> api;
  if (config.api.enabled) {
    DISTRICT_TRY(api, query::Api::open(location, clock, published.base_url()));
  }
  archive->on_commit([&] { quantifier->wake(); });
  if (config.quantify.enabled) {
    quantifier->start();
  } else {
    observe::emit(observe::Level::warning, "quantifier_off",
                  {{"detail", "quantify.enabled is false: work items wait in the database"}});
  }
  DISTRICT_CHECK(server->start(routes, api.get()));
  if (config.legacy.enabled) {
    observe::emit(observe::Level::warning, "legacy_tls",
                  {{"address", config.legacy.address},
                   {"port", server->port(1)},
                   {"detail", "TLS 1.0 and 1.1 are broken: whoever is on the way may read along"},
                   {"hint", "set legacy.enabled to false when the last old gateway is gone"}});
  }
  observe::emit(observe::Level::info, "started",
                {{"url", published.service_url()},
                 {"database", location.archive()},
                 {"version", DISTRICT_VERSION}});
  observe::LogSettings log{config.log.level, config.log.file};
  int signal = 0;
  while ((signal = server::wait_for_signal()) == SIGHUP) {
    renew_log(options, config, log);
    server->reload_certificates();
    renew(acknowledger, config);
    for (const auto& unfit : server::check_certificates_for_clients(config, clock.now())) {
      observe::emit(observe::Level::warning, "certificate_unfit",
                    {{"detail", unfit.text}, {"hint", unfit.hint}});
    }
  }
  observe::emit(observe::Level::info, "stopping", {{"signal", signal}});
  server->stop();
  quantifier->stop();
  archive->on_commit({});
  observe::emit(observe::Level::info, "stopped", {});
  return Ok{};
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"District: receives signed energy measurements, keeps the proof, computes KPIs.",
               "districtd"};
  app.set_version_flag("--version", std::string("districtd ") + DISTRICT_VERSION);
  app.footer(kFooter);
  auto* file =
      app.add_option("--config", options.config_file, "TOML file; --help-config lists its keys");
  auto* demo = app.add_option("--demo", options.demo_folder,
                              "Built-in configuration: data and PKI below FOLDER, 127.0.0.1:8443")
                   ->type_name("FOLDER");
  file->type_name("FILE")->excludes(demo);
  app.add_option("--port", options.port, "Port instead of the configured one; 0: a free one")
      ->check(CLI::Range(0, 65535));
  app.add_flag("--check-config", options.check_only, "Check configuration and files, then stop");
  app.add_flag("--help-config", options.help_config,
               "Print every configuration key with unit and default, then stop");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    const auto unknown = app.remaining();
    const auto near = unknown.empty() ? std::string() : did_you_mean(app, unknown.front());
    std::fprintf(stderr, "districtd: error: %s\ndistrictd: hint: %sdistrictd --help\n",
                 error.what(), near.c_str());
    return 2;
  }
  if (options.help_config) {
    std::fputs(config::reference_markdown().c_str(), stdout);
    return 0;
  }
  if (options.config_file.empty() && options.demo_folder.empty()) {
    std::fputs(
        "districtd: error: no configuration\ndistrictd: hint: give --config FILE, or --demo FOLDER "
        "to try it out\n",
        stderr);
    return 2;
  }
  server::block_signals();
  xml::initialize();
  const auto config = read_config(options);
  if (!config) return report(config.error());
  if (report_findings(*config, options.check_only)) return 2;
  if (options.check_only) {
    if (const auto usable = check_usable(*config); !usable) return report(usable.error());
    std::puts("configuration is good");
    return 0;
  }
  const auto ended = run(options, *config);
  return ended ? 0 : report(ended.error());
}
