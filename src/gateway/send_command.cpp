#include "gateway/send_command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "crypto/certificate.h"
#include "gateway/compose.h"
#include "gateway/csv_source.h"
#include "gateway/delivery.h"
#include "gateway/https_client.h"
#include "gateway/receipt.h"
#include "gateway/receipt_file.h"
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

// Where the receipts themselves do not scroll by, a line on stderr every few seconds says how far
// it is.
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
  std::cerr << "district-gateway: " << reason.detail << "; trying again in "
            << static_cast<double>(wait.count()) / 1000 << " s\n";
}

// From rows to receipts: fills an envelope, sends it, starts the next.
class Sender {
 public:
  Sender(const SendOptions& options, crypto::KeyPair signer)
      : options_(options), signer_(std::move(signer)) {}

  Result<Ok> connect() {
    DISTRICT_TRY(auto url, parse_url(options_.url));
    DISTRICT_TRY(auto client, HttpsClient::create(url, options_.ca_file, options_.deadline));
    DISTRICT_TRY(auto verifier, AnswerVerifier::create(options_.receipt_certificate_files,
                                                       options_.ca_file, url.host));
    DISTRICT_TRY(auto receipts, ReceiptFile::open(options_.receipts_file, options_.keep_folder));
    courier_.emplace(std::move(client), std::move(verifier), clock_,
                     DeliveryOptions{options_.soap_version, options_.retry_for, tell_retry});
    receipts_.emplace(std::move(receipts));
    return Ok{};
  }

  Result<Ok> send_file(const std::string& path) {
    DISTRICT_TRY(auto rows, open_rows(path));
    const std::size_t before = progress_.messages();
    for (;;) {
      DISTRICT_TRY(auto row, rows->next());
      if (!row) break;
      if (!selected(*row, options_)) continue;
      ComposeOptions compose{options_.source, options_.valid_from, clock_.now()};
      DISTRICT_TRY(auto message, compose_message(*row, compose));
      messages_.push_back(std::move(message));
      if (messages_.size() < options_.messages_per_envelope) continue;
      DISTRICT_CHECK(flush(path));
      if (options_.dry_run) return Ok{};
    }
    DISTRICT_CHECK(flush(path));
    if (progress_.messages() > before) return Ok{};
    return fail(ErrorCode::gateway_input, path + ": no row is selected",
                "check --from, --to and --meter");
  }

  const Progress& progress() const { return progress_; }

 private:
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
    progress_.count(count);
    if (options_.dry_run) {
      std::cout << request.envelope << std::endl;
      return Ok{};
    }
    DISTRICT_TRY(auto delivered, courier_->deliver(request, count));
    delivered.envelope.file = path;
    DISTRICT_CHECK(receipts_->append(delivered.envelope, request.envelope, delivered.response));
    print_receipt(delivered.envelope, options_.json);
    return Ok{};
  }

  const SendOptions& options_;
  crypto::KeyPair signer_;
  SystemClock clock_;
  std::optional<Courier> courier_;
  std::optional<ReceiptFile> receipts_;
  std::vector<std::string> messages_;
  Progress progress_;
};

}  // namespace

Result<Ok> send(const SendOptions& options) {
  DISTRICT_TRY(auto signer, crypto::read_key_pair(options.certificate_file, options.key_file));
  Sender sender(options, std::move(signer));
  if (!options.dry_run) DISTRICT_CHECK(sender.connect());
  for (const std::string& file : options.files) {
    DISTRICT_CHECK(sender.send_file(file));
    if (options.dry_run) return Ok{};
  }
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
