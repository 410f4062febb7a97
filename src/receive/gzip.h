// The gzip content coding, decoded block by block, with a bound on what comes out.
// Source: RFC 1952; RFC 9110 section 8.4.1.3.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/error.h"

namespace district::receive {

// Exactly one member and nothing after it: what follows would be octets that no digest covers.
// Memory is flat, and work goes with what is asked for, not with what the stream claims to hold.
class Gunzip final : public ByteSource {
 public:
  // `octets_max`: of all that comes out.
  Gunzip(std::unique_ptr<ByteSource> coded, std::size_t octets_max);
  ~Gunzip() override;

  // Fills `out`, and less than that only at the end of the stream, which has then been checked.
  // Errors: too_large; xml_malformed (not a whole gzip stream); those of the coded source.
  Result<std::size_t> read(std::span<std::byte> out);

  // Blocks of kBlockOctets. Errors: as read().
  Result<ByteView> next() override;

 private:
  struct Inflater;
  Result<bool> refill();
  Result<Ok> check_end();
  Result<std::size_t> inflate_into(std::span<std::byte> out);

  const std::unique_ptr<ByteSource> coded_;
  const std::size_t octets_max_;
  const std::unique_ptr<Inflater> inflater_;
  std::size_t octets_ = 0;  // that came out
  Result<bool> ended_ = false;
  Bytes block_;
};

}  // namespace district::receive
