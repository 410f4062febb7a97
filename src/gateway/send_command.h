// district-gateway send: makes signed envelopes of files of meter data, and gets receipts for them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/envelope.h"

namespace district::gateway {

struct SendOptions {
  std::vector<std::string> files;
  std::string url;
  std::string tenant;
  std::string certificate_file;
  std::string key_file;
  std::string ca_file;
  std::vector<std::string> receipt_certificate_files;
  std::string source;               // empty: that of the row
  std::vector<std::string> meters;  // empty: all
  std::optional<Instant> from;      // included
  std::optional<Instant> to;        // excluded
  Instant valid_from{};             // for master data whose file has none
  std::size_t messages_per_envelope = 24;
  std::string receipts_file = "receipts.jsonl";
  std::string keep_folder;  // empty: octets are not kept
  SoapVersion soap_version = SoapVersion::v11;
  std::chrono::seconds retry_for{60};
  std::chrono::seconds deadline{30};  // of each step on the network
  bool json = false;
  bool dry_run = false;
};

// Sends all files in order, and stops at the first failure. What was delivered before is in the
// receipts file. Results go to stdout, progress to stderr.
// Errors: gateway_input, file_unreadable, token_invalid, config_invalid; those of Courier.
Result<Ok> send(const SendOptions& options);

// 0 is success; 2 usage or input, 3 unreachable, 4 refused, 5 try later, 6 receipt does not verify,
// 1 anything else.
int exit_code(ErrorCode code);

}  // namespace district::gateway
