// districtctl log verify, log head
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <sstream>

#include "admin/session.h"
#include "base/file.h"
#include "crypto/merkle.h"
#include "log/held_receipt.h"
#include "log/log.h"
#include "log/receipt_check.h"
#include "store/archive_reader.h"
#include "store/log_reader.h"

namespace district::admin {
namespace {

struct VerifyOptions {
  std::string receipts_file;
  std::vector<std::string> heads;  // heads that were noted earlier, "SIZE:HASH"
};

// Errors: archive_corrupt when the receipt contradicts the archive or the log.
Result<Ok> check_receipt(store::ArchiveDatabase& database, const log::HeldReceipt& held) {
  const auto contradicts = [&held](const char* what) {
    return fail(ErrorCode::archive_corrupt, "receipt " + held.receipt_id + ": " + what);
  };
  store::ArchiveReader archive(database);
  auto stored = archive.find(held.receipt_id);
  if (!stored && stored.error().code == ErrorCode::not_found) {
    return contradicts("its envelope is not in the archive");
  }
  if (!stored) return fail(std::move(stored).error());
  const auto tree_size = held.tree_size.value_or(stored->tree_size);
  DISTRICT_TRY(const auto log_head, store::LogReader(database).head_of_size(tree_size));
  if (!log_head) return contradicts("the log has no head of its tree size");
  return log::check_receipt(
      database,
      {held.receipt_id, held.received_at, held.message_count.value_or(stored->message_count),
       held.payload_digest, held.leaf_index.value_or(stored->leaf_index), tree_size,
       held.root_hash.value_or(log_head->root_hash)});
}

struct CheckedReceipts {
  std::uint64_t checked = 0;
  std::vector<std::string> unreadable;  // lines that are no receipt, for people
};

// Checks receipts that others hold against this log. Each that contradicts it is a problem. A line
// that cannot be read is reported, and the others are still checked.
Result<CheckedReceipts> check_receipts(store::ArchiveDatabase& database, const std::string& path,
                                       std::vector<std::string>& problems) {
  DISTRICT_TRY(const auto content, read_file(path, limits::kReceiptFileBytesMax));
  std::istringstream lines(content);
  std::string line;
  CheckedReceipts result;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto where = path + " line " + std::to_string(number);
    auto receipt = log::read_held_receipt(line);
    if (!receipt) {
      auto torn = log::read_torn_line(line);
      result.unreadable.push_back(
          where + " cannot be checked: " + receipt.error().detail +
          (torn.receipt_id.empty() ? "" : "; it is of receipt " + torn.receipt_id) +
          (torn.behind ? "; receipt " + torn.behind->receipt_id + " behind it is whole" : ""));
      if (!torn.behind) continue;
      receipt = std::move(*torn.behind);
    }
    ++result.checked;
    const auto agrees = check_receipt(database, *receipt);
    if (agrees) continue;
    if (agrees.error().code != ErrorCode::archive_corrupt) return fail(agrees.error());
    problems.push_back(where + ", " + agrees.error().detail);
  }
  return result;
}

// The outcome when the log itself is intact: lines that could not be checked prove nothing.
int told_of_lines(Session& session, const std::vector<std::string>& unreadable) {
  if (unreadable.empty()) return exit_ok;
  session.terminal.error({ErrorCode::admin_invalid,
                          counted(unreadable.size(), "line") + " could not be checked",
                          "'districtctl envelope show RECEIPT' shows the envelope of a torn "
                          "receipt; the signed answer that district-gateway --keep keeps is whole",
                          {},
                          {}});
  return exit_invalid;
}

// A head as `log head` shows it, its hash in base64 or hex.
Result<LogHead> head_of(const std::string& text) {
  const auto colon = text.find(':');
  LogHead head;
  const auto hash = colon == std::string::npos ? std::string() : text.substr(colon + 1);
  auto octets = from_base64(hash);
  if (!octets || octets->size() != head.root_hash.size()) octets = from_hex(hash);
  const auto digest = octets ? to_digest(*octets) : std::nullopt;
  const auto size = std::string_view(text).substr(0, colon);
  const auto* const end = size.data() + size.size();
  const auto number = std::from_chars(size.data(), end, head.tree_size);
  if (!digest || number.ec != std::errc() || number.ptr != end) {
    return fail(ErrorCode::admin_invalid, "--head " + text + " is not SIZE:HASH",
                "as 'districtctl log head' shows them: --head 24:bwwONq1i1JaHXEqJQ96pK/Py0/N7j/"
                "RYGAFzfpf7J4s=");
  }
  head.root_hash = *digest;
  return head;
}

// Checks heads that were noted earlier against this log, whose own heads have been found to be of
// one tree.
Result<Ok> check_heads(store::ArchiveDatabase& database, const std::vector<LogHead>& noted,
                       std::vector<std::string>& problems) {
  store::LogReader log_reader(database);
  DISTRICT_TRY(const auto last, log_reader.head());
  for (const auto& head : noted) {
    const auto what = "the log of " + counted(head.tree_size, "leaf", "leaves") +
                      " with root hash " + to_base64(head.root_hash);
    if (head.tree_size > last.tree_size) {
      problems.push_back(what + " was noted, but there are only " + std::to_string(last.tree_size));
      continue;
    }
    // The empty tree is not recorded, but every log begins with it.
    std::optional<LogHead> recorded{{0, crypto::MerkleFrontier().root()}};
    if (head.tree_size > 0) {
      DISTRICT_TRY(recorded, log_reader.head_of_size(head.tree_size));
    }
    if (!recorded) {
      problems.push_back(what + " was noted, but no head of that size is recorded");
    } else if (recorded->root_hash != head.root_hash) {
      problems.push_back(what + " was noted, but its root hash is now " +
                         to_base64(recorded->root_hash));
    }
  }
  return Ok{};
}

Result<int> verify(Session& session, const VerifyOptions& options) {
  std::vector<LogHead> noted;
  for (const auto& text : options.heads) {
    DISTRICT_TRY(noted.emplace_back(), head_of(text));
  }
  DISTRICT_TRY(const auto database, session.open(store::OpenMode::read_only));
  log::LogReport report;
  {
    Progress progress(session.terminal, "checking the log");
    DISTRICT_TRY(report,
                 log::verify(*database, [&progress](std::uint64_t done, std::uint64_t total) {
                   progress.update(done, total);
                 }));
  }
  CheckedReceipts receipts;
  if (!options.receipts_file.empty()) {
    DISTRICT_TRY(receipts, check_receipts(*database, options.receipts_file, report.problems));
  }
  DISTRICT_CHECK(check_heads(*database, noted, report.problems));
  auto& out = session.terminal.out();
  if (session.json) {
    Details details;
    details.add("intact", "", {Json(report.problems.empty()), ""});
    details.add("leaves", "", report.leaves);
    details.add("heads", "", report.heads);
    details.add("receipts", "", receipts.checked);
    details.add("root_hash", "", to_base64(report.root_hash));
    details.add("problems", "", cell_of(report.problems, ""));
    details.add("unreadable_lines", "", cell_of(receipts.unreadable, ""));
    details.write(out, Format::json);
    if (!report.problems.empty()) return exit_difference;
    return told_of_lines(session, receipts.unreadable);
  }
  for (const auto& problem : report.problems) out << "problem: " << printable(problem) << '\n';
  for (const auto& text : receipts.unreadable) out << "unreadable: " << printable(text) << '\n';
  out << counted(report.leaves, "leaf", "leaves") << ", " << counted(report.heads, "head");
  if (!options.receipts_file.empty()) out << ", " << counted(receipts.checked, "receipt");
  if (report.problems.empty()) {
    out << ": intact\nroot hash " << to_base64(report.root_hash) << '\n';
    return told_of_lines(session, receipts.unreadable);
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
  DISTRICT_TRY(const auto log_head, store::LogReader(*database).head());
  Details details;
  details.add("tree_size", "Tree size", log_head.tree_size);
  details.add("root_hash", "Root hash", to_base64(log_head.root_hash));
  details.write(session.terminal.out(), session.format());
  return exit_ok;
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
  verify_command
      ->add_option("--head", options->heads,
                   "Check that the log still begins with what 'log head' showed earlier; may be "
                   "repeated")
      ->type_name("SIZE:HASH")
      ->expected(1)
      ->take_all();
  verify_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district log verify\n"
      "  districtctl --data /var/lib/district log verify --receipt receipts.jsonl\n"
      "  districtctl --data /var/lib/district log verify --head "
      "24:bwwONq1i1JaHXEqJQ96pK/Py0/N7j/RYGAFzfpf7J4s=");
  verify_command->callback([&session, options] {
    session.action = [&session, options] { return verify(session, *options); };
  });

  auto* head_command = log->add_subcommand("head", "Show the size and root hash of the log");
  head_command->footer("Example:\n  districtctl --data /var/lib/district log head --json");
  head_command->callback([&session] { session.action = [&session] { return head(session); }; });
}

}  // namespace district::admin
