// districtctl rejection list, rejection show
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <thread>

#include "admin/session.h"
#include "archive/compression.h"
#include "base/ulid.h"
#include "base/utf8.h"
#include "model/fault.h"
#include "observe/events.h"
#include "store/rejection_store.h"

namespace district::admin {
namespace {

using namespace std::chrono_literals;

struct RejectionListOptions : ListOptions {
  std::optional<unsigned> code;
};

Result<std::unique_ptr<store::RejectionStore>> open_store(const Session& session) {
  DISTRICT_TRY(const auto config, session.settings());
  const auto path = config.rejections_file().string();
  DISTRICT_TRY(const bool exists, file_exists(path));
  if (!exists) {
    return fail(ErrorCode::archive_unavailable, "there is no file " + path,
                "districtd makes it when it starts; check --config or --data");
  }
  auto store = store::RejectionStore::open(path, store::OpenMode::read_only);
  if (!store && store.error().code == ErrorCode::file_unreadable) {
    auto error = std::move(store).error();
    error.code = ErrorCode::archive_unavailable;
    return fail(std::move(error));
  }
  return store;
}

// The tenant of an authenticated sender. If it is not authenticated, the tenant for which the
// presented certificate is enrolled, with a question mark: anybody may have sent it.
Cell tenant_cell(const store::Rejection& rejection) {
  if (rejection.authenticated) return rejection.tenant;
  const auto& claimed = rejection.diagnosis.tenant;
  if (claimed.empty()) return {Json(), "-"};
  return {Json(), "(" + claimed + "?)"};
}

Result<int> list(Session& session, const RejectionListOptions& options) {
  DISTRICT_TRY(auto filter, filter_of<store::RejectionFilter>(options));
  if (options.code) filter.code = static_cast<ErrorCode>(*options.code);
  DISTRICT_TRY(const auto store, open_store(session));
  DISTRICT_TRY(auto rejections, store->list(filter));
  const bool more = cut_to_limit(rejections, options);
  Listing listing({{"rejection_id", "REJECTION"},
                   {"rejected_at", "AT"},
                   {"times", "TIMES", true},
                   {"code", "CODE", true},
                   {"fault", "FAULT"},
                   {"tenant", "TENANT"},
                   {"claimed_tenant", ""},
                   {"authenticated", ""},
                   {"peer", "PEER"},
                   {"size", "OCTETS", true},
                   {"rule", ""},
                   {"detail", "CAUSE"}});
  constexpr std::size_t kCauseShown = 100;
  for (const auto& each : rejections) {
    std::string cause(cut(each.detail, kCauseShown));
    if (cause.size() < each.detail.size()) cause += "...";
    listing.add({each.rejection_id,
                 {Json(format_instant(each.rejected_at)), format_instant(each.rejected_at, 3)},
                 each.times,
                 static_cast<std::uint64_t>(each.code),
                 fault_name(each.code, SoapVersion::v11),
                 tenant_cell(each),
                 each.diagnosis.tenant,
                 {Json(each.authenticated), each.authenticated ? "yes" : "no"},
                 each.peer,
                 each.size,
                 each.diagnosis.rule,
                 {Json(each.detail), cause}});
  }
  listing.write(session.terminal.out(), session.format());
  if (more) {
    session.terminal.note("the newest " + std::to_string(options.limit) +
                          " are shown; there are more: use --to, or raise --limit");
  }
  return exit_ok;
}

std::string seconds_text(Duration duration) {
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  const auto size = millis < 0 ? -millis : millis;
  auto fraction = std::to_string(size % 1000);
  fraction.insert(0, 3 - fraction.size(), '0');
  return std::to_string(size / 1000) + "." + fraction + " s";
}

// The difference of two clocks: that of the sender, by what it signed, and ours.
Cell clock_difference(Instant created, Instant ours) {
  const auto ahead = created - ours;
  const Json seconds = static_cast<double>(ahead.count()) / 1e6;
  return {seconds, "Created is " + seconds_text(ahead) +
                       (ahead.count() > 0 ? " ahead of our clock" : " behind our clock")};
}

Cell text_or_null(const std::string& text) {
  return text.empty() ? Cell(Json(), std::string()) : Cell(text);
}

std::string raw_state(const store::Rejection& rejection) {
  if (rejection.raw_zstd.empty()) {
    return "not kept: " + (rejection.raw_absent.empty() ? "newer ones have taken its place"
                                                        : rejection.raw_absent);
  }
  if (rejection.raw_kept < rejection.size || !rejection.size_is_whole) {
    return "its first " + std::to_string(rejection.raw_kept) +
           " octets are kept; --raw writes them";
  }
  return "kept; --raw writes it";
}

class Description {
 public:
  // A value that is not known is left out of the text, and is null in JSON.
  void add(std::string key, std::string heading, Cell cell) {
    if (cell.shown.empty()) heading.clear();
    details_.add(std::move(key), std::move(heading), std::move(cell));
  }
  void write(std::ostream& out, Format format) const { details_.write(out, format); }

