#include "server/chunk_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "server/http_grammar.h"

namespace district::server {
namespace {

// -1: no hexadecimal digit.
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

ChunkDecoder::Step ChunkDecoder::decode(std::string_view in, std::span<std::byte> out) {
  Step step{0, 0};
  while (status_ == Status::more && step.used < in.size()) {
    if (state_ != State::data) {
      malformed_in_ = state_;
      if (!take(in[step.used])) status_ = Status::malformed;
      ++step.used;
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(
        {chunk_octets_left_, in.size() - step.used, out.size() - step.decoded}));
    if (count == 0) break;  // `out` is full
    std::memcpy(out.data() + step.decoded, in.data() + step.used, count);
    step.used += count;
    step.decoded += count;
    chunk_octets_left_ -= count;
    if (chunk_octets_left_ == 0) state_ = State::data_return;
  }
  return step;
}

const char* ChunkDecoder::rule() const {
  switch (malformed_in_) {
    case State::size_begin:
    case State::size:
      return "a chunk's size is no hexadecimal number, or too long";
    case State::size_line_feed:
      return "CR without LF after a chunk's size";
    case State::data_return:
    case State::data_line_feed:
      return "a chunk does not end where its size says, with CR LF";
    case State::trailer_line:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_line_feed:
    case State::last_line_feed:
      return "a trailer field is malformed, too long or one that must not be there";
    default:
      return "a chunk extension is malformed or too long";
  }
}

bool ChunkDecoder::go(State state) {
  state_ = state;
  return true;
}

bool ChunkDecoder::take(char c) {
  switch (state_) {
    case State::size_begin:
    case State::size:
      return take_size(c);
    case State::size_line_feed:
      begin_data();
      return c == '\n';
    case State::data:
      return false;  // decode() copies it
    case State::data_return:
      return c == '\r' && go(State::data_line_feed);
    case State::data_line_feed:
      return c == '\n' && go(State::size_begin);
    case State::trailer_line:
    case State::trailer_name:
    case State::trailer_value:
    case State::trailer_line_feed:
    case State::last_line_feed:
      return ++trailer_octets_ <= overhead_octets_max_ && take_trailer(c);
    default:
      return ++extension_octets_ <= overhead_octets_max_ && take_extension(c);
  }
}

bool ChunkDecoder::take_size(char c) {
  const int digit = hex_digit(c);
  if (digit < 0) return state_ == State::size && take_after_extension(c);
  if (state_ == State::size_begin) chunk_octets_left_ = 0;
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  if (chunk_octets_left_ > kMax / 16) return false;
  chunk_octets_left_ = chunk_octets_left_ * 16 + static_cast<std::uint64_t>(digit);
  // Leading zeros are octets that carry nothing.
  if (chunk_octets_left_ == 0 && ++extension_octets_ > overhead_octets_max_) return false;
  return go(State::size);
}

void ChunkDecoder::begin_data() {
  state_ = chunk_octets_left_ == 0 ? State::trailer_line : State::data;
  if (chunk_octets_left_ > body_octets_left_) {
    status_ = Status::too_large;
    return;
  }
  body_octets_left_ -= chunk_octets_left_;
}

// Behind the size and behind each whole extension.
bool ChunkDecoder::take_after_extension(char c) {
  if (c == '\r') return go(State::size_line_feed);
  if (c == ';') return go(State::extension_begin);
  return is_space(c) && go(State::extension_gap);
}

bool ChunkDecoder::take_extension(char c) {
  switch (state_) {
    case State::extension_gap:
      return is_space(c) || (c == ';' && go(State::extension_begin));
    case State::extension_begin:
      return is_space(c) || (is_token_char(c) && go(State::extension_name));
    case State::extension_name:
      if (is_token_char(c)) return true;
      if (is_space(c)) return go(State::extension_name_gap);
      return c == '=' ? go(State::extension_value_begin) : take_after_extension(c);
    case State::extension_name_gap:
      if (c == '=') return go(State::extension_value_begin);
      return is_space(c) || (c == ';' && go(State::extension_begin));
    case State::extension_value_begin:
      if (c == '"') return go(State::extension_quoted);
      return is_space(c) || (is_token_char(c) && go(State::extension_token));
    case State::extension_token:
      return is_token_char(c) || take_after_extension(c);
    case State::extension_quoted:
      if (c == '"') return go(State::extension_end);
      return c == '\\' ? go(State::extension_escape) : is_value_char(c);
    case State::extension_escape:
      return is_value_char(c) && go(State::extension_quoted);
    case State::extension_end:
      return take_after_extension(c);
    default:
      return false;
  }
}

bool ChunkDecoder::take_trailer(char c) {
  switch (state_) {
    case State::trailer_line:
      if (c == '\r') return go(State::last_line_feed);
      trailer_name_.assign(1, to_lower(c));
      return is_token_char(c) && go(State::trailer_name);
    case State::trailer_name:
      if (c != ':') {
        trailer_name_ += to_lower(c);
        return is_token_char(c);
      }
      // RFC 9110 section 6.5.1: framing is never a trailer's.
      return trailer_name_ != "content-length" && trailer_name_ != "transfer-encoding" &&
             go(State::trailer_value);
    case State::trailer_value:
      return c == '\r' ? go(State::trailer_line_feed) : is_value_char(c);
    case State::trailer_line_feed:
      return c == '\n' && go(State::trailer_line);
    default:  // last_line_feed
      if (c == '\n') status_ = Status::complete;
      return c == '\n';
  }
}

}  // namespace district::server
