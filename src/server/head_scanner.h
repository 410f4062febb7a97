// The octets of a request's head, checked one by one as they come, before anything interprets them.
// What every recipient on the way must read alike gets through, and nothing else.
// Private to server/.
// Source: RFC 9112 sections 2 to 5; RFC 3986 appendix A.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace district::server {

// Refused at the first octet that cannot belong to it, so that nobody waits for the rest:
// 400 bare CR or LF, line folding (section 5.2), white space around a field's name, control
//     characters, a target with octets that RFC 3986 does not know;
// 414 a request target, 431 a head or a number of fields beyond its limit;
// 501 a method longer than any;
// 505 a version other than HTTP/1.0 and HTTP/1.1: a proxy that takes one for another is fooled.
class HeadScanner {
 public:
  static constexpr std::size_t kMethodOctetsMax = 32;
  static constexpr std::size_t kTargetOctetsMax = 8000;  // RFC 9112 section 3 recommends as much
  static constexpr std::size_t kFieldsMax = 100;         // Apache's limit

  // `octets_max`: of request line and fields.
  explicit HeadScanner(std::size_t octets_max) : octets_max_(octets_max) {}

  // Takes what follows the octets fed before; what is behind the head's end is not looked at.
  void feed(std::string_view octets);

  bool complete() const { return state_ == State::complete; }
  unsigned refused() const { return refused_; }  // the status; 0: not refused
  // The rule that was broken, where it was: of HTTP alone, so that anybody may be told.
  std::string rule() const;
  std::size_t octets() const { return octets_; }

 private:
  // Named after what comes next.
  enum class State : std::uint8_t {
    method,
    target,
    version,
    version_end,
    line_feed,
    line,
    name,
    value,
    last_line_feed,
    complete,
  };
  unsigned take(char c);  // the status to refuse with; 0: fine
  unsigned take_version(char c);
  unsigned check_limits() const;
  const char* broken_rule() const;
  void begin(State state);

  const std::size_t octets_max_;
  State state_ = State::method;
  std::size_t octets_ = 0, octets_of_part_ = 0, fields_ = 0;
  bool other_version_ = false;
  unsigned refused_ = 0;
  State refused_in_ = State::method;
};

}  // namespace district::server
