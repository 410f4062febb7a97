// district-gateway: what a pilot site runs. Only reads the command line; src/gateway/ does the
// work.
#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "base/characters.h"
#include "base/command_words.h"
#include "base/error.h"
#include "base/time.h"
#include "gateway/send_command.h"
#include "xml/document.h"

namespace {

using district::visible;
using district::gateway::SendOptions;

constexpr int kUsage = 2;

constexpr const char* kFooter = R"(
Examples:
    district-gateway send --url https://localhost:8443 --tenant 20 \
        --certificate barcelona.pem --key barcelona.key --ca ca.pem school_2018.csv.gz
    district-gateway send --help
)";

constexpr const char* kSendFooter = R"(
Files are told apart by their header line; .csv and .csv.gz alike:
  Barcelona    meter_id,period_start_utc,[period_end_utc,]energy_kwh[,...]   type 001/0.0.1
               meter_id,period_start_utc,...,first_sent_energy_kwh,...       type 001/0.0.1
  Eibar        installation_id,sampled_at_utc,power_w                        type 001/001
               installations.json                                            type 002/001
  Kalundborg   meter_id,medium,unit,read_at_utc,register                     type 001/002
               meter_id,medium,unit,register_modulus                         type 002/001
               house_id,medium,at_utc,old_meter_id,...                       type 002/001
  any          *.xml with the <messages> of a request, sent as they are      any type

Each envelope's receipt is verified (the server's signature over Body, Timestamp and the
confirmation of our signature; the digest of what we sent) and appended to the receipts file, one
JSON object a line, before the next envelope is sent. A busy server or a lost connection is tried
again with the same bytes.

All files are read and checked before anything is sent: a row that does not fit, two values for one
period of a meter and a column given twice are refused, and columns that are not sent are named.
Equal values count once, however often they are sent. Of two values for one period the one that was
sent last holds: an old file that is sent again after its correction undoes the correction.

Exit: 0 all delivered
      1 something else failed, such as a full disk
      2 usage, or a file or option that does not fit   (7001)
      3 no connection, or TLS failed                   (7002)
      4 the server refused the envelope                (7003)
      5 the server is busy; try later                  (7004)
      6 the answer is not a receipt that verifies      (7005)

Examples:
    $ district-gateway send --url https://localhost:8443 --tenant 20 \
        --certificate pki/pilots/barcelona.pem --key pki/pilots/barcelona.key \
        --ca pki/ca.pem school_2018.csv.gz
    01JD0VZ9C4MRT8YB2J9X5Q6W3E  2026-11-20T10:15:00.123Z  24 messages  leaf 7 of 8  root 9f3a...

    $ district-gateway send ... --source KAL-1 --meter KAL-W2 --from 2018-12-01 registers.csv.gz
    $ district-gateway send ... --dry-run school_2018.csv.gz | xmllint --format -
)";

// What the command line gives as text and SendOptions has as values.
struct Spelled {
  std::string from, to, valid_from = "1970-01-01";
  long retry_for = 60;
  long deadline = 30;
  bool soap12 = false;
};

