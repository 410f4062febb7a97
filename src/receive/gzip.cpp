#include "receive/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/limits.h"

namespace district::receive {
namespace {

constexpr int kGzipOnly = 16;  // added to the window bits: no zlib header, no raw stream
constexpr std::size_t kUintMax = std::numeric_limits<uInt>::max();

tl::unexpected<Error> damaged() {
  return fail(ErrorCode::xml_malformed, "the gzip stream is damaged or cut off");
}

}  // namespace

// Owns the state of a z_stream.
struct Gunzip::Inflater {
  Inflater() { ready = ::inflateInit2(&stream, MAX_WBITS + kGzipOnly) == Z_OK; }
  ~Inflater() {
    if (ready) ::inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream{};
  ByteView left;  // of the coded block, beyond what the stream has been shown
  bool ready = false;
};

Gunzip::Gunzip(std::unique_ptr<ByteSource> coded, std::size_t octets_max)
    : coded_(std::move(coded)), octets_max_(octets_max), inflater_(std::make_unique<Inflater>()) {
  if (!inflater_->ready) ended_ = fail(ErrorCode::internal, "zlib: no memory");
}

Gunzip::~Gunzip() = default;

// Shows more of the coded octets to the stream; false: it has been shown all.
Result<bool> Gunzip::refill() {
  auto& stream = inflater_->stream;
  if (stream.avail_in > 0) return true;
  if (inflater_->left.empty()) {
    DISTRICT_TRY(inflater_->left, coded_->next());
    if (inflater_->left.empty()) return false;
  }
  const auto part = inflater_->left.first(std::min(inflater_->left.size(), kUintMax));
  // zlib does not write to its input; the member lacks const for C's sake.
  stream.next_in = const_cast<Bytef*>(as_uchar(part));
  stream.avail_in = static_cast<uInt>(part.size());
  inflater_->left = inflater_->left.subspan(part.size());
  return true;
}

Result<Ok> Gunzip::check_end() {
  DISTRICT_TRY(const bool more, refill());
  if (more) return fail(ErrorCode::xml_malformed, "octets follow the end of the gzip stream");
  return Ok{};
}

Result<std::size_t> Gunzip::inflate_into(std::span<std::byte> out) {
  auto& stream = inflater_->stream;
  std::size_t used = 0;
  while (used < out.size()) {
    // Without more it may still have something to give; where it has not, inflate() says so.
    DISTRICT_CHECK(refill());
    const auto room = static_cast<uInt>(std::min(out.size() - used, kUintMax));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = room;
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    used += room - stream.avail_out;
    if (octets_ + used > octets_max_) {
      return fail(ErrorCode::too_large,
                  "the body inflates to more than " + std::to_string(octets_max_) + " octets");
    }
    if (result == Z_STREAM_END) {
      DISTRICT_CHECK(check_end());
      ended_ = true;
      break;
    }
    if (result != Z_OK) return damaged();
  }
  octets_ += used;
  return used;
}

Result<std::size_t> Gunzip::read(std::span<std::byte> out) {
  if (!ended_) return fail(ended_.error());
  if (*ended_) return std::size_t{0};
  auto used = inflate_into(out);
  if (!used) ended_ = fail(used.error());
  return used;
}

Result<ByteView> Gunzip::next() {
  block_.resize(limits::kBlockOctets);
  DISTRICT_TRY(const auto used, read(block_));
  return ByteView(block_).first(used);
}

}  // namespace district::receive
