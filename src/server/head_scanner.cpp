#include "server/head_scanner.h"

#include "server/http_grammar.h"

namespace district::server {
namespace {

constexpr std::string_view kVersionStart = "HTTP/";
constexpr std::size_t kMajor = kVersionStart.size(), kDot = kMajor + 1, kMinor = kDot + 1;

}  // namespace

void HeadScanner::feed(std::string_view octets) {
  for (const char c : octets) {
    if (complete() || refused_ != 0) return;
    ++octets_;
    ++octets_of_part_;
    refused_in_ = state_;
    refused_ = take(c);
    if (refused_ == 0) refused_ = check_limits();
  }
}

std::string HeadScanner::rule() const {
  return std::string(broken_rule()) + ", at octet " + std::to_string(octets_) + " of the head";
}

const char* HeadScanner::broken_rule() const {
  if (refused_ == 414) return "the request target is too long";
  if (refused_ == 431 && fields_ > kFieldsMax) return "too many fields";
  if (refused_ == 431) return "the head is larger than limits.header_bytes";
  if (refused_ == 501) return "the method is longer than any";
  if (refused_ == 505) return "neither HTTP/1.1 nor HTTP/1.0";
  switch (refused_in_) {
    case State::method:
      return "the request does not begin with a method";
    case State::target:
      return "an octet in the request target that RFC 3986 does not allow there";
    case State::version:
    case State::version_end:
      return "the request line does not end with HTTP/1.1 and CR LF";
    case State::line:
      return "a line that begins with white space or an octet that no field's name has";
    case State::name:
      return "a field's name with white space or another octet that no name has";
    case State::value:
      return "a line break other than CR LF, or a control character, in a field's value";
    default:
      return "CR without LF";
  }
}

void HeadScanner::begin(State state) {
  state_ = state;
  octets_of_part_ = 0;
}

unsigned HeadScanner::check_limits() const {
  if (state_ == State::method) return octets_of_part_ > kMethodOctetsMax ? 501 : 0;
  if (state_ == State::target && octets_of_part_ > kTargetOctetsMax) return 414;
  if (octets_ > octets_max_) return state_ == State::target ? 414 : 431;
  return fields_ > kFieldsMax ? 431 : 0;
}

unsigned HeadScanner::take(char c) {
  switch (state_) {
    case State::method:
      if (c == ' ' && octets_of_part_ > 1) {
        begin(State::target);
        return 0;
      }
      return is_token_char(c) ? 0 : 400;
    case State::target:
      if (c == ' ' && octets_of_part_ > 1) {
        begin(State::version);
        return 0;
      }
      return is_target_char(c) ? 0 : 400;
    case State::version:
      return take_version(c);
    case State::version_end:
      if (c != '\r') return 400;
      if (other_version_) return 505;
      state_ = State::line_feed;
      return 0;
    case State::line_feed:
      begin(State::line);
      return c == '\n' ? 0 : 400;
    case State::line:
      if (c == '\r') {
        state_ = State::last_line_feed;
        return 0;
      }
      ++fields_;
      state_ = State::name;
      return is_token_char(c) ? 0 : 400;
    case State::name:
      if (c == ':') {
        state_ = State::value;
        return 0;
      }
      return is_token_char(c) ? 0 : 400;
    case State::value:
      if (c == '\r') {
        state_ = State::line_feed;
        return 0;
      }
      return is_value_char(c) ? 0 : 400;
    case State::last_line_feed:
      state_ = State::complete;
      return c == '\n' ? 0 : 400;
    case State::complete:
      break;
  }
  return 0;
}

// HTTP/1.1, spelled exactly so (RFC 9112 section 2.3).
unsigned HeadScanner::take_version(char c) {
  const auto at = octets_of_part_ - 1;
  if (at < kMajor) return c == kVersionStart[at] ? 0 : 400;
  if (at == kDot) return c == '.' ? 0 : 400;
  if (!is_digit(c)) return 400;
  if (at == kMajor) {
    other_version_ = c != '1';
  } else if (at == kMinor) {
    other_version_ = other_version_ || c > '1';
    state_ = State::version_end;
  }
  return 0;
}

}  // namespace district::server