void add_options(CLI::App& send, SendOptions& options, Spelled& spelled) {
  const auto add = [&](const char* name, auto& value, const char* type, const char* text) {
    return send.add_option(name, value, text)->type_name(type);
  };
  add("FILE", options.files, "", "files of meter data")->required();
  add("--url", options.url, "URL", "the server: https://HOST[:PORT][/PATH]");
  add("--tenant", options.tenant, "CODE", "tenantCode of the messages")->required();
  add("--certificate", options.certificate_file, "PEM", "our certificate")->required();
  add("--key", options.key_file, "PEM", "our private key")->required();
  add("--ca", options.ca_file, "PEM", "authority of the server's TLS certificate");
  add("--receipt-certificate", options.receipt_certificate_files, "PEM",
      "certificate that may sign receipts; may be repeated\n"
      "(default: any that the authority of --ca issued for\nthe server's host)")
      ->expected(1)
      ->take_all();
  add("--source", options.source, "NAME",
      "messageSourceElement (default: the meter or installation;\nneeded for registers)");
  add("--meter", options.meters, "ID", "only this meter or installation; may be repeated")
      ->expected(1)
      ->take_all();
  add("--from", spelled.from, "TIME", "only rows from this day or instant (UTC) on");
  add("--to", spelled.to, "TIME", "only rows before this day or instant (UTC)");
  add("--valid-from", spelled.valid_from, "TIME",
      "from when master data holds, where the file does not\nsay (default: 1970-01-01)");
  add("--messages-per-envelope", options.messages_per_envelope, "N",
      "at most so many messages in an envelope (default: 24)")
      ->check(CLI::Range(1, 100'000).description(""));
  add("--receipts", options.receipts_file, "FILE",
      "where receipts are appended as JSON lines\n(default: receipts.jsonl)");
  add("--keep", options.keep_folder, "FOLDER",
      "keeps each request and its signed answer as they are");
  add("--retry-for", spelled.retry_for, "SECONDS",
      "how long to try again, at most 240; 0: once only\n(default: 60)")
      ->check(CLI::Range(0, 240).description(""));
  add("--deadline", spelled.deadline, "SECONDS",
      "how long each step on the network may take (default: 30)")
      ->check(CLI::Range(1, 600).description(""));
  send.add_flag("--soap12", spelled.soap12, "SOAP 1.2 instead of 1.1");
  send.add_flag("--json", options.json, "receipts on standard output as JSON lines");
  send.add_flag("--dry-run", options.dry_run, "print the first signed envelope; send nothing");
  send.footer(kSendFooter);
}

std::string time_hint() { return "write it like 2018-03-01 or 2018-03-01T00:00:00Z"; }

district::Result<district::Ok> read_values(const Spelled& spelled, SendOptions& options) {
  const auto read = [](const std::string& name, const std::string& text) {
    const auto value = district::parse_day_or_instant(text);
    return value ? district::Result<district::Instant>(*value)
                 : district::fail(district::ErrorCode::gateway_input,
                                  name + " " + text + ": no day and no instant", time_hint());
  };
  if (!spelled.from.empty()) {
    DISTRICT_TRY(options.from, read("--from", spelled.from));
  }
  if (!spelled.to.empty()) {
    DISTRICT_TRY(options.to, read("--to", spelled.to));
  }
  DISTRICT_TRY(options.valid_from, read("--valid-from", spelled.valid_from));
  options.retry_for = std::chrono::seconds{spelled.retry_for};
  options.deadline = std::chrono::seconds{spelled.deadline};
  options.soap_version = spelled.soap12 ? district::SoapVersion::v12 : district::SoapVersion::v11;
  if (!options.dry_run && (options.url.empty() || options.ca_file.empty())) {
    return district::fail(district::ErrorCode::gateway_input, "--url and --ca are needed",
                          "or --dry-run, to send nothing");
  }
  return district::Ok{};
}

int complain(const district::Error& error) {
  std::cout.flush();
  // A peer, a file or a file's name may have written parts of it.
  std::cerr << "district-gateway: error: " << visible(error.detail) << " ("
            << static_cast<int>(error.code) << ")\n";
  for (const auto& violation : error.violations) {
    std::cerr << "district-gateway:   message " << violation.message_index << ", line "
              << violation.line << ", " << visible(violation.path) << ": "
              << visible(violation.reason) << '\n';
  }
  if (!error.hint.empty()) std::cerr << "district-gateway: hint: " << visible(error.hint) << '\n';
  return district::gateway::exit_code(error.code);
}

}  // namespace

int main(int argc, char** argv) {
  district::xml::initialize();

  CLI::App program{"Sends a site's meter data as signed messages and keeps the receipts.",
                   "district-gateway"};
  program.set_version_flag("--version", "district-gateway " DISTRICT_VERSION);
  program.require_subcommand(1);
  program.get_formatter()->column_width(32);
  program.footer(kFooter);
  CLI::App& send = *program.add_subcommand("send", "Send files of meter data");
  SendOptions options;
  Spelled spelled;
  add_options(send, options, spelled);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return program.exit(asked);
  } catch (const CLI::ParseError& problem) {
    // What is not known comes before what is missing: it may be just that, misspelt.
    const auto unknown = program.remaining(true);
    const std::string what =
        unknown.empty() ? problem.what() : "'" + unknown.front() + "' is not understood";
    std::cerr << "district-gateway: error: " << visible(what) << '\n'
              << "district-gateway: hint: "
              << (unknown.empty() ? "" : district::did_you_mean(program, unknown.front()))
              << "district-gateway " << (send.parsed() ? "send --help\n" : "--help\n");
    return kUsage;
  }

  auto done = read_values(spelled, options);
  if (done) done = district::gateway::send(options);
  return done ? 0 : complain(done.error());
}
