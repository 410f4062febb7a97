// The gateway's own record of what was delivered: one JSON object per line, each on disk before the
// next envelope is sent. If wanted, it also keeps the signed octets themselves. Nothing in it is
// ever overwritten, since it may be the proof against the server.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"

namespace district::gateway {

// What is known of an accepted envelope.
struct DeliveredEnvelope {
  std::string file;  // from which the data came
  std::string receipt_id;
  Instant received_at{};
  std::size_t message_count = 0;
  Sha256Digest payload_digest{};
  // The leaf and log of the receipt. nullopt when the server confirmed an earlier copy whose
  // receipt was lost on the way.
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
  // Opens the file for appending. keep_folder: where request and answer are kept, as
  // RECEIPT_ID.request.xml and RECEIPT_ID.response.xml; empty: they are not kept.
  // A last line without its end is mended first. A whole receipt gets its end, a torn one is moved
  // to PATH.torn. Errors: file_unreadable.
  static Result<ReceiptFile> open(const std::string& path, const std::string& keep_folder);
  ReceiptFile(ReceiptFile&& other) noexcept;
  ReceiptFile& operator=(ReceiptFile&&) = delete;
  ~ReceiptFile();

  // Says what open() has mended; empty: nothing.
  const std::string& mended() const { return mended_; }

  // Returns when the line and the kept octets are on disk. Each of them is written completely or
  // not at all.
  // Errors: internal when the disk does not take them (the detail has the line);
  // gateway_receipt_invalid when the id of the receipt is no ULID, or is that of another envelope;
  // then both are kept.
  Result<Ok> append(const DeliveredEnvelope& envelope, std::string_view request,
                    std::string_view response);

 private:
  ReceiptFile(int descriptor, std::string path, std::string keep_folder);
  Result<Ok> mend_last_line();
  Result<Ok> append_line(const std::string& line);
  // Whether no other request was kept under the id.
  Result<bool> keep(const std::string& id, std::string_view request, std::string_view response);

  int descriptor_;
  std::string path_;
  std::string keep_folder_;
  std::string mended_;
  std::map<std::string, Sha256Digest> digests_;  // of this run's envelopes, by receipt
};

}  // namespace district::gateway
