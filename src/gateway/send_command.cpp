#include "gateway/send_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>
#include <utility>

#include "base/characters.h"
#include "base/near_name.h"
#include "gateway/compose.h"
#include "gateway/csv_source.h"
#include "gateway/delivery.h"
#include "gateway/https_client.h"
#include "gateway/receipt.h"
#include "gateway/receipt_file.h"
#include "gateway/row_check.h"
#include "gateway/signer.h"
#include "xml/signed_envelope.h"

namespace district::gateway {
namespace {

using namespace std::chrono_literals;

bool selected(const Row& row, const SendOptions& options) {
  const auto& meters = options.meters;
  if (!meters.empty() && std::find(meters.begin(), meters.end(), meter_of(row)) == meters.end()) {
    return false;
  }
  const auto time = time_of(row);
  if (!time) return true;
  return (!options.from || *time >= *options.from) && (!options.to || *time < *options.to);
}

// When the receipts are not printed as they come, a line on stderr tells the progress every few
// seconds.
class Progress {
 public:
  void count(std::size_t messages) {
    messages_ += messages;
    ++envelopes_;
    const auto now = std::chrono::steady_clock::now();
    if (shown_by_receipts_ || now - started_ < 2s || now - last_ < 3s) return;
    last_ = now;
    std::cerr << "district-gateway: " << messages_ << " messages in " << envelopes_
              << " envelopes so far\n";
  }
  std::size_t messages() const { return messages_; }
  std::size_t envelopes() const { return envelopes_; }

 private:
  bool shown_by_receipts_ = ::isatty(STDOUT_FILENO) == 1;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_{};
  std::size_t messages_ = 0;
  std::size_t envelopes_ = 0;
};

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

void print_receipt(const DeliveredEnvelope& envelope, bool json) {
  if (json) {
    std::cout << to_json_line(envelope) << std::endl;
    return;
  }
  std::cout << envelope.receipt_id << "  " << format_instant(envelope.received_at, 3) << "  "
            << counted(envelope.message_count, "message");
  if (envelope.log) {
    std::cout << "  leaf " << envelope.log->leaf_index << " of " << envelope.log->tree_size
              << "  root " << to_hex(envelope.log->root_hash).substr(0, 16);
  } else {
    std::cout << "  was already in";
  }
  std::cout << std::endl;
}

void tell_retry(const Error& reason, std::chrono::milliseconds wait) {
  std::cerr << "district-gateway: " << visible(reason.detail) << "; trying again in "
            << static_cast<double>(wait.count()) / 1000 << " s\n";
}

void note(const std::string& text) {
  std::cerr << "district-gateway: note: " << visible(text) << '\n';
}

// A file whose rows have all been read once, so that nothing of a bad file is sent.
struct CheckedFile {
  std::string path;
  std::unique_ptr<RowSource> rows;
  std::vector<std::size_t> repeats;  // ordinals of rows that need not be sent
};

Error nothing_selected(const std::string& path, const SendOptions& options,
                       const std::set<std::string>& meters) {
  Error error{ErrorCode::gateway_input,
              path + ": no row is selected",
              "check --from, --to and --meter",
              {},
              {}};
  if (meters.empty()) error = {ErrorCode::gateway_input, path + ": there are no rows", {}, {}, {}};
  const std::vector<std::string> known(meters.begin(), meters.end());
  for (const std::string& meter : options.meters) {
    if (meters.contains(meter) || meters.empty()) continue;
    error.hint = "no meter of the file is " + visible(meter) + did_you_mean(meter, known);
  }
  return error;
}

// Adds the names of the meters in the file to `seen`.
Result<CheckedFile> check_file(const std::string& path, const SendOptions& options, Instant now,
                               std::set<std::string>& seen) {
  DISTRICT_TRY(auto rows, open_rows(path));
  for (const std::string& text : rows->notes()) note(text);
  RowCheck check(path, options.source);
  const ComposeOptions compose{options.source, options.valid_from, now};
  std::set<std::string> meters;
  bool any = false;
  for (std::size_t ordinal = 0;; ++ordinal) {
    DISTRICT_TRY(const auto row, rows->next());
    if (!row) break;
    meters.insert(meter_of(*row));
    if (!selected(*row, options)) continue;
    DISTRICT_CHECK(compose_message(*row, compose));
    check.take(*row, ordinal, rows->line());
    any = true;
  }
  auto repeats = check.judge();
  for (const std::string& text : check.notes()) note(text);
  if (!repeats) return fail(std::move(repeats).error());
  if (!any) return fail(nothing_selected(path, options, meters));
  seen.merge(meters);
  rows->rewind();
  return CheckedFile{path, std::move(rows), std::move(*repeats)};
}

// From rows to receipts: fills an envelope, sends it, starts the next.
class Sender {
 public:
  Sender(const SendOptions& options, Signer signer)
      : options_(options), signer_(std::move(signer)) {}

