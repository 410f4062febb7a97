// districtctl log verify, log head, status
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>
#include <thread>

#include "admin/session.h"
#include "base/file.h"
#include "log/log.h"
#include "store/archive_store.h"
#include "store/inventory.h"
#include "store/series_store.h"

namespace district::admin {
namespace {

using namespace std::chrono_literals;

struct VerifyOptions {
  std::string receipts_file;
};

// A receipt as a gateway keeps it: one JSON object a line. Members that the gateway does not have
// are not set: the server confirms an envelope that it had before without its place in the log.
struct HeldReceipt {
  std::string receipt_id;
  Instant received_at{};
  Sha256Digest payload_digest{};
  std::optional<std::uint64_t> message_count, leaf_index, tree_size;
  std::optional<Sha256Digest> root_hash;
};

std::optional<std::string> text_member(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_string()) return std::nullopt;
  return member->get<std::string>();
}

std::optional<std::uint64_t> number_member(const Json& object, const char* key) {
  const auto member = object.find(key);
  if (member == object.end() || !member->is_number_unsigned()) return std::nullopt;
  return member->get<std::uint64_t>();
}

std::optional<Sha256Digest> digest_member(const Json& object, const char* key) {
  const auto octets = from_base64(text_member(object, key).value_or(""));
  return octets ? to_digest(*octets) : std::nullopt;
}

Result<HeldReceipt> receipt_of(const std::string& line) {
  const auto json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return fail(ErrorCode::admin_invalid, "not a JSON object");
  const auto receipt_id = text_member(json, "receiptId");
  const auto received_at = parse_date_time(text_member(json, "receivedAt").value_or(""));
  const auto payload_digest = digest_member(json, "payloadDigest");
  if (!receipt_id || !received_at || !payload_digest) {
    return fail(ErrorCode::admin_invalid, "receiptId, receivedAt or payloadDigest is missing");
  }
  HeldReceipt receipt{*receipt_id, *received_at, *payload_digest, {}, {}, {}, {}};
  receipt.message_count = number_member(json, "messageCount");
  receipt.leaf_index = number_member(json, "leafIndex");
  receipt.tree_size = number_member(json, "treeSize");
  receipt.root_hash = digest_member(json, "rootHash");
  // A member that is there and cannot be read must not pass as one that is not there.
  const std::array<std::pair<const char*, bool>, 4> optional_members{
      {{"messageCount", receipt.message_count.has_value()},
       {"leafIndex", receipt.leaf_index.has_value()},
       {"treeSize", receipt.tree_size.has_value()},
       {"rootHash", receipt.root_hash.has_value()}}};
  for (const auto& [key, read] : optional_members) {
    if (json.contains(key) && !read) {
      return fail(ErrorCode::admin_invalid, std::string(key) + " cannot be read");
    }
  }
  return receipt;
}

// Errors: archive_corrupt when the receipt contradicts the archive or the log.
Result<Ok> check_receipt(store::Database& database, const HeldReceipt& held) {
  const auto contradicts = [&held](const char* what) {
    return fail(ErrorCode::archive_corrupt, "receipt " + held.receipt_id + ": " + what);
  };
  store::ArchiveStore archive(database);
  auto stored = archive.find(held.receipt_id);
  if (!stored && stored.error().code == ErrorCode::not_found) {
    return contradicts("its envelope is not in the archive");
  }
  if (!stored) return fail(std::move(stored).error());
  const auto tree_size = held.tree_size.value_or(stored->tree_size);
  DISTRICT_TRY(const auto log_head, archive.log_head_of_size(tree_size));
  if (!log_head) return contradicts("the log has no head of its tree size");
  return log::check_receipt(
      database,
      {held.receipt_id, held.received_at, held.message_count.value_or(stored->message_count),
       held.payload_digest, held.leaf_index.value_or(stored->leaf_index), tree_size,
       held.root_hash.value_or(log_head->root_hash)});
}

// Receipts that others hold, against this log: each that contradicts it is a problem.
Result<std::uint64_t> check_receipts(store::Database& database, const std::string& path,
                                     std::vector<std::string>& problems) {
  DISTRICT_TRY(const auto content, read_file(path, limits::kReceiptFileBytesMax));
  std::istringstream lines(content);
  std::string line;
  std::uint64_t checked = 0;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto where = path + " line " + std::to_string(number);
    const auto receipt = receipt_of(line);
    if (!receipt) return fail(ErrorCode::admin_invalid, where + ": " + receipt.error().detail);
    ++checked;
    const auto agrees = check_receipt(database, *receipt);
    if (agrees) continue;
    if (agrees.error().code != ErrorCode::archive_corrupt) return fail(agrees.error());
    problems.push_back(where + ", " + agrees.error().detail);
  }
  return checked;
}

