#include "gateway/receipt_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

namespace district::gateway {
namespace {

constexpr mode_t kFileMode = 0644;

tl::unexpected<Error> cannot_write(const std::string& path, int reason) {
  return fail(ErrorCode::file_unreadable, "cannot write " + path + ": " + std::strerror(reason));
}

Result<Ok> write_all(int descriptor, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok{};
}

Result<Ok> write_file(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return cannot_write(path, errno);
  auto written = write_all(descriptor, path, text);
  if (::close(descriptor) != 0 && written) return cannot_write(path, errno);
  return written;
}

}  // namespace

std::string to_json_line(const DeliveredEnvelope& envelope) {
  nlohmann::ordered_json line;
  line["file"] = envelope.file;
  line["receiptId"] = envelope.receipt_id;
  line["receivedAt"] = format_instant(envelope.received_at);
  line["messageCount"] = envelope.message_count;
  line["payloadDigest"] = to_base64(envelope.payload_digest);
  if (envelope.log) {
    line["leafIndex"] = envelope.log->leaf_index;
    line["treeSize"] = envelope.log->tree_size;
    line["rootHash"] = to_base64(envelope.log->root_hash);
  }
  line["replayed"] = !envelope.log.has_value();
  // A file name need not be UTF-8.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

ReceiptFile::ReceiptFile(int descriptor, std::string path, std::string keep_folder)
    : descriptor_(descriptor), path_(std::move(path)), keep_folder_(std::move(keep_folder)) {}

ReceiptFile::ReceiptFile(ReceiptFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      keep_folder_(std::move(other.keep_folder_)) {}

ReceiptFile::~ReceiptFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<ReceiptFile> ReceiptFile::open(const std::string& path, const std::string& keep_folder) {
  if (!keep_folder.empty()) {
    std::error_code problem;
    std::filesystem::create_directories(keep_folder, problem);
    if (problem) return cannot_write(keep_folder, problem.value());
  }
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return cannot_write(path, errno);
  return ReceiptFile(descriptor, path, keep_folder);
}

Result<Ok> ReceiptFile::append(const DeliveredEnvelope& envelope, std::string_view request,
                               std::string_view response) {
  DISTRICT_CHECK(write_all(descriptor_, path_, to_json_line(envelope) + "\n"));
  if (::fdatasync(descriptor_) != 0 && errno != EINVAL) return cannot_write(path_, errno);
  if (keep_folder_.empty()) return Ok{};
  const std::string stem = keep_folder_ + "/" + envelope.receipt_id;
  DISTRICT_CHECK(write_file(stem + ".request.xml", request));
  return write_file(stem + ".response.xml", response);
}

}  // namespace district::gateway
