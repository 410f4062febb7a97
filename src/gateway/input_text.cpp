#include "gateway/input_text.h"

#include <zlib.h>

#include <array>

#include "base/bytes.h"
#include "base/file.h"

namespace district::gateway {
namespace {

constexpr std::string_view kGzipMagic = "\x1F\x8B";
constexpr const char* kTooLarge = "send it in parts, such as a month a file";
constexpr int kGzipOnly = 15 + 16;  // the largest window; zlib.h, inflateInit2()

tl::unexpected<Error> unreadable(const std::string& path, const std::string& reason,
                                 std::string hint = {}) {
  return fail(ErrorCode::file_unreadable, "cannot read " + path + ": " + reason, std::move(hint));
}

tl::unexpected<Error> too_large(const std::string& path) {
  return unreadable(path,
                    "it has more than " + std::to_string(kInputOctetsMax / (1024 * 1024)) + " MiB",
                    kTooLarge);
}

class Inflater {
 public:
  Inflater() { good_ = ::inflateInit2(&stream_, kGzipOnly) == Z_OK; }
  ~Inflater() {
    if (good_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Decodes one member from the front of `coded`. Errors: file_unreadable.
  Result<Ok> member(std::string_view& coded, std::string& text, const std::string& path) {
    if (!good_ || ::inflateReset(&stream_) != Z_OK) return unreadable(path, "out of memory");
    // zlib does not write to what it reads.
    stream_.next_in = const_cast<Bytef*>(as_uchar(as_bytes(coded)));
    stream_.avail_in = static_cast<uInt>(coded.size());
    std::array<char, 64 * 1024> block;
    for (int outcome = Z_OK; outcome != Z_STREAM_END;) {
      stream_.next_out = reinterpret_cast<Bytef*>(block.data());
      stream_.avail_out = static_cast<uInt>(block.size());
      outcome = ::inflate(&stream_, Z_NO_FLUSH);
      const std::size_t count = block.size() - stream_.avail_out;
      text.append(block.data(), count);
      if (text.size() > kInputOctetsMax) return too_large(path);
      if (outcome == Z_OK || outcome == Z_STREAM_END) continue;
      if (outcome == Z_BUF_ERROR) return unreadable(path, "the gzip file is cut short");
      return unreadable(path, std::string("the gzip file is damaged: ") +
                                  (stream_.msg == nullptr ? "unknown cause" : stream_.msg));
    }
    coded.remove_prefix(coded.size() - stream_.avail_in);
    return Ok{};
  }

 private:
  z_stream stream_{};
  bool good_ = false;
};

Result<std::string> decode(std::string_view coded, const std::string& path) {
  std::string text;
  Inflater inflater;
  while (!coded.empty()) {
    if (!coded.starts_with(kGzipMagic)) {
      return unreadable(path,
                        std::to_string(coded.size()) + " octets follow the end of the gzip file",
                        "rows that were added to it are not compressed: unpack it, add them, and "
                        "pack it again");
    }
    DISTRICT_CHECK(inflater.member(coded, text, path));
  }
  return text;
}

}  // namespace

Result<std::string> read_input(const std::string& path) {
  DISTRICT_TRY(auto octets, read_file(path, kInputOctetsMax, kTooLarge));
  if (!octets.starts_with(kGzipMagic)) return octets;
  return decode(octets, path);
}

}  // namespace district::gateway