Result<int> verify(Session& session, const VerifyOptions& options) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  log::LogReport report;
  {
    Progress progress(session.terminal, "checking the log");
    DISTRICT_TRY(report,
                 log::verify(*database, [&progress](std::uint64_t done, std::uint64_t total) {
                   progress.update(done, total);
                 }));
  }
  std::uint64_t receipts = 0;
  if (!options.receipts_file.empty()) {
    DISTRICT_TRY(receipts, check_receipts(*database, options.receipts_file, report.problems));
  }
  auto& out = session.terminal.out();
  if (session.json) {
    Details details;
    details.add("intact", "", {Json(report.problems.empty()), ""});
    details.add("leaves", "", report.leaves);
    details.add("heads", "", report.heads);
    details.add("receipts", "", receipts);
    details.add("root_hash", "", to_base64(report.root_hash));
    details.add("problems", "", cell_of(report.problems, ""));
    details.write(out, Format::json);
    return report.problems.empty() ? exit_ok : exit_difference;
  }
  for (const auto& problem : report.problems) out << "problem: " << printable(problem) << '\n';
  out << counted(report.leaves, "leaf", "leaves") << ", " << counted(report.heads, "head");
  if (!options.receipts_file.empty()) out << ", " << counted(receipts, "receipt");
  if (report.problems.empty()) {
    out << ": intact\nroot hash " << to_base64(report.root_hash) << '\n';
    return exit_ok;
  }
  out << ": " << counted(report.problems.size(), "problem") << '\n';
  session.terminal.error({ErrorCode::archive_corrupt,
                          "the log is not intact",
                          "keep the database as it is, for evidence; 'districtctl audit replay' "
                          "tells which envelopes are touched",
                          {},
                          {}});
  return exit_difference;
}

Result<int> head(Session& session) {
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto log_head, store::ArchiveStore(*database).log_head());
  Details details;
  details.add("tree_size", "Tree size", log_head.tree_size);
  details.add("root_hash", "Root hash", to_base64(log_head.root_hash));
  details.write(session.terminal.out(), session.format());
  return exit_ok;
}

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

// Until no work waits or the time is over.
Result<store::Inventory> wait_for_work(Session& session, store::Database& database,
                                       std::chrono::seconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  Progress progress(session.terminal, "work items waiting");
  while (true) {
    DISTRICT_TRY(const auto inventory, store::take_inventory(database));
    if (inventory.work_waiting == 0 || std::chrono::steady_clock::now() >= until) return inventory;
    progress.update(inventory.work_waiting, 0);
    std::this_thread::sleep_for(kPollInterval);
  }
}

Result<int> status(Session& session, const StatusOptions& options) {
  DISTRICT_TRY(const auto wait, wait_of(options));
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  DISTRICT_TRY(const auto inventory, wait_for_work(session, *database, wait));
  DISTRICT_TRY(const auto log_head, store::ArchiveStore(*database).log_head());
  Details details;
  details.add("envelopes", "Envelopes", inventory.envelopes);
  details.add("work_waiting", "Work items waiting", inventory.work_waiting);
  details.add("work_failed", "Work items failed", inventory.work_failed);
  details.add("tree_size", "Tree size", log_head.tree_size);
  details.add("root_hash", "Root hash", to_base64(log_head.root_hash));
  DISTRICT_TRY(const auto counts, store::SeriesStore(*database).counts());
  for (const auto state : store::kMeasurementStates) {
    const std::string name = store::name_of(state);
    const auto count = counts.measurements.find(state);
    details.add("values_" + name, "Values " + name,
                count == counts.measurements.end() ? std::uint64_t{0} : count->second);
  }
  for (const auto& [rule, number] : counts.rules)
    details.add("rule_" + rule, "Rule " + rule, number);
  details.write(session.terminal.out(), session.format());
  return options.wait && inventory.work_waiting > 0 ? exit_waiting : exit_ok;
}

void add_status(CLI::App& app, Session& session) {
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

}  // namespace

void add_log_commands(CLI::App& app, Session& session) {
  auto* log = app.add_subcommand("log", "The transparency log");
  log->require_subcommand(1);

  auto options = std::make_shared<VerifyOptions>();
  auto* verify_command = log->add_subcommand(
      "verify", "Recompute every leaf and head of the log and compare them with what is stored");
  verify_command
      ->add_option("--receipt", options->receipts_file,
                   "Check these receipts as well: JSON lines, as a gateway keeps them")
      ->type_name("FILE");
  verify_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district log verify\n"
      "  districtctl --data /var/lib/district log verify --receipt receipts.jsonl");
  verify_command->callback([&session, options] {
    session.action = [&session, options] { return verify(session, *options); };
  });

  auto* head_command = log->add_subcommand("head", "Show the size and root hash of the log");
  head_command->footer("Example:\n  districtctl --data /var/lib/district log head --json");
  head_command->callback([&session] { session.action = [&session] { return head(session); }; });

  add_status(app, session);
}

}  // namespace district::admin
