// The gateway's own record of what was delivered: one JSON object a line, each on disk before the
// next envelope is sent, and, where wanted, the signed octets themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::gateway {

// What is known of an accepted envelope.
struct DeliveredEnvelope {
  std::string file;  // the data came from
  std::string receipt_id;
  Instant received_at{};
  std::size_t message_count = 0;
  Sha256Digest payload_digest{};
  // Leaf and log of the receipt; nothing when the server confirmed an earlier copy, whose receipt
  // was lost on the way.
  struct LogState {
    std::uint64_t leaf_index = 0;
    std::uint64_t tree_size = 0;
    Sha256Digest root_hash{};
  };
  std::optional<LogState> log;
};

// One line of JSON, without its end.
std::string to_json_line(const DeliveredEnvelope& envelope);

class ReceiptFile {
 public:
  // Opens for appending. keep_folder: where request and answer go, as RECEIPT_ID.request.xml and
  // RECEIPT_ID.response.xml; empty: they are not kept. Errors: file_unreadable.
  static Result<ReceiptFile> open(const std::string& path, const std::string& keep_folder);
  ReceiptFile(ReceiptFile&& other) noexcept;
  ReceiptFile& operator=(ReceiptFile&&) = delete;
  ~ReceiptFile();

  // Returns when the line is on disk. Errors: file_unreadable.
  Result<Ok> append(const DeliveredEnvelope& envelope, std::string_view request,
                    std::string_view response);

 private:
  ReceiptFile(int descriptor, std::string path, std::string keep_folder);
  int descriptor_;
  std::string path_;
  std::string keep_folder_;
};

}  // namespace district::gateway