  Result<Ok> connect() {
    DISTRICT_TRY(auto url, parse_url(options_.url));
    DISTRICT_TRY(auto client, HttpsClient::create(url, options_.ca_file, options_.deadline));
    DISTRICT_TRY(auto verifier, AnswerVerifier::create(options_.receipt_certificate_files,
                                                       options_.ca_file, url.host));
    DISTRICT_TRY(auto receipts, ReceiptFile::open(options_.receipts_file, options_.keep_folder));
    if (!receipts.mended().empty()) note(receipts.mended());
    courier_.emplace(std::move(client), std::move(verifier), clock_,
                     DeliveryOptions{options_.soap_version, options_.retry_for, tell_retry});
    receipts_.emplace(std::move(receipts));
    return Ok{};
  }

  // Errors: those of a file that cannot be read completely. They come before anything of any file
  // is sent.
  Result<Ok> check_files() {
    std::set<std::string> meters;
    for (const std::string& path : options_.files) {
      DISTRICT_TRY(auto file, check_file(path, options_, clock_.now(), meters));
      files_.push_back(std::move(file));
    }
    const std::vector<std::string> known(meters.begin(), meters.end());
    for (const std::string& meter : options_.meters) {
      if (meters.contains(meter)) continue;
      return fail(ErrorCode::gateway_input,
                  "--meter " + meter + ": no file has it" + did_you_mean(meter, known));
    }
    return Ok{};
  }

  Result<Ok> send_files() {
    for (CheckedFile& file : files_) {
      DISTRICT_CHECK(send_file(file));
      if (options_.dry_run) return Ok{};
      file.rows.reset();
    }
    return Ok{};
  }

  const Progress& progress() const { return progress_; }

 private:
  Result<Ok> send_file(CheckedFile& file) {
    auto repeat = file.repeats.begin();
    for (std::size_t ordinal = 0;; ++ordinal) {
      DISTRICT_TRY(auto row, file.rows->next());
      if (!row) break;
      if (!selected(*row, options_)) continue;
      if (repeat != file.repeats.end() && *repeat == ordinal) {
        ++repeat;
        continue;
      }
      ComposeOptions compose{options_.source, options_.valid_from, clock_.now()};
      DISTRICT_TRY(auto message, compose_message(*row, compose));
      messages_.push_back(std::move(message));
      if (messages_.size() < options_.messages_per_envelope) continue;
      DISTRICT_CHECK(flush(file.path));
      if (options_.dry_run) return Ok{};
    }
    return flush(file.path);
  }

  Result<Ok> flush(const std::string& path) {
    if (messages_.empty()) return Ok{};
    const std::size_t count = messages_.size();
    const std::string body = compose_body(options_.tenant, messages_);
    messages_.clear();
    xml::EnvelopeToSign envelope;
    envelope.version = options_.soap_version;
    envelope.body_content = body;
    envelope.created = clock_.now();
    DISTRICT_TRY(auto request,
                 xml::write_signed_envelope(envelope, signer_.certificate, signer_.key));
    if (options_.dry_run) {
      std::cout << request.envelope << std::endl;
      return Ok{};
    }
    progress_.count(count);
    DISTRICT_TRY(auto delivered, courier_->deliver(request, count));
    delivered.envelope.file = path;
    const auto recorded =
        receipts_->append(delivered.envelope, request.envelope, delivered.response);
    // The envelope is in the archive, so it is printed even when the disk does not take its
    // receipt.
    print_receipt(delivered.envelope, options_.json);
    return recorded;
  }

  const SendOptions& options_;
  Signer signer_;
  SystemClock clock_;
  std::optional<Courier> courier_;
  std::optional<ReceiptFile> receipts_;
  std::vector<CheckedFile> files_;
  std::vector<std::string> messages_;
  Progress progress_;
};

}  // namespace

Result<Ok> send(const SendOptions& options) {
  DISTRICT_TRY(auto signer, load_signer(options.certificate_file, options.key_file));
  if (!signer.note.empty()) note(signer.note);
  if (const auto doubt = validity_doubt(signer.certificate, SystemClock().now()); !doubt.empty())
    note(options.certificate_file + ": " + doubt);
  Sender sender(options, std::move(signer));
  DISTRICT_CHECK(sender.check_files());
  if (!options.dry_run) DISTRICT_CHECK(sender.connect());
  DISTRICT_CHECK(sender.send_files());
  if (options.dry_run) return Ok{};
  if (!options.json) {
    std::cout << counted(sender.progress().messages(), "message") << " in "
              << counted(sender.progress().envelopes(), "envelope") << "; receipts in "
              << options.receipts_file << std::endl;
  }
  return Ok{};
}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::gateway_input:
    case ErrorCode::file_unreadable:
    case ErrorCode::config_invalid:
    case ErrorCode::token_invalid:
      return 2;
    case ErrorCode::gateway_unreachable:
      return 3;
    case ErrorCode::gateway_refused:
      return 4;
    case ErrorCode::gateway_try_later:
      return 5;
    case ErrorCode::gateway_receipt_invalid:
      return 6;
    default:
      return 1;
  }
}

}  // namespace district::gateway
