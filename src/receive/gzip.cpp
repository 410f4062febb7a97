#include "receive/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace district::receive {
namespace {

constexpr int kGzipOnly = 16;  // added to the window bits: no zlib header, no raw stream
constexpr std::size_t kFirstOctets = 64 * 1024;

// Owns the state of a z_stream.
class Inflater {
 public:
  explicit Inflater(ByteView coded) : rest_(coded) {
    ready_ = ::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
  }
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ready() const { return ready_; }
  bool input_left() const { return stream_.avail_in > 0 || !rest_.empty(); }

  // Inflates into `out`; gives zlib's result and sets `written`.
  int step(std::span<std::byte> out, std::size_t& written) {
    if (stream_.avail_in == 0) {
      const auto part = rest_.first(std::min<std::size_t>(rest_.size(), kUintMax));
      // zlib does not write to its input; the member lacks const for C's sake.
      stream_.next_in = const_cast<Bytef*>(as_uchar(part));
      stream_.avail_in = static_cast<uInt>(part.size());
      rest_ = rest_.subspan(part.size());
    }
    const auto room = static_cast<uInt>(std::min<std::size_t>(out.size(), kUintMax));
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = room;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    written = room - stream_.avail_out;
    return result;
  }

 private:
  static constexpr std::size_t kUintMax = std::numeric_limits<uInt>::max();
  z_stream stream_{};
  ByteView rest_;
  bool ready_ = false;
};

}  // namespace

Result<Bytes> gunzip(ByteView coded, std::size_t octets_max) {
  Inflater inflater(coded);
  if (!inflater.ready()) return fail(ErrorCode::internal, "zlib: no memory");
  // One octet more than allowed, so that a stream of exactly the bound can come to its end.
  const std::size_t room_max = octets_max + 1;
  Bytes out(std::min(kFirstOctets, room_max));
  std::size_t used = 0;
  while (true) {
    std::size_t written = 0;
    const int result = inflater.step(std::span(out).subspan(used), written);
    used += written;
    if (used > octets_max) {
      return fail(ErrorCode::too_large,
                  "the body inflates to more than " + std::to_string(octets_max) + " octets");
    }
    if (result == Z_STREAM_END) break;
    if (result != Z_OK)
      return fail(ErrorCode::xml_malformed, "the gzip stream is damaged or cut off");
    if (used == out.size()) out.resize(std::min(out.size() * 2, room_max));
  }
  if (inflater.input_left()) {
    return fail(ErrorCode::xml_malformed, "octets follow the end of the gzip stream");
  }
  out.resize(used);
  return out;
}

}  // namespace district::receive