 private:
  Details details_;
};

Json violations_json(const std::vector<Violation>& violations) {
  Json list = Json::array();
  for (const auto& each : violations) {
    list.push_back({{"message", each.message_index},
                    {"path", each.path},
                    {"line", each.line},
                    {"reason", each.reason}});
  }
  return list;
}

void add_cause(Description& description, const store::Rejection& rejection) {
  const auto& diagnosis = rejection.diagnosis;
  description.add("rejection_id", "Rejection", rejection.rejection_id);
  description.add("rejected_at", "At", cell_of(rejection.rejected_at, 6));
  description.add("code", "Error code", static_cast<std::uint64_t>(rejection.code));
  description.add("stage", "Stage", std::string(observe::stage_of(rejection.code)));
  description.add("fault", "Fault",
                  {Json(fault_name(rejection.code, SoapVersion::v11)),
                   fault_name(rejection.code, SoapVersion::v11) + ": " +
                       std::string(fault_kind(rejection.code).text)});
  description.add("rule", "Rule", text_or_null(diagnosis.rule));
  description.add("detail", "Cause", rejection.detail);
  description.add("hint", "What to do", text_or_null(rejection.hint));
  description.add("first_receipt_id", "First receipt", text_or_null(rejection.first_receipt_id));
  description.add("violations", "", {violations_json(rejection.violations), ""});
  description.add("signed_element", "Signed element",
                  diagnosis.reference.empty() ? text_or_null("")
                                              : Cell(Json(diagnosis.reference),
                                                     "the one with wsu:Id " + diagnosis.reference));
  description.add("expected_digest", "Digest, as signed", text_or_null(diagnosis.expected_digest));
  description.add("computed_digest", "Digest, of what came",
                  text_or_null(diagnosis.computed_digest));
}

void add_sender(Description& description, const store::Rejection& rejection) {
  const auto& diagnosis = rejection.diagnosis;
  const auto instant = [](const std::optional<Instant>& at) {
    return at ? cell_of(*at, 6) : text_or_null("");
  };
  description.add("created", "Created", instant(diagnosis.created));
  description.add("expires", "Expires", instant(diagnosis.expires));
  const auto ours = diagnosis.judged_at.value_or(rejection.rejected_at);
  description.add("judged_at", "Our clock", cell_of(ours, 6));
  description.add(
      "created_ahead_seconds", "Clocks",
      diagnosis.created ? clock_difference(*diagnosis.created, ours) : text_or_null(""));
  description.add(
      "authenticated", "Authenticated",
      {Json(rejection.authenticated),
       rejection.authenticated ? "yes" : "no: what follows of the sender is not proven"});
  description.add("tenant", "Tenant",
                  rejection.authenticated ? text_or_null(rejection.tenant) : text_or_null(""));
  description.add("claimed_tenant", rejection.authenticated ? "" : "Tenant of the certificate",
                  text_or_null(diagnosis.tenant));
  description.add("key_reference", "Key reference", text_or_null(diagnosis.key_reference));
  description.add("certificate", "Certificate SHA-256", text_or_null(diagnosis.certificate_sha256));
  description.add("subject", "Certificate of", text_or_null(diagnosis.subject));
  description.add("signature_method", "Signature method", text_or_null(diagnosis.signature_method));
}

void add_request(Description& description, const store::Rejection& rejection) {
  description.add("peer", "Peer", rejection.peer);
  description.add("size", "Octets",
                  {Json(rejection.size),
                   std::to_string(rejection.size) + (rejection.size_is_whole ? "" : " were read")});
  description.add("size_is_whole", "", {Json(rejection.size_is_whole), ""});
  description.add("content_type", "Content-Type", rejection.content_type);
  description.add("content_encoding", "Content-Encoding", rejection.content_encoding);
  description.add("soap_action", "SOAPAction", rejection.soap_action);
  description.add(
      "times", "Times",
      {Json(rejection.times), rejection.times == 1
                                  ? ""
                                  : "the same answer was given " + std::to_string(rejection.times) +
                                        " times, last at " + format_instant(rejection.last_at, 3)});
  description.add(
      "raw", "Raw envelope",
      {Json(rejection.raw_zstd.empty() ? 0 : rejection.raw_kept), raw_state(rejection)});
}

Result<int> show_raw(Session& session, const store::Rejection& rejection) {
  if (rejection.raw_zstd.empty()) {
    return fail(ErrorCode::not_found,
                "the raw envelope of " + rejection.rejection_id + " is " + raw_state(rejection),
                "settings rejections.*; districtctl check explains a file of the sender");
  }
  bool given = false;
  archive::FrameReader reader(
      [&]() -> Result<Bytes> { return std::exchange(given, true) ? Bytes{} : rejection.raw_zstd; });
  while (true) {
    DISTRICT_TRY(const auto block, reader.next());
    if (block.empty()) break;
    const auto text = as_text(block);
    session.terminal.out().write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  if (rejection.raw_kept < rejection.size || !rejection.size_is_whole)
    session.terminal.note("this is the beginning only: " + raw_state(rejection));
  return exit_ok;
}

// The server writes a rejection a moment after its answer (ADR 0013). So this waits for one of the
// last seconds.
Result<store::Rejection> find_soon(store::RejectionStore& store, const std::string& rejection_id,
                                   Instant now) {
  constexpr auto kWaited = 2s;
  constexpr auto kRecent = 10s;
  const auto made = time_of_ulid(rejection_id);
  const bool recent = made && *made > now - kRecent && *made < now + kRecent;
  const auto end = std::chrono::steady_clock::now() + (recent ? kWaited : 0s);
  while (true) {
    auto found = store.find(rejection_id);
    if (found || found.error().code != ErrorCode::not_found ||
        std::chrono::steady_clock::now() >= end) {
      return found;
    }
    std::this_thread::sleep_for(10ms);
  }
}

Result<int> show(Session& session, const std::string& rejection_id, bool raw) {
  DISTRICT_TRY(const auto store, open_store(session));
  DISTRICT_TRY(const auto rejection, find_soon(*store, rejection_id, session.now()));
  if (raw) return show_raw(session, rejection);
  Description description;
  add_cause(description, rejection);
  add_sender(description, rejection);
  add_request(description, rejection);
  auto& out = session.terminal.out();
  description.write(out, session.format());
  if (session.format() == Format::json) return exit_ok;
  for (const auto& each : rejection.violations) {
    out << "  message " << each.message_index << ", line " << each.line << ", "
        << printable(each.path) << "\n    " << printable(each.reason) << '\n';
  }
  return exit_ok;
}

}  // namespace

void add_rejection_commands(CLI::App& app, Session& session) {
  auto* rejection = app.add_subcommand("rejection", "Rejected requests, while they are kept");
  rejection->require_subcommand(1);

  auto options = std::make_shared<RejectionListOptions>();
  options->limit = 100;
  auto* list_command = rejection->add_subcommand("list", "List rejections, the newest first");
  add_list_options(*list_command, session, *options,
                   "Only those that this tenant sent, or that came with its certificate");
  list_command->add_option("--code", options->code, "Only those with this error code")
      ->type_name("NUMBER")
      ->check(CLI::Range(1000, 9999));
  list_command->footer(
      std::string(kDateNote) +
      "Example:\n"
      "  districtctl --data /var/lib/district rejection list --tenant 20 --code 2008");
  list_command->callback([&session, options] {
    session.action = [&session, options] { return list(session, *options); };
  });

  auto rejection_id = std::make_shared<std::string>();
  auto raw = std::make_shared<bool>(false);
  auto* show_command =
      rejection->add_subcommand("show", "Show the whole cause of a fault, by its rejectionId");
  show_command->add_option("rejection-id", *rejection_id, "As in the fault and in the log")
      ->type_name("REJECTION_ID")
      ->required();
  show_command->add_flag("--raw", *raw, "Write the octets as they were received");
  show_command->footer(
      "Examples:\n"
      "  districtctl --data /var/lib/district rejection show 01JD3Z0A9V4T8M6Q2H5W7X1C0B\n"
      "  districtctl --data /var/lib/district rejection show 01JD3Z0A9V4T8M6Q2H5W7X1C0B --raw > "
      "envelope.xml");
  show_command->callback([&session, rejection_id, raw] {
    session.action = [&session, rejection_id, raw] { return show(session, *rejection_id, *raw); };
  });
}

}  // namespace district::admin
