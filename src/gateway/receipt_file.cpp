#include "gateway/receipt_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/characters.h"
#include "base/ulid.h"
#include "gateway/kept_files.h"
#include "log/held_receipt.h"

namespace district::gateway {
namespace {

constexpr mode_t kFileMode = 0644;
// A line has about 400 octets and the name of a file.
constexpr std::size_t kLineOctetsMax = 64 * 1024;
// More copies would prove nothing more about a server that gives one id to several envelopes.
constexpr int kCopiesMax = 100;

tl::unexpected<Error> cannot(const char* what, const std::string& path, int reason) {
  return fail(ErrorCode::file_unreadable,
              std::string("cannot ") + what + " " + path + ": " + std::strerror(reason));
}

// Held while the end of the file is read or written, because another gateway may append to it, too.
class Lock {
 public:
  explicit Lock(int descriptor) : descriptor_(descriptor) {
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Lock() { ::flock(descriptor_, LOCK_UN); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int descriptor_;
};

// Only what may be a torn receipt is mended. A file that somebody names by mistake is left as it
// is.
bool may_be_torn_receipt(std::string_view line) {
  constexpr std::string_view kStart = "{\"file\":";
  // After a loss of power a file may end with zero octets.
  return line.starts_with(kStart) || kStart.starts_with(line) || line.front() == '\0';
}

// Whether the file has an end to mend. Somebody may have named a device or a pipe, which have none.
bool is_ordinary(int descriptor) { return ::lseek(descriptor, 0, SEEK_END) >= 0; }

// The text after the last end of a line, and where it starts.
Result<std::pair<std::string, off_t>> last_line(int descriptor, const std::string& path) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(kLineOctetsMax));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  std::size_t read = 0;
  while (read < text.size()) {
    const ssize_t count = ::pread(descriptor, text.data() + read, text.size() - read,
                                  from + static_cast<off_t>(read));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return cannot("read", path, errno);
    if (count == 0) break;
    read += static_cast<std::size_t>(count);
  }
  text.resize(read);
  const auto end = text.rfind('\n');
  const auto start = end == std::string::npos ? 0 : end + 1;
  return std::pair{text.substr(start), from + static_cast<off_t>(start)};
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
      keep_folder_(std::move(other.keep_folder_)),
      mended_(std::move(other.mended_)),
      digests_(std::move(other.digests_)) {}

ReceiptFile::~ReceiptFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<ReceiptFile> ReceiptFile::open(const std::string& path, const std::string& keep_folder) {
  if (!keep_folder.empty()) DISTRICT_CHECK(make_kept_folder(keep_folder));
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (descriptor < 0) return cannot("write", path, errno);
  ReceiptFile file(descriptor, path, keep_folder);
  if (is_ordinary(descriptor)) DISTRICT_CHECK(file.mend_last_line());
  return file;
}

Result<Ok> ReceiptFile::mend_last_line() {
  const Lock lock(descriptor_);
  DISTRICT_TRY(const auto found, last_line(descriptor_, path_));
  const auto& [line, start] = found;
  if (line.empty()) return Ok{};
  if (const auto whole = log::read_held_receipt(line)) {
    DISTRICT_CHECK(append_line(""));
    mended_ = path_ + ": the last line had no end; its receipt " + whole->receipt_id + " is whole";
    return Ok{};
  }
  if (!may_be_torn_receipt(line)) {
    return fail(ErrorCode::gateway_input, path_ + " is no file of receipts: its last line is none",
                "--receipts names a file of this gateway's own, or a new one");
  }
  const auto torn_path = path_ + ".torn";
  const int torn = ::open(torn_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
  if (torn < 0) return cannot("write", torn_path, errno);
  auto saved = write_all(torn, torn_path, line + "\n");
  if (saved && ::fsync(torn) != 0 && errno != EINVAL) saved = cannot("write", torn_path, errno);
  ::close(torn);
  DISTRICT_CHECK(saved);
  if (::ftruncate(descriptor_, start) != 0 || ::fsync(descriptor_) != 0)
    return cannot("write", path_, errno);
  const auto id = log::read_torn_line(line).receipt_id;
  mended_ = path_ + ": the last line was torn, as by a full disk, and is now in " + torn_path +
            "; its receipt is " + (id.empty() ? "not named in it" : id) +
            ": the envelope is in, and the server's operator can show it";
  return Ok{};
}

// A line that the disk takes only in part is removed again, since the next line must not follow it.
Result<Ok> ReceiptFile::append_line(const std::string& line) {
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  auto written = write_all(descriptor_, path_, line + "\n");
  if (written && ::fdatasync(descriptor_) != 0 && errno != EINVAL && errno != EROFS)
    written = cannot("write", path_, errno);
  if (!written && before >= 0 && ::ftruncate(descriptor_, before) != 0)
    written.error().detail += "; its last line may be torn";
  return written;
}

Result<Ok> ReceiptFile::append(const DeliveredEnvelope& envelope, std::string_view request,
                               std::string_view response) {
  const auto& id = envelope.receipt_id;
  if (!is_ulid(id)) {
    return fail(ErrorCode::gateway_receipt_invalid,
                "the receipt's id is no ULID: " + id.substr(0, 100));
  }
  const auto line = to_json_line(envelope);
  {
    const Lock lock(descriptor_);
    if (const auto appended = append_line(line); !appended) {
      return fail(
          ErrorCode::internal,
          "the envelope is in, but its receipt could not be recorded: " + appended.error().detail,
          "keep this line for " + path_ + ": " + line);
    }
  }
  const auto [known, is_new] = digests_.emplace(id, envelope.payload_digest);
  std::string contradiction;
  if (!is_new && known->second != envelope.payload_digest)
    contradiction = "the lines in " + path_ + " prove it";
  if (!keep_folder_.empty()) {
    const auto kept_whole = keep(id, request, response);
    if (!kept_whole) {
      return fail(ErrorCode::internal, "receipt " + id +
                                           " is recorded, but its signed octets could not be "
                                           "kept: " +
                                           kept_whole.error().detail);
    }
    if (!*kept_whole) contradiction = "both are kept in " + keep_folder_;
  }
  if (contradiction.empty()) return Ok{};
  return fail(
      ErrorCode::gateway_receipt_invalid,
      "the server gave the receipt's id " + id + " to two different envelopes: " + contradiction,
      "one of them may be lost at the server; ask its operator, and keep the proof");
}

// Uses the first name at which nothing else is kept: ID, ID-2, ID-3 and so on.
Result<bool> ReceiptFile::keep(const std::string& id, std::string_view request,
                               std::string_view response) {
  bool is_first = true;
  for (int copy = 1; copy <= kCopiesMax; ++copy) {
    const auto stem = copy == 1 ? id : id + "-" + std::to_string(copy);
    const std::pair<std::string, std::string_view> files[] = {{stem + ".request.xml", request},
                                                              {stem + ".response.xml", response}};
    DISTRICT_TRY(const auto request_there, compare_kept(keep_folder_, files[0].first, request));
    DISTRICT_TRY(const auto response_there, compare_kept(keep_folder_, files[1].first, response));
    if (request_there == Kept::different) is_first = false;
    if (request_there == Kept::different || response_there == Kept::different) continue;
    if (request_there == Kept::absent)
      DISTRICT_CHECK(write_kept(keep_folder_, files[0].first, request));
    if (response_there == Kept::absent)
      DISTRICT_CHECK(write_kept(keep_folder_, files[1].first, response));
    return is_first;
  }
  return fail(ErrorCode::internal, "there are too many files of this receipt");
}

}  // namespace district::gateway
