// Judges the header of a request: what it asks for, and whether its framing is beyond doubt.
// Private to server/.
// Source: RFC 9112 sections 3, 6 and 11.2 (request smuggling); RFC 9110 section 9.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace district::server {

inline constexpr std::string_view kServicePath = "/services/aggregation";
inline constexpr std::string_view kHealthPath = "/health";

enum class Resource : std::uint8_t { service, health, api };

struct RequestHead {
  // Not 0: the request is refused with this status. 400 means that where it ends is in doubt.
  unsigned refused = 0;
  std::string rule;   // that was broken then: of HTTP alone, so that anybody may be told
  std::string allow;  // with 405

  Resource resource = Resource::service;
  bool is_post = false;
  bool is_head = false;
  bool has_body = false;
  bool chunked = false;
  std::uint64_t content_length = 0;  // unless chunked
  bool keep_alive = false;
  bool expects_continue = false;
  std::string path, query;  // as sent; the query without "?"
  std::string content_type, content_encoding, soap_action;
  std::string authorization, accept, if_none_match, range, if_range;
};

// `octets`: a head that a HeadScanner has found complete and without fault.
RequestHead parse_head(std::string_view octets);

}  // namespace district::server
