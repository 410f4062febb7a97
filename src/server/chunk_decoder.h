// The chunked transfer coding, decoded as it comes, without any tolerance: whatever two recipients
// could read differently is malformed. Private to server/.
// Source: RFC 9112 section 7.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace district::server {

class ChunkDecoder {
 public:
  enum class Status : std::uint8_t { more, complete, malformed, too_large };

  // `body_octets_max`: of all that is decoded; a chunk that goes beyond it is too_large as soon as
  // its size is known. `overhead_octets_max`: of all chunk extensions, and again of all trailer
  // fields, which are checked and overlooked.
  ChunkDecoder(std::uint64_t body_octets_max, std::size_t overhead_octets_max)
      : body_octets_left_(body_octets_max), overhead_octets_max_(overhead_octets_max) {}

  struct Step {
    std::size_t used, decoded;  // octets of `in` and of `out`
  };
  // Goes on until `in` is used up, `out` is full, or there is no `more` to do.
  Step decode(std::string_view in, std::span<std::byte> out);

  Status status() const { return status_; }
  // Of HTTP, where it is malformed.
  const char* rule() const;

 private:
  // Named after what comes next, or what we are in.
  enum class State : std::uint8_t {
    size_begin,
    size,
    extension_gap,  // only a semicolon
    extension_begin,
    extension_name,
    extension_name_gap,
    extension_value_begin,
    extension_token,
    extension_quoted,
    extension_escape,
    extension_end,
    size_line_feed,
    data,
    data_return,
    data_line_feed,
    trailer_line,
    trailer_name,
    trailer_value,
    trailer_line_feed,
    last_line_feed,
  };
  bool take(char c);  // false: malformed
  bool take_size(char c);
  bool take_extension(char c);
  bool take_after_extension(char c);
  bool take_trailer(char c);
  bool go(State state);
  void begin_data();

  std::uint64_t body_octets_left_;
  const std::size_t overhead_octets_max_;
  State state_ = State::size_begin;
  Status status_ = Status::more;
  State malformed_in_ = State::size_begin;
  std::uint64_t chunk_octets_left_ = 0;
  std::size_t extension_octets_ = 0, trailer_octets_ = 0;
  std::string trailer_name_;  // lower case
};

}  // namespace district::server
